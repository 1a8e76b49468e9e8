"""The tables that a run prints while it goes on: each task's as soon as enough bodies are there."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks.commands.tables import show_fitted
from benchmarks.experiment.cell import Cell
from benchmarks.experiment.suite import Suite
from benchmarks.running.scheduler import Event, Watch
from benchmarks.store.store import Store
from benchmarks.tables.rows import Measurements
from benchmarks.tables.table import render_all
from benchmarks.tables.task_table import TaskTable

ENOUGH = 3
"""Bodies that make a first table worth reading; it is printed again when it is whole."""
FIRST = ("pose", "coco")
"""Task and dataset whose table a run begins with, where its suite has it."""


def first_table(suite: Suite) -> tuple[str, ...]:
    """Ids of the cells that begin first: those of the largest pose table on COCO in a suite of several tables, else none."""
    tables = suite.tables_of(TaskTable)
    if len(tables) < 2:
        return ()
    found = [table.cells for table in tables if (table.task, table.dataset) == FIRST]
    return max(found, key=len, default=())


class EarlyTables:
    """Prints a table of a suite of several when its third row and when its last is there, without intervals.

    Args:
        cells: those of the run, done or not.
    """

    def __init__(self, suite: Suite, store: Store, cells: Sequence[Cell]) -> None:
        self.store, self.cells = store, {cell.id: cell for cell in cells}
        tables = suite.tables_of(TaskTable)
        self.tables = tables if len(tables) > 1 else ()
        self.ended: set[str] = set()

    def after(self, watch: Watch) -> Watch:
        """The same, and after the end of a cell the tables that it made worth reading."""

        def both(event: Event) -> None:
            watch(event)
            if event.cell is not None and event.kind in ("done", "failed"):
                self._ended(event.cell)

        return both

    def _ended(self, cell: Cell) -> None:
        self.ended.add(cell.id)
        for table in self.tables:
            rows = [one for one in table.cells if one in self.cells]
            count = sum(one in self.ended for one in rows)
            if cell.id in rows and count in {min(ENOUGH, len(rows)), len(rows)} and len(rows) > 1:
                held = Measurements(self.cells, self.store, intervals="kept")
                shown = table.with_cells({one: () for one in rows if one not in self.ended})
                if sys.stdout.isatty():
                    show_fitted(shown.fill(held))
                else:
                    print(render_all(shown.fill(held), "md"), flush=True)
