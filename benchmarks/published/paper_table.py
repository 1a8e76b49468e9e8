"""The papers' tables with published, measured, difference and status in every row.

A paper's table becomes one `Table` per protocol, so that no column mixes two. Status of a measured row:
"reproduced" if it agrees to what the source prints, "within tolerance", "off", or "suspiciously better".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.experiment.suite import OfCells
from benchmarks.published.figures import METRICS, Figure, load_footnotes
from benchmarks.published.filled_rows import RowFilling, what_is_missing
from benchmarks.published.paper_rows import PaperRow
from benchmarks.published.slots import Slot, main_slot, slot_of
from benchmarks.tables.rows import Measurements
from benchmarks.tables.table import Column, Table

ONLY_IF_PRINTED = ("params", "gflops")
"""Columns that stand only in tables where some row prints them."""


@dataclass(frozen=True)
class PublishedTable(OfCells):
    """A paper's table: its source rows, each with its figures and the cells that measure them.

    Of the table with other cells, a row whose cell was replaced measures another protocol, and is not filled.

    Attributes:
        cells: ids of the cells that its rows need.
    """

    name: str
    title: str
    cells: tuple[str, ...]
    rows: tuple[PaperRow, ...]

    def fill(self, measurements: Measurements) -> list[Table]:
        """One table per judged figure and protocol; every source row is in exactly one of them.

        A row that speaks of two benchmarks (the exchange ablation) is in a table of each. With places, rows that were not run
        say what is missing there; without, what they need.
        """
        rows = measurements.rows(self.cells)
        filling = RowFilling(
            {row.cell.id: row for row in rows},
            {row.cell.id: what_is_missing(row.cell, measurements.places) for row in rows if not row.done},
            load_footnotes(),
        )
        groups = self._groups()
        benchmarks = {benchmark for benchmark, _ in groups}
        tables = []
        for number, ((benchmark, main), members) in enumerate(groups.items(), 1):
            name = self.name if len(groups) == 1 else f"{self.name}_{number}"
            title = f"{self.title}, {benchmark}" if len(benchmarks) > 1 else self.title
            known = main.split in title or main.split in members[0].figures[0].split
            what = main.metric if known else f"{main.metric} {main.split}"
            table = Table(
                name, f"{title}: {what} [{main.protocol}]", _columns(main, members), tier="full" if self.cells else ""
            )
            for row in members:
                table.add(filling.entries(row, main), group=row.figures[0].source)
            _leave_out_empty(table)
            tables.append(table)
        return tables

    def _groups(self) -> dict[tuple[str, Slot], list[PaperRow]]:
        """The rows by benchmark and the slot that they are judged by; each holds the figures of that benchmark alone."""
        groups: dict[tuple[str, Slot], list[PaperRow]] = {}
        for row in self.rows:
            for benchmark in dict.fromkeys(figure.benchmark for figure in row.figures):
                own = tuple(figure for figure in row.figures if figure.benchmark == benchmark)
                groups.setdefault((benchmark, main_slot(own)), []).append(replace(row, figures=own))
        return groups


def _columns(main: Slot, members: Sequence[PaperRow]) -> list[Column]:
    """The judged figure published and measured, the other figures, what the network costs, and what is missing."""
    examples: dict[Slot, Figure] = {slot_of(figure): figure for row in members for figure in row.figures}
    single_split = len({slot.split for slot in [main, *examples]}) == 1
    unit, better = METRICS[main.metric]
    columns = [
        Column("method", "method"),
        Column("body", "body"),
        Column("setting", "setting"),
        Column("published", f"{main.metric} published", unit, better, main.protocol),
        Column("measured", f"{main.metric} measured", unit, better, main.protocol),
        Column("difference", "difference", unit, signed=True),
        Column("status", "status"),
    ]
    for slot, figure in examples.items():
        if slot != main:
            heading = slot.metric if single_split else f"{slot.metric} {slot.split}"
            label = "" if slot.protocol == main.protocol else slot.protocol
            columns.append(Column(slot.key, heading, figure.unit, figure.direction, slot.protocol, label))
    columns += [Column("params", "params", "M", digits=1), Column("gflops", "GFLOPs as printed", digits=1)]
    return [*columns, Column("missing", "what is missing", on_paper=False), Column("row", "row", on_paper=False)]


def _leave_out_empty(table: Table) -> None:
    """Drops the columns of parameters and multiply-adds where no row prints any."""
    present = {key for row in table.rows for key, value in row.entries.items() if value.value is not None}
    table.columns = [column for column in table.columns if column.key not in ONLY_IF_PRINTED or column.key in present]
