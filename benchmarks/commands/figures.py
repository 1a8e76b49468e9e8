"""Draws the report's plots for a paper: PDF, PNG and SVG, two widths.

In the widths of one and of two columns, letters embedded.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.commands.arguments import add_set, add_suite, narrowed, suite_of
from benchmarks.store.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_suite(parser)
    add_set(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of the figures; of a results folder its own results are drawn, into DIR/figures",
    )
    parser.add_argument("--results", type=Path, metavar="D", help="results folder that is read (default: results)")
    parser.add_argument("--width", choices=("column", "page"), help="default: both")
    parser.add_argument("--format", choices=("pdf", "png", "svg"), help="default: all three")


def main(arguments: argparse.Namespace) -> int:
    from benchmarks.analysis.figures.groups import chart_groups
    from benchmarks.analysis.figures.paper import FORMATS, WIDTHS_IN, save

    results, folder = _places(arguments)
    suite = narrowed(suite_of(arguments), arguments.only)
    groups = chart_groups(suite, Store(results / "runs"))
    folder.mkdir(parents=True, exist_ok=True)
    widths = [arguments.width] if arguments.width else list(WIDTHS_IN)
    forms = [arguments.format] if arguments.format else list(FORMATS)
    charts = made = 0
    for group in groups:
        for chart in group.charts:
            charts += 1
            name = f"{group.name}-{chart.slug}"[:120]
            made += sum(len(save(chart, folder, name, width, forms)) for width in widths)
    print(f"Figures: {folder} ({charts} plots, {made} files)")
    if not charts:
        print(f"Nothing to draw: {results} holds no finished cell of suite {suite.name}.")
    return 0


def _places(arguments: argparse.Namespace) -> tuple[Path, Path]:
    """The results folder that is read, and the folder of the figures.

    Raises:
        ValueError: there are no results.
    """
    out: Path = arguments.out
    if arguments.results is None and (out / "runs").is_dir():
        return out, out / "figures"
    results = arguments.results or Path("results")
    if not (results / "runs").is_dir():
        raise ValueError(
            f"--results {results}: expected a folder of results with runs/, found none. Name the results with --results, "
            "or run a suite first."
        )
    return results, out
