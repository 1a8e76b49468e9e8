"""Evaluates a checkpoint on a dataset and prints every figure with its protocol."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.cells import Cell, make_cell
from benchmarks.commands.arguments import (
    add_cell,
    add_machine,
    add_places,
    apply_sets,
    pairs,
    places_of,
    split_sets,
)
from benchmarks.places import checkpoint_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_cell(parser)
    parser.add_argument(
        "--checkpoint", required=True, metavar="F", help="a released file of any known family, or our own"
    )
    parser.add_argument(
        "--tier", choices=("smoke", "embedded", "full"), help="default: full with --data-root, else embedded"
    )
    parser.add_argument(
        "--predictions", type=Path, metavar="FILE", help="write the benchmark's submission format there"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there as well")
    add_places(parser)
    add_machine(parser)


def cell_of(arguments: argparse.Namespace) -> Cell:
    """The cell; the protocol's defaults are those of the checkpoint's family."""
    from hrnet.checkpoints import identify_checkpoint

    path = checkpoint_path(arguments.checkpoint, arguments.weights).resolve()
    found = identify_checkpoint(path)
    parts = split_sets(pairs(arguments.set, "--set"))
    parts["protocol"] = {**pairs(arguments.protocol, "--protocol"), **parts["protocol"]}
    changes = {**found.build_options(arguments.task, arguments.model, arguments.dataset), **parts.pop("model")}
    parts["model"] = {}
    implied = changes.pop("representation", None)
    cell = make_cell(
        arguments.task,
        arguments.dataset,
        arguments.model,
        tier=arguments.tier or ("full" if arguments.data_root else "embedded"),
        representation=arguments.representation or implied,
        split=arguments.split,
        checkpoint=str(path),
        family=found.family,
        embedded=arguments.data_root is None,
        **changes,
    )
    return apply_sets(cell, parts)


def main(arguments: argparse.Namespace) -> int:
    from benchmarks.commands.single import run_single

    return run_single(cell_of(arguments), places_of(arguments), arguments.json, arguments.predictions)
