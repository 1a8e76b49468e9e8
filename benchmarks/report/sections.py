"""The sections of the page: a dataset's or an ablation's table with its plots and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from benchmarks.experiment.suite import Suite
from benchmarks.report.class_bars import class_bars
from benchmarks.report.curves import cost_plots, evaluation_plots, training_plots
from benchmarks.report.looks import legend, legend_of, looks, variant_looks
from benchmarks.report.pictures import Gallery, copied, galleries
from benchmarks.report.plot import Plot, drawn
from benchmarks.tables.ablation_table import AblationTable
from benchmarks.tables.class_table import ClassTable
from benchmarks.tables.render import html
from benchmarks.tables.rows import Measured, headline
from benchmarks.tables.table import Table
from benchmarks.tables.task_table import TaskTable

DatasetTable = TaskTable | ClassTable


@dataclass
class Section:
    """A table (html) with its plots, their legend, and pictures by cell."""

    anchor: str
    task: str
    title: str
    table: str
    legend: list[tuple[str, str]] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)
    cells: list[Gallery] = field(default_factory=list)


def dataset_sections(
    suite: Suite, filled: Mapping[str, Table], rows: Sequence[Measured], colour: Mapping[str, int], out: Path
) -> list[Section]:
    """A section per dataset; a further table of the same cells (figures by class) joins the section of the first.

    Args:
        filled: the filled tables by name; kinds without one are left out.
        rows: of all cells.
        colour: by body.
        out: the page's folder, where pictures are copied to.
    """
    by_cells: dict[tuple[str, ...], Section] = {}
    for kind in suite.tables:
        if not isinstance(kind, DatasetTable) or kind.name not in filled:
            continue
        if kind.cells in by_cells:
            further = f"<summary><b>{escape(kind.title)}</b></summary>{html.render(filled[kind.name])}"
            by_cells[kind.cells].table += f'<details class="long">{further}</details>'
        else:
            by_cells[kind.cells] = _dataset(kind, filled[kind.name], rows_of(kind.cells, rows), colour, out)
    return list(by_cells.values())


def rows_of(cells: Sequence[str], rows: Sequence[Measured]) -> list[Measured]:
    """Those of the rows that show one of the cells."""
    return [row for row in rows if row.cell.id in cells]


def _dataset(
    kind: DatasetTable, table: Table, rows: Sequence[Measured], colour: Mapping[str, int], out: Path
) -> Section:
    plain = [row for row in rows if not row.cell.label]
    shown = plain or list(rows)
    metric, look = kind.columns[0], looks(shown, colour)
    return Section(
        f"{kind.task}-{kind.dataset}-{kind.name}",
        kind.task,
        kind.title,
        html.render(table),
        legend(shown, colour),
        drawn(
            [
                *cost_plots(shown, metric, colour),
                *training_plots(shown, look),
                *evaluation_plots(shown, look),
                *class_bars(shown, colour),
            ]
        ),
        galleries(rows, {row.cell.id: row.body for row in rows}, out),
    )


def ablation_section(kind: AblationTable, table: Table, rows: Sequence[Measured], out: Path) -> Section:
    """An ablation's table, the curves of its variants, and the pictures of every one of them."""
    rows = sorted(rows, key=lambda row: kind.cells.index(row.cell.id))
    look = variant_looks(rows, kind)
    return Section(
        f"ablation-{kind.name}",
        kind.task,
        kind.title,
        html.render(table),
        legend_of(look),
        drawn([*training_plots(rows, look), *evaluation_plots(rows, look)]),
        galleries(rows, {cell: name for cell, (name, _) in look.items()}, out),
    )


def picture_sections(rows: Sequence[Measured], out: Path) -> list[Section]:
    """A section of pictures per dataset, for suites whose tables are the papers'."""
    made: dict[tuple[str, str], Section] = {}
    for row in rows:
        for held in row.done[:1]:
            pictures = copied(held, out)
            if pictures:
                place = (row.cell.task, row.cell.dataset)
                section = made.setdefault(place, Section("-".join(place), place[0], f"Pictures, {place[1]}", ""))
                name = f"{row.body}, {row.cell.checkpoint}" if row.cell.checkpoint else row.body
                section.cells.append(Gallery(name, headline(held), pictures))
    return list(made.values())
