"""Names and looks (numbers that stand for colour and shape) of rows in charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.baselines import body_names, traits_of
from benchmarks.experiment.cell import Cell
from benchmarks.tables.ablation_table import AblationTable
from benchmarks.tables.across_tasks import without_width
from benchmarks.tables.rows import Measured

Looks = Mapping[str, tuple[str, int]]
"""Cell id -> the name and the look that a row has in charts."""


def colours(rows: Sequence[Measured]) -> dict[str, int]:
    """A colour per body for the whole page, HRNet's first; widths of one micro body share theirs."""
    names = list(dict.fromkeys(without_width(row.cell.model) for row in rows))
    parallel = {without_width(row.cell.model) for row in rows if _is_parallel(row.cell)}
    ordered = sorted(names, key=lambda name: (name not in parallel, names.index(name)))
    index = {name: number for number, name in enumerate(ordered)}
    return index | {row.cell.model: index[without_width(row.cell.model)] for row in rows}


def _is_parallel(cell: Cell) -> bool:
    from tasks import get_task

    body = get_task(cell.task).body_name(cell.model)
    return body in body_names() and traits_of(body).structure == "parallel"  # a stored cell's body may be gone


def legend(rows: Sequence[Measured], colour: Mapping[str, int], merge_widths: bool = False) -> list[tuple[str, int]]:
    """(name, look) of each body in these rows; with `merge_widths`, widths of one micro body are one."""
    names = dict.fromkeys(without_width(row.cell.model) if merge_widths else row.cell.model for row in rows)
    return [(name, colour[name]) for name in names]


def looks(rows: Sequence[Measured], colour: Mapping[str, int]) -> Looks:
    """The name and colour of each row: its body's."""
    return {row.cell.id: (row.cell.model, colour[row.cell.model]) for row in rows}


def variant_looks(rows: Sequence[Measured], ablation: AblationTable) -> Looks:
    """The name and colour of each variant of an ablation: body and variant, in a colour of its own."""
    bodies = {row.cell.model for row in rows}

    def name(row: Measured) -> str:
        variant = ablation.variant(row).name(row)
        return f"{row.cell.model} · {variant}" if len(bodies) > 1 else variant

    return {row.cell.id: (name(row), number) for number, row in enumerate(rows)}
