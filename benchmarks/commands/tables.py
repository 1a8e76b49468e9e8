"""Prints a suite's tables, or writes them for a paper or a program.

Fitted to the terminal, or as markdown, csv, LaTeX, html, json, parquet; from what is stored.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from benchmarks.commands.arguments import add_places, add_set, add_suite, at_least, stored_suite
from benchmarks.experiment.installation import program
from benchmarks.experiment.paths import Places
from benchmarks.experiment.suite import Suite
from benchmarks.printing import console
from benchmarks.published.paper_table import PublishedTable
from benchmarks.published.summary import attempted, summary
from benchmarks.running.cores import available_cores
from benchmarks.store.files import check_inside
from benchmarks.store.store import Store
from benchmarks.tables import layout
from benchmarks.tables.filling import fill
from benchmarks.tables.table import Table, render_all
from tasks.files.json_file import many_records
from tasks.files.writing import write_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="these tables alone (--names lists them), or: all")
    add_suite(parser)
    add_places(parser)
    add_set(parser)
    parser.add_argument(
        "--format",
        choices=("md", "csv", "tex", "html", "json", "parquet"),
        help="default: fitted to the terminal, and md where the output goes elsewhere; parquet is a file of all figures",
    )
    parser.add_argument(
        "--names", action="store_true", dest="list_names", help="print the tables' names and titles alone"
    )
    parser.add_argument("--columns", metavar="C,C", help="these columns alone, by key or title, after the first one")
    parser.add_argument("--decimals", type=at_least(0), metavar="N", help="of every number that has some")
    parser.add_argument("--transpose", action="store_true", help="columns as rows")
    parser.add_argument("--width", choices=("column", "page"), help="tex: fit one column of a paper, or both")
    parser.add_argument("--to", type=Path, metavar="FILE", help="parquet: the file (default: OUT/tables/SUITE.parquet)")
    parser.add_argument(
        "--intervals", default="bootstrap", choices=("none", "kept", "bootstrap"), help="show uncertainty"
    )


@many_records()
def main(arguments: argparse.Namespace) -> int:
    suite, places = stored_suite(arguments)
    if arguments.width and arguments.format != "tex":
        raise ValueError("--width is of LaTeX: give --format tex with it")
    if arguments.format == "parquet":
        return _write_parquet(arguments, suite)
    drawn = "none" if arguments.list_names else arguments.intervals
    tables = fill(suite, Store(places.out), intervals=drawn, places=places, jobs=available_cores())
    if arguments.list_names:
        for table in tables:
            print(f"{table.name}\t{table.title}")
        return 0
    tables = _arranged(tables, arguments)
    if arguments.format is None and sys.stdout.isatty():
        if arguments.names or arguments.columns:
            show_fitted(layout.across_first(tables), turn=not arguments.transpose)
        else:
            shown = [*attempted(tables), summary(tables)] if suite.tables_of(PublishedTable) else tables
            _show_first(shown, suite, turn=not arguments.transpose)
    elif arguments.width:
        from benchmarks.tables.render import paper

        print(paper.render_all(tables, arguments.width), end="")
    else:
        print(render_all(tables, arguments.format or "md"), end="")
    return 0


def _arranged(tables: list[Table], arguments: argparse.Namespace) -> list[Table]:
    """The tables that were asked for, with the columns, decimals and direction that were."""
    if arguments.names and arguments.names != ["all"]:
        tables = layout.named(tables, arguments.names)
    if arguments.columns:
        tables = layout.with_columns(tables, [word.strip() for word in arguments.columns.split(",") if word.strip()])
    if arguments.decimals is not None:
        tables = [layout.with_decimals(table, arguments.decimals) for table in tables]
    return [layout.transposed(table) for table in tables] if arguments.transpose else tables


def _write_parquet(arguments: argparse.Namespace, suite: Suite) -> int:
    """Writes the frame of the suite's figures, with the printed ones where its tables are the papers'."""
    from benchmarks import results_frame
    from benchmarks.analysis.frame import write_parquet

    path = arguments.to or arguments.out / "tables" / f"{suite.name}.parquet"
    published = bool(suite.tables_of(PublishedTable))
    frame = results_frame(arguments.out, suite, intervals=arguments.intervals, published=published)
    write_parquet(frame, path)
    print(f"Frame: {path} ({len(frame)} figures)")
    return 0


def show_fitted(tables: Sequence[Table], turn: bool = True) -> None:
    """Prints tables fitted to the terminal; with `turn`, those over several datasets have these as rows."""
    from benchmarks.tables.render import terminal

    shown_on = console(sys.stdout, soft_wrap=False)
    for table in tables:
        if turn and table.name in layout.ACROSS:
            table = layout.transposed(layout.without_empty(table))
        terminal.show(table, shown_on)


def show(suite: Suite, store: Store, out: Path, write: bool, places: Places | None = None) -> None:
    """Prints the tables and, if asked for, writes md and csv below ``out/tables``.

    A terminal gets those over several datasets, fitted to its width, and the names of the others; elsewhere all are printed
    as markdown.
    """
    tables = fill(suite, store, places=places, jobs=available_cores())
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
            check_inside(folder / f"{suite.name}.{suffix}", out)
            write_text(folder / f"{suite.name}.{suffix}", render_all(tables, suffix))
    print()
    if sys.stdout.isatty():
        _show_first(shown, suite)
    else:
        print(render_all(shown, "md"))
    if not write:
        return
    print(f"Tables: {folder / suite.name}.md and .csv")


def _show_first(tables: Sequence[Table], suite: Suite, turn: bool = True) -> None:
    """Tables over several datasets, or all where there are few; how to see the others."""
    first = [table for table in tables if table.name in (*layout.ACROSS, "published_summary")]
    if not first or len(tables) <= 2:
        first = list(tables)
    show_fitted(first, turn)
    rest = [table.name for table in tables if table not in first]
    if rest:
        print(f"{len(rest)} more tables by name (or: all): {program()} tables --suite {suite.name} NAME")
        width = shutil.get_terminal_size().columns
        print(
            textwrap.fill(", ".join(rest), width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
        )
