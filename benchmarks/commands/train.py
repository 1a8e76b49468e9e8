"""Trains and evaluates one cell, on real, own or embedded data.

On the dataset below --data-root, else on the embedded one.
"""

from __future__ import annotations

import argparse

from benchmarks.commands.arguments import add_cell, add_machine, add_places, apply_sets, computed_as, places_of
from benchmarks.commands.settings import pairs, split_sets
from benchmarks.experiment.cell import Cell, make_cell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_cell(parser)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train-split", help="split to train on (default: the dataset's)")
    parser.add_argument("--init", metavar="F", help="checkpoint that initialises the body (an ImageNet release)")
    add_places(parser)
    add_machine(parser)


def cell_of(arguments: argparse.Namespace) -> Cell:
    """The cell that the arguments describe."""
    if arguments.seed < 0:
        raise ValueError(f"--seed {arguments.seed}: expected a whole number of at least 0.")
    tier = arguments.tier or ("full" if arguments.data_root else "embedded")
    parts = split_sets(pairs(arguments.set, "--set"))
    parts["protocol"] = {**pairs(arguments.protocol, "--protocol"), **parts["protocol"]}
    if arguments.init:
        parts["recipe"]["init_from"] = arguments.init
    cell = make_cell(
        arguments.task,
        arguments.dataset,
        arguments.model,
        tier=tier,
        representation=arguments.representation,
        split=arguments.split,
        seed=arguments.seed,
        embedded=arguments.data_root is None,
        train_split=arguments.train_split,
        **parts["model"],
    )
    parts["model"] = {}
    return computed_as(apply_sets(cell, parts), arguments)


def main(arguments: argparse.Namespace) -> int:
    from benchmarks.commands.single import run_single

    return run_single(cell_of(arguments), places_of(arguments), arguments.json, arguments.predictions)
