"""Two runs side by side: the difference of every shared cell.

Paired bootstrap, Holm's correction; new and gone cells.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.commands.tables import show_fitted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_a", type=Path, metavar="RUN_A", help="a results folder, its runs/, or one cell's folder")
    parser.add_argument("run_b", type=Path, metavar="RUN_B")
    parser.add_argument("--metric", help="metric to compare (default: each cell's headline)")
    parser.add_argument("--draws", type=int, default=1000, help="bootstrap draws")
    parser.add_argument(
        "--fail-on",
        choices=("worse", "different"),
        help="exit status 1 if B is worse than A in a cell (or different from it)",
    )
    parser.add_argument(
        "--format",
        choices=("md", "csv", "tex", "html", "json"),
        help="default: fitted to the terminal, and md where the output goes elsewhere",
    )


def main(arguments: argparse.Namespace) -> int:
    from benchmarks.analysis.compare import compare

    found = compare(arguments.run_a, arguments.run_b, arguments.metric, arguments.draws)
    if arguments.format is None and sys.stdout.isatty():
        show_fitted([found.table()])
    else:
        print(found.table().render(arguments.format or "md"), end="")
    bad = found.num_verdicts("worse") + (found.num_verdicts("better") if arguments.fail_on == "different" else 0)
    return int(bool(arguments.fail_on and bad))
