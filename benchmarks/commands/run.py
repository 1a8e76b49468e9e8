"""Runs a suite: what is missing or stale, side by side, then prints its tables. Run again to go on after an interruption."""

from __future__ import annotations

import argparse
import time

from benchmarks.commands.arguments import add_machine, add_places, add_set, add_suite, places_of, suite_of
from benchmarks.plan import MISSING_DATA, MISSING_WEIGHTS, plan
from benchmarks.run import run
from benchmarks.store import Store
from benchmarks.watch import Watcher


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_suite(parser)
    add_places(parser)
    add_machine(parser)
    add_set(parser)
    parser.add_argument("--jobs", type=int, metavar="N", help="worker processes (default: one per core)")
    parser.add_argument("--rerun", nargs="*", default=[], choices=("failed", "all"), help="run these again")
    parser.add_argument("--no-report", action="store_true", help="do not write the html report")


def main(arguments: argparse.Namespace) -> int:
    suite, places = suite_of(arguments), places_of(arguments)
    planned = plan(suite, places, arguments.only, arguments.rerun)
    start = time.perf_counter()
    todo = [item for item in planned if item.runs]
    absent = [item for item in planned if item.status in (MISSING_DATA, MISSING_WEIGHTS)]
    failed = 0
    if todo:
        with Watcher([item.cell for item in todo]) as watcher:
            failed = run(planned, places, arguments.jobs, watcher)
    from benchmarks.commands.tables import show

    show(suite, Store(places.out), arguments.out, write=True)
    if not arguments.no_report and suite.tables:
        from benchmarks.commands.report import write_report

        write_report(suite, Store(places.out), arguments.out)
    for item in absent:
        print(f"not attempted: {item.cell.name}: {item.status}: {item.detail}")
    ran = f"{len(todo)} of {len(planned)} cells ran" if todo else f"all {len(planned)} cells were done already"
    if not todo and absent:
        ran = "no cell could run" if len(absent) == len(planned) else "every cell that could run was done already"
    print(f"{ran}, {failed} failed, {time.perf_counter() - start:.0f} s.")
    return 1 if failed else 0
