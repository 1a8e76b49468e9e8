"""The regression gate: holds what is stored to results/expected/.

Both ways; prints what is not ok, and the counts.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.commands.arguments import add_places, add_set, add_suite, places_of, require_results, suite_of
from benchmarks.commands.tables import show_fitted
from benchmarks.experiment.installation import is_checkout
from benchmarks.experiment.staleness import NOTE, outdated
from benchmarks.store.store import Store
from benchmarks.tables.table import Table
from tasks.files.json_file import many_records


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_suite(parser)
    add_places(parser)
    add_set(parser)
    parser.add_argument("--update", action="store_true", help="rewrite the expected values and show the difference")
    parser.add_argument(
        "--expected", type=Path, metavar="D", help="folder of expected values (default: results/expected)"
    )
    parser.add_argument("--all", action="store_true", help="print every cell, not only those that are not ok")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write a JUnit file")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="append the markdown summary there")


@many_records()
def main(arguments: argparse.Namespace) -> int:
    from benchmarks.analysis import expected
    from benchmarks.analysis import gate as regression
    from benchmarks.running.plan import select

    suite, places = suite_of(arguments), places_of(arguments)
    require_results(places)
    store, root = Store(places.out), arguments.expected or expected.ROOT
    if not arguments.update and not root.is_dir():
        raise ValueError(f"--expected {root}: expected a folder of expected values, found none. Correct the path.")
    only = {cell.id for cell in select(suite.cells, arguments.only)} if arguments.only else None
    if arguments.update:
        if arguments.expected is None and not is_checkout():
            raise ValueError(
                "--update: the expected values that come with an installed package are not changed; name a folder of your own "
                "with --expected D"
            )
        table = regression.update(suite, store, root, only)
        print(table.render("md"), end="")
        print(f"\nExpected values: {expected.expected_path(suite.name, root)}")
        return 0
    gate = regression.check(suite, store, root, only)
    regression.write_reports(gate, arguments.summary, arguments.junit)
    _show(gate.table(arguments.all))
    stale = outdated([cell for cell in suite.cells if only is None or cell.id in only], store)
    if stale:
        print(f"\n{len(stale)} of these figures were {NOTE}.")
    return gate.exit_status


def _show(table: Table) -> None:
    """Prints the verdicts, fitted to a terminal; the heading with the counts alone where all are ok."""
    if not table.rows:
        print(f"{table.title}.")
    elif sys.stdout.isatty():
        show_fitted([table])
    else:
        print(table.render("md"), end="")
