"""Prints the tables of a suite from what is stored: markdown, csv, LaTeX, html or json."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.commands.arguments import add_places, add_set, add_suite, stored_suite
from benchmarks.experiment.paths import Places
from benchmarks.experiment.suite import Suite
from benchmarks.published.paper_table import PublishedTable
from benchmarks.published.summary import attempted, summary
from benchmarks.store.store import Store
from benchmarks.tables.filling import fill
from benchmarks.tables.table import render_all
from tasks.files.json_file import many_records
from tasks.files.writing import write_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_suite(parser)
    add_places(parser)
    add_set(parser)
    parser.add_argument("--format", default="md", choices=("md", "csv", "tex", "html", "json"))
    parser.add_argument(
        "--intervals", default="bootstrap", choices=("none", "kept", "bootstrap"), help="show uncertainty"
    )


@many_records()
def main(arguments: argparse.Namespace) -> int:
    suite, places = stored_suite(arguments)
    tables = fill(suite, Store(places.out), intervals=arguments.intervals, places=places)
    print(render_all(tables, arguments.format), end="")
    return 0


def show(suite: Suite, store: Store, out: Path, write: bool, places: Places | None = None) -> None:
    """Prints the tables in the terminal as markdown and, if asked for, writes md and csv below ``out/tables``."""
    tables = fill(suite, store, places=places)
    if not tables:
        return
    shown = tables
    if suite.tables_of(PublishedTable):
        # Hundreds of rows say "not attempted": the terminal gets those that were, and the counts.
        shown = [*attempted(tables), summary(tables)]
    folder = out / "tables"
    if write:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix in ("md", "csv"):
            write_text(folder / f"{suite.name}.{suffix}", render_all(tables, suffix))
    print()
    print(render_all(shown, "md"))
    if not write:
        return
    print(f"Tables: {folder / suite.name}.md and .csv")
