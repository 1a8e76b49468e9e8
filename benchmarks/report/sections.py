"""The sections of the page: a dataset's or an ablation's table with its plots and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from benchmarks.analysis.figures.groups import DatasetTable, ablation_group, dataset_group, rows_of
from benchmarks.analysis.figures.looks import variant_looks
from benchmarks.experiment.suite import Suite
from benchmarks.report.pictures import Gallery, copied, galleries
from benchmarks.report.plot import Plot, drawn, marked
from benchmarks.tables.ablation_table import AblationTable
from benchmarks.tables.render import html
from benchmarks.tables.rows import Measured, headline
from benchmarks.tables.table import Table


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

    @property
    def short(self) -> str:
        """The title for the side bar."""
        return self.title.removesuffix(", embedded")


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


def _dataset(
    kind: DatasetTable, table: Table, rows: Sequence[Measured], colour: Mapping[str, int], out: Path
) -> Section:
    group = dataset_group(kind, rows, colour)
    return Section(
        f"{kind.task}-{kind.dataset}-{kind.name}",
        kind.task,
        kind.title,
        html.render(table),
        marked(group.legend),
        drawn(group.charts),
        galleries(rows, {row.cell.id: row.body for row in rows}, out),
    )


def ablation_section(kind: AblationTable, table: Table, rows: Sequence[Measured], out: Path) -> Section:
    """An ablation's table, the curves of its variants, and the pictures of every one of them."""
    group = ablation_group(kind, table, rows)
    names = {cell: name for cell, (name, _) in variant_looks(rows, kind).items()}
    return Section(
        f"ablation-{kind.name}",
        kind.task,
        kind.title,
        html.render(table),
        marked(group.legend),
        drawn(group.charts),
        galleries(rows, names, out),
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
