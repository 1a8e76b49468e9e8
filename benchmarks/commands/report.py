"""Writes the static html report of a suite from what is stored; open it by its path."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.commands.arguments import add_places, add_set, add_suite, stored_suite
from benchmarks.experiment.suite import Suite
from benchmarks.store.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_suite(parser)
    add_places(parser)
    add_set(parser)


def main(arguments: argparse.Namespace) -> int:
    suite, places = stored_suite(arguments)
    write_report(suite, Store(places.out), arguments.out)
    return 0


def write_report(suite: Suite, store: Store, out: Path) -> None:
    """Writes ``out/report/index.html`` and prints its path."""
    from benchmarks.report.page import write

    print(f"Report: {write(suite, store, out / 'report')}")
