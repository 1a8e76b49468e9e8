"""Fetches released weights, resumed and checked by size and SHA-256.

By file name or suite: names are those of results/published/weights.csv; `doctor --weights D` lists what is not there. Nothing
is fetched by any other verb. HRNET_MIRROR names another address that holds the files; HTTPS_PROXY is heeded.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import TracebackType

from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from benchmarks.commands.arguments import at_least
from benchmarks.experiment.cell import OF_CELL
from benchmarks.experiment.suite import Suite
from benchmarks.printing import console
from benchmarks.published.fetching.files import Outcome, fetch_all
from benchmarks.published.fetching.links import mirror
from benchmarks.published.weights import Weights, load_weights, weights_of
from benchmarks.running.plan import select
from benchmarks.suites import load_suite


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="file names of the manifest")
    parser.add_argument("--suite", metavar="S", help="every released checkpoint that a suite evaluates")
    parser.add_argument(
        "--only", nargs="*", action="extend", default=[], metavar="P", help="cells of the suite by name"
    )
    parser.add_argument(
        "--weights", type=Path, required=True, metavar="D", help="folder that they go to; made if need be"
    )
    parser.add_argument("--jobs", type=at_least(1), default=4, metavar="N", help="files at a time (default: 4)")
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=15.0,
        metavar="S",
        help="seconds that a server may say nothing (default: 15)",
    )


def main(arguments: argparse.Namespace) -> int:
    if not arguments.names and arguments.suite is None:
        raise ValueError(
            "expected file names of results/published/weights.csv, or --suite S. `doctor --weights D` lists what is not there."
        )
    entries, others = _wanted(arguments)
    folder, address = arguments.weights, mirror()
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--weights {folder}: expected a folder, found a file. Name another.")
    for name in others:
        print(f"not in the manifest: {name}")
    with Watcher() as watcher:
        outcomes = fetch_all(entries, folder, address, arguments.timeout, arguments.jobs, watcher.show, watcher.done)
    failed = sum(outcome.kind == "failed" for outcome in outcomes) + len(others)
    print(f"{len(outcomes) + len(others) - failed} of {len(outcomes) + len(others)} files are in {folder}.")
    return 1 if failed else 0


def _wanted(arguments: argparse.Namespace) -> tuple[list[Weights], list[str]]:
    """The manifest's entries that are asked for, and names of a suite's checkpoints that it lacks."""
    found = {name: weights_of(name) for name in arguments.names}
    others: list[str] = []
    if arguments.suite is not None:
        known = {entry.file: entry for entry in load_weights()}
        names = _checkpoints(load_suite(arguments.suite), arguments.only)
        if not names:
            raise ValueError(f"suite {arguments.suite} evaluates no released checkpoint; nothing to fetch.")
        found.update({name: known[name] for name in names if name in known})
        others = [name for name in names if name not in known]
    return list(found.values()), others


def _checkpoints(suite: Suite, patterns: list[str]) -> list[str]:
    cells = select(suite.cells, patterns) if patterns else suite.cells
    names = [cell.checkpoint or (cell.recipe and cell.recipe.init_from) for cell in cells]
    return list(dict.fromkeys(str(name) for name in names if name and not str(name).startswith(OF_CELL)))


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"expected seconds above 0, got {text!r}")
    return value


class Watcher:
    """What a person sees meanwhile: in a terminal a bar for every file by its name; a line as each ends."""

    def __init__(self) -> None:
        self.console = console(sys.stderr)
        self.bars: dict[str, TaskID] = {}
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )

    def __enter__(self) -> Watcher:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def show(self, name: str, done: int, total: int | None) -> None:
        if not self.console.is_terminal:
            return
        if name not in self.bars:
            self.bars[name] = self.progress.add_task(name, total=total)
        self.progress.update(self.bars[name], completed=done, total=total)

    def done(self, outcome: Outcome) -> None:
        if outcome.file in self.bars:
            self.progress.remove_task(self.bars.pop(outcome.file))
        word = {"fetched": "fetched", "there": "there already", "failed": "FAILED"}[outcome.kind]
        self.console.print(f"{outcome.file}  {word}: {outcome.text}", markup=False)
