"""What would run: the status of every cell, and the estimated time.

A status is done, stale, failed, to run, missing data or missing weights.
"""

from __future__ import annotations

import argparse
from collections import Counter

from benchmarks.commands.arguments import add_places, add_set, add_suite, check_places, places_of, suite_of
from benchmarks.published.paper_table import PublishedTable
from benchmarks.published.plan import print_plan
from benchmarks.running.cores import available_cores
from benchmarks.running.plan import plan
from benchmarks.tables.render.folded import folded, terminal_width
from tasks.files.json_file import many_records


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_suite(parser)
    add_places(parser)
    add_set(parser)
    parser.add_argument("--rows", action="store_true", help="every row of the papers' tables (suite published)")
    parser.add_argument("--jobs", type=int, metavar="N", help="worker processes that a run would use")


@many_records()
def main(arguments: argparse.Namespace) -> int:
    suite, places = suite_of(arguments), places_of(arguments)
    if suite.tables_of(PublishedTable):
        return print_plan(suite, places, arguments.only, arguments.rows)
    check_places(places)
    planned = plan(suite, places, arguments.only)
    width = max((len(p.cell.name) for p in planned), default=10)
    column = 15 if terminal_width() is None else max((len(p.status) for p in planned), default=6)
    for item in planned:
        known = item.runs and (item.basis != "guess" or item.cell.tier != "full")
        estimate = f"{item.estimate_s:6.0f} s" if known else "     ? s" if item.runs else " " * 8
        line = f"{item.cell.id}  {item.cell.name:{width}}  {item.status:{column}} {estimate}  {item.detail}"
        print(folded(line.rstrip(), 14))
    counts = Counter(item.status for item in planned)
    unknown = sum(item.runs and item.basis == "guess" and item.cell.tier == "full" for item in planned)
    known_s = sum(
        item.estimate_s for item in planned if item.runs and (item.basis != "guess" or item.cell.tier != "full")
    )
    total = known_s / max(1, arguments.jobs or available_cores())
    text = f"{len(planned)} cells: " + ", ".join(f"{n} {status}" for status, n in counts.items())
    told = [f"about {total / 60:.1f} minutes to run"] if total else []
    if unknown:
        told.append(f"{unknown} of which nothing like it was measured here")
    print("\n" + folded("; ".join([text, *told]) + "."))
    return 0
