"""Names and colours of rows in plots, and the legends that show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.baselines import body_names, traits_of
from benchmarks.experiment.cell import Cell
from benchmarks.report.svg.marks import marker
from benchmarks.tables.ablation_table import AblationTable
from benchmarks.tables.across_tasks import without_width
from benchmarks.tables.rows import Measured

Looks = Mapping[str, tuple[str, int]]
"""Cell id -> the name and the colour that a row has in plots."""


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


def legend(rows: Sequence[Measured], colour: Mapping[str, int], merge_widths: bool = False) -> list[tuple[str, str]]:
    """(name, svg mark) of each body in these rows; with `merge_widths`, widths of one micro body are one."""
    names = dict.fromkeys(without_width(row.cell.model) if merge_widths else row.cell.model for row in rows)
    return [(name, _mark(colour[name])) for name in names]


def _mark(colour: int) -> str:
    return f'<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">{marker(colour, 8, 8)}</svg>'


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


def legend_of(look: Looks) -> list[tuple[str, str]]:
    """(name, svg mark) of each row."""
    return [(name, _mark(colour)) for name, colour in look.values()]
