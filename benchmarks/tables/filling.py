"""Fills the tables that a suite names from the result store.

One row per cell (runs of one cell under several seeds are one row: mean and standard deviation), one column per metric
with its unit, direction and protocol.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from benchmarks.experiment.paths import Places
from benchmarks.experiment.staleness import outdated
from benchmarks.experiment.suite import Suite
from benchmarks.store.store import Store
from benchmarks.tables.ablation_table import AblationTable
from benchmarks.tables.across_tasks import AcrossTasksTable
from benchmarks.tables.class_table import ClassTable
from benchmarks.tables.drawing import draw_missing
from benchmarks.tables.rows import Measurements
from benchmarks.tables.table import Table
from benchmarks.tables.task_table import TaskTable


def fill(
    suite: Suite,
    store: Store,
    intervals: str = "bootstrap",
    only: Iterable[str] | None = None,
    places: Places | None = None,
    jobs: int = 1,
) -> list[Table]:
    """Every table of the suite; suites over several tasks get their table across tasks after them, and ablations come last.

    The headline figure of a cell that was run under one seed has its bootstrap interval, drawn once and kept beside it.
    A figure that other code or data made than are here now has a footnote that says so.

    `only` restricts to cells with these ids (tables without any such cell are left out). `places` is where the papers' rows
    look for what they lack. `jobs` processes draw the intervals that are not kept yet.
    """
    chosen = None if only is None else set(only)
    cells = {cell.id: cell for cell in suite.cells if chosen is None or cell.id in chosen}
    held = Measurements(cells, store, outdated(cells.values(), store), intervals, places)
    if intervals == "bootstrap" and jobs > 1:
        draw_missing(held.rows(cells), store, jobs)
    first = [table for kind in suite.tables if not isinstance(kind, AblationTable) for table in kind.fill(held)]
    last = [table for kind in suite.tables_of(AblationTable) for table in kind.fill(held)]
    return [*first, *across_tasks(suite, held), *last]


def across_tasks(suite: Suite, held: Measurements) -> list[Table]:
    """A table across tasks per tier, for suites over several tasks whose tables are all of one dataset each."""
    if len(suite.tables) != len(
        suite.tables_of(TaskTable) + suite.tables_of(ClassTable) + suite.tables_of(AblationTable)
    ):
        return []
    left_out = only_in_ablations(suite)
    named = [one for one in in_main_tables(suite) if one in held.cells and one not in left_out]
    if len({held.cells[one].task for one in named}) < 2:
        return []
    tables: list[Table] = []
    for tier in dict.fromkeys(held.cells[one].tier for one in named):
        ids = tuple(one for one in named if held.cells[one].tier == tier)
        tables += AcrossTasksTable("cross_task", "Across tasks", ids).fill(_kept(held))
    return tables


def _kept(held: Measurements) -> Measurements:
    """The same, with intervals that the tables of each dataset have drawn before, if they show any."""
    return held if held.intervals == "none" else replace(held, intervals="kept")


def in_main_tables(suite: Suite) -> list[str]:
    """Ids of cells that tables of a task name, in order, each once."""
    main = (TaskTable, ClassTable)
    return list(dict.fromkeys(one for table in suite.tables if isinstance(table, main) for one in table.cells))


def only_in_ablations(suite: Suite) -> set[str]:
    """Ids of cells that only an ablation names: they stay out of the table across tasks."""
    return {one for table in suite.tables_of(AblationTable) for one in table.cells} - set(in_main_tables(suite))
