"""Writes a suite's html report from what is stored.

Open it by its path.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.commands.arguments import add_places, add_set, add_suite, stored_suite
from benchmarks.experiment.suite import Suite
from benchmarks.running.cores import available_cores
from benchmarks.store.files import check_inside
from benchmarks.store.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_suite(parser)
    add_places(parser)
    add_set(parser)
    parser.add_argument(
        "--to",
        type=Path,
        metavar="D",
        help="folder of the page, where the results can only be read (default: OUT/report)",
    )


def main(arguments: argparse.Namespace) -> int:
    suite, places = stored_suite(arguments)
    write_report(suite, Store(places.out), arguments.out, arguments.to)
    return 0


def write_report(suite: Suite, store: Store, out: Path, to: Path | None = None) -> None:
    """Writes ``index.html`` to the folder ``to`` (default: ``out/report``) and prints its path.

    Raises:
        ValueError: a link leads out of the results.
        OSError: the folder cannot be written; the text says what to do.
    """
    from benchmarks.report.page import write

    folder = to or out / "report"
    if to is None:
        check_inside(folder, out)
    try:
        print(f"Report: {write(suite, store, folder, jobs=available_cores())}")
    except OSError as error:
        raise OSError(
            error.errno,
            f"{folder}: the report could not be written ({error.strerror or error}); name another folder with report --to",
        ) from error
