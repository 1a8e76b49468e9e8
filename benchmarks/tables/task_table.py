"""The table of one task and dataset: bodies in rows, metrics in columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.experiment.suite import OfCells
from benchmarks.tables.columns import bracketed, cost_columns, cost_entries, metric_column, run_columns
from benchmarks.tables.rows import Measured, Measurements, entry
from benchmarks.tables.table import Column, Entry, Table


@dataclass(frozen=True)
class BodyTable(OfCells):
    """What tables of one dataset have that show bodies in rows and metrics in columns.

    Attributes:
        cells: ids in row order.
        columns: metric names of the task; the first is the one that rows are judged by.
    """

    name: str
    title: str
    task: str
    dataset: str
    cells: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class TaskTable(BodyTable):
    """One dataset's table: bodies in rows; parameters, multiply-adds, metrics, n and seconds in columns."""

    def fill(self, measurements: Measurements) -> list[Table]:
        """One table; none if no cell was asked for."""
        rows = measurements.rows(self.cells)
        if not rows:
            return []
        main = self.columns[0]
        columns = [Column("body", "body"), Column("representation", "representation"), *cost_columns()]
        columns += [metric_column(metric, rows, beside=main) for metric in self.columns]
        table = Table(self.name, self.title + bracketed(rows), [*columns, *run_columns()])
        for row in rows:
            table.add(self._entries(row, measurements.intervals), tier=row.cell.tier)
        return [table]

    def _entries(self, row: Measured, intervals: str) -> dict[str, Any]:
        headline = row.done[0].record.headline if row.done else None
        figures = {metric: entry(row, metric, intervals if metric == headline else "none") for metric in self.columns}
        main = self.columns[0]
        if not row.done:
            figures[main] = Entry(status=row.status, text=row.reason)
        return {
            "body": Entry(row.body, href=row.href),
            "representation": row.cell.representation,
            **cost_entries(row),
            **figures,
            "n": row.n(main),
            "seconds": row.seconds,
        }
