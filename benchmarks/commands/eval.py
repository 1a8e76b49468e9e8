"""Evaluates a checkpoint; prints every figure with its protocol."""

from __future__ import annotations

import argparse
import dataclasses
import sys

from benchmarks.commands.arguments import (
    add_cell,
    add_machine,
    add_places,
    add_state,
    apply_sets,
    computed_as,
    places_of,
)
from benchmarks.commands.settings import pairs, split_sets
from benchmarks.commands.trained import to_stderr, trained_tier
from benchmarks.experiment.cell import Cell, make_cell
from benchmarks.experiment.paths import checkpoint_path, dataset_root
from tasks import get_task
from tasks.predictor.trained import trained_protocol


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_cell(parser)
    parser.add_argument(
        "--checkpoint", required=True, metavar="F", help="a released file of any known family, or our own"
    )
    add_state(parser)
    add_places(parser)
    add_machine(parser)


def cell_of(arguments: argparse.Namespace) -> Cell:
    """The cell; the protocol's defaults are those of the checkpoint's family, or of its training here."""
    from hrnet.checkpoints import identify_checkpoint

    path = checkpoint_path(arguments.checkpoint, arguments.weights).resolve()
    found = identify_checkpoint(path, arguments.state)
    parts = split_sets(pairs(arguments.set, "--set"))
    parts["protocol"] = {**pairs(arguments.protocol, "--protocol"), **parts["protocol"]}
    changes = {**found.build_options(arguments.task, arguments.model, arguments.dataset), **parts.pop("model")}
    parts["model"] = {}
    implied = changes.pop("representation", None)
    usual = "full" if arguments.data_root else "embedded"
    tier = trained_tier(found, arguments.tier, usual)
    cell = make_cell(
        arguments.task,
        arguments.dataset,
        arguments.model,
        tier=tier,
        representation=arguments.representation or implied,
        split=arguments.split,
        checkpoint=str(path),
        family=found.family,
        embedded=arguments.data_root is None,
        **changes,
    )
    task = get_task(arguments.task)
    protocol = trained_protocol(task, arguments.dataset, arguments.model, found, path, arguments.tier, tier, to_stderr)
    cell = dataclasses.replace(cell, protocol=protocol, state=arguments.state)
    return _present_split(computed_as(apply_sets(cell, parts), arguments), arguments)


def _present_split(cell: Cell, arguments: argparse.Namespace) -> Cell:
    """Without ``--split``: the one split that is there, where the benchmark's own is not; said on stderr.

    Never one to train on: figures on it say how well it fits, and have to be asked for.
    """
    if arguments.split or arguments.data_root is None:
        return cell
    task = get_task(cell.task)
    info = task.dataset(cell.dataset)
    root = dataset_root(cell, places_of(arguments))

    def there(split: str) -> bool:
        files = task.data_files(cell.dataset, root, split, cell.protocol)
        return bool(files) and all(path.exists() for path in files)

    if there(cell.split):
        return cell
    others = [split for split in info.splits if not split.startswith("train") and there(split)]
    if len(others) != 1:
        return cell
    print(f"{info.title}: split {cell.split} is not below {root}; evaluating {others[0]}, which is.", file=sys.stderr)
    return dataclasses.replace(cell, split=others[0])


def main(arguments: argparse.Namespace) -> int:
    from benchmarks.commands.single import run_single

    return run_single(cell_of(arguments), places_of(arguments), arguments.json, arguments.predictions)
