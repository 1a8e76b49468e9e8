"""Runs what is missing or stale of a suite, then prints its tables.

Cells run side by side. Run again to go on after an interruption.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from benchmarks.commands.arguments import (
    add_machine,
    add_places,
    add_set,
    add_suite,
    check_out,
    check_places,
    places_of,
    suite_of,
)
from benchmarks.commands.early_tables import EarlyTables, first_table
from benchmarks.commands.engines import add_engine, check_engine, engine_of
from benchmarks.experiment.cell import Cell
from benchmarks.experiment.paths import Places
from benchmarks.experiment.suite import Suite
from benchmarks.published.paper_table import PublishedTable
from benchmarks.running.plan import MISSING_DATA, MISSING_WEIGHTS, Planned, plan
from benchmarks.running.progress import Watcher
from benchmarks.running.scheduler import failure_record, run
from benchmarks.store.store import Store
from benchmarks.store.workspace import sweep


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_suite(parser)
    add_places(parser)
    add_machine(parser)
    add_set(parser)
    add_engine(parser)
    parser.add_argument("--rerun", nargs="*", default=[], choices=("failed", "all"), help="run these again")
    parser.add_argument("--no-report", action="store_true", help="do not write the html report")


def main(arguments: argparse.Namespace) -> int:
    check_engine(arguments)
    suite, places = suite_of(arguments), places_of(arguments)
    check_places(places)
    sweep(places.out, places.embedded)
    store = Store(places.out)
    planned = plan(suite, places, arguments.only, arguments.rerun)
    start = time.perf_counter()
    todo = [item for item in planned if item.runs]
    absent = [item for item in planned if item.status in (MISSING_DATA, MISSING_WEIGHTS)]
    failed = 0
    if todo:
        check_out(arguments.out)
        engine = engine_of(arguments, places, len(todo))
        early = EarlyTables(suite, store, [item.cell for item in planned])
        with Watcher([item.cell for item in todo], lambda cell: _figure(cell, store)) as watcher:
            watch, first = early.after(watcher), first_table(suite)
            failed = run(planned, places, arguments.jobs, watch, store, engine.executor, engine.gpu, first)
    published = bool(suite.tables_of(PublishedTable))
    if not published:  # where hundreds of rows lack their data as a rule
        _remember(absent, store)
    unwritten = _write(suite, store, places, arguments)
    for item in absent:
        print(f"not attempted: {item.cell.name}: {item.status}: {item.detail}")
    ran = f"{len(todo)} of {len(planned)} cells ran" if todo else f"all {len(planned)} cells were done already"
    if not todo and absent:
        ran = "no cell could run" if len(absent) == len(planned) else "every cell that could run was done already"
    print(f"{ran}, {failed} failed, {time.perf_counter() - start:.0f} s.")
    return 1 if failed or unwritten or (absent and not published) else 0


def _figure(cell: Cell, store: Store) -> str:
    """The headline figure of a cell that has just finished; "" where it cannot be read back."""
    from benchmarks.tables.rows import headline

    stored = store.load(cell.task, cell.id)
    return headline(stored) if stored is not None and stored.done else ""


def _remember(absent: Sequence[Planned], store: Store) -> None:
    """Puts the reason into the rows of cells that could not begin; a figure of an earlier run stays."""
    for item in absent:
        if item.stored is None or not item.stored.done:
            store.remember(failure_record(item.cell, f"{item.status}: {item.detail}"))


def _write(suite: Suite, store: Store, places: Places, arguments: argparse.Namespace) -> bool:
    """Prints the tables, writes them and the report; True if the disk refused, which is said."""
    from benchmarks.commands.tables import show

    try:
        show(suite, store, arguments.out, write=True, places=places)
        if not arguments.no_report and suite.tables:
            from benchmarks.commands.report import write_report

            write_report(suite, store, arguments.out)
    except OSError as error:
        text = f"{error.filename or arguments.out}: could not write tables and report ({error.strerror or error})"
        print(f"{text}. Free space, or choose another folder with --out, and run again.", file=sys.stderr)
        return True
    return False
