"""Arguments that several verbs share, and what they mean."""

from __future__ import annotations

import argparse
import dataclasses
import errno
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from benchmarks.commands.settings import pairs, split_sets
from benchmarks.experiment.cell import PRECISIONS, RUNTIMES, TIERS, Cell, with_precision, with_runtime
from benchmarks.experiment.paths import LOGGERS, Places
from benchmarks.experiment.suite import Suite
from benchmarks.published.paper_table import PublishedTable
from benchmarks.running.executors.accelerators import VISIBLE, visible_gpus
from benchmarks.running.plan import select
from benchmarks.suites import load_suite
from tasks import get_task


def at_least(least: int) -> Callable[[str], int]:
    """The argparse type of whole numbers from ``least`` on."""

    def convert(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, got {text!r}")
        return int(text)

    return convert


def device(text: str) -> str:
    """The argparse type of ``--device``."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", text):
        raise argparse.ArgumentTypeError(f"expected auto, cpu, cuda or cuda:NUMBER, got {text!r}")
    return text


def add_places(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("places")
    group.add_argument(
        "--data-root", type=Path, metavar="D", help="folder with coco/, mpii/, cityscapes/, ... (or one of them)"
    )
    group.add_argument("--weights", type=Path, metavar="D", help="folder with released checkpoints")
    group.add_argument(
        "--out", type=Path, default=Path("results"), metavar="D", help="results folder (default: results)"
    )
    group.add_argument("--embedded-root", type=Path, default=Path("data/embedded"), metavar="D", help="embedded data")


def add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state",
        metavar="KEY",
        help="which weights of a checkpoint that holds several: their key (ema_state_dict), or what begins their names (teacher)",
    )


def add_machine(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("machine (none of these changes a number beyond the rounding of its last digits)")
    group.add_argument(
        "--batch",
        type=at_least(1),
        metavar="N",
        help="evaluation batch size; rounding differs a little between sizes (default: fixed by model and input size on "
        "a CPU, what memory allows on an accelerator; recorded with the result)",
    )
    group.add_argument(
        "--workers",
        type=at_least(0),
        metavar="N",
        help="loader processes of training and evaluation (default: the recipe's, no more than cores)",
    )
    group.add_argument("--threads", type=at_least(1), metavar="N", help="threads per process")
    group.add_argument("--device", type=device, default="auto", metavar="D", help="auto, cpu, cuda, or one: cuda:1")
    group.add_argument(
        "--log",
        type=_loggers,
        default=(),
        metavar="NAMES",
        help="write curves and figures there as well, which may fail without stopping a run: tensorboard, wandb, mlflow, aim, "
        "separated by commas (each an extra)",
    )
    group.add_argument("--tensorboard", action="store_true", help="the same as --log tensorboard")
    group.add_argument("--launcher", choices=("none", "pytorch", "slurm"), default="none", help="distributed launcher")


def _loggers(text: str) -> tuple[str, ...]:
    """The argparse type of ``--log``."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in LOGGERS:
            raise argparse.ArgumentTypeError(f"expected names of {', '.join(LOGGERS)}, got {name!r}")
    return names


def _chosen_loggers(arguments: argparse.Namespace) -> tuple[str, ...]:
    """What ``--log`` and ``--tensorboard`` ask for; what is not installed is left out, and said once."""
    asked = getattr(arguments, "log", ()) + ("tensorboard",) * getattr(arguments, "tensorboard", False)
    found = []
    for name in dict.fromkeys(asked):
        if find_spec(name) is not None:
            found.append(name)
            continue
        print(
            f"--log {name}: it is not installed: pip install 'hrnet-benchmark[{name}]'; the run goes on without it",
            file=sys.stderr,
        )
    return tuple(found)


def add_cell(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", required=True, help="pose, segmentation, landmarks, detection, classification")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--model", required=True, help="hrnet_w32, simple_baseline_r50, hourglass_s2, timm:NAME, ...")
    parser.add_argument("--representation", metavar="R", help="V1, V1h, V2, V2p, ... (default: the task's)")
    parser.add_argument("--split", help="split to evaluate on (default: the benchmark's)")
    parser.add_argument(
        "--protocol", nargs="*", action="extend", default=[], metavar="k=v", help="what moves the score"
    )
    parser.add_argument("--tier", choices=TIERS, help="default: full with --data-root, else embedded")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there as well")
    parser.add_argument(
        "--predictions", type=Path, metavar="FILE", help="write the benchmark's submission format there"
    )
    add_set(parser)


def add_set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        nargs="*",
        action="extend",
        default=[],
        metavar="k=v",
        help="change a field: recipe.lr=0.01, recipe.augment.flip_prob=0, protocol.flip=false, model.upsample=bilinear",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="of training and evaluation (default: fp32); part of the protocol, refused where the hardware would emulate it",
    )
    parser.add_argument(
        "--runtime",
        choices=RUNTIMES,
        help="what computes the network's forward pass in the evaluation (default: eager PyTorch); part of the protocol",
    )
    parser.add_argument("--compile", action="store_true", help="the same as --runtime compiled: by torch.compile")


def add_suite(parser: argparse.ArgumentParser, default: str = "embedded") -> None:
    parser.add_argument(
        "--suite", default=default, metavar="S", help=f"suite (default: {default}; a wrong name lists all)"
    )
    parser.add_argument(
        "--only", nargs="*", action="extend", default=[], metavar="P", help="cells by name, e.g. 'pose/*'"
    )
    parser.add_argument("--tier", choices=TIERS, help="tier of a suite that has several (embedded: smoke)")
    parser.add_argument(
        "--models", metavar="M,M", help="bodies of suite own, of speed or of an ablation, separated by commas"
    )
    parser.add_argument("--seeds", type=at_least(1), default=1, metavar="N", help="train every cell under N seeds")


def places_of(arguments: argparse.Namespace) -> Places:
    """Reads the shared arguments; sets the device for this process and those it starts."""
    if getattr(arguments, "engine", "local") == "local":  # a cluster's machines have others
        choose_device(getattr(arguments, "device", "auto"))
    return Places(
        out=arguments.out / "runs",
        embedded=arguments.embedded_root,
        data_root=arguments.data_root,
        weights=arguments.weights,
        batch_size=getattr(arguments, "batch", None),
        num_workers=getattr(arguments, "workers", None),
        threads=getattr(arguments, "threads", None),
        log=_chosen_loggers(arguments),
        launcher=getattr(arguments, "launcher", "none"),
        cells_per_gpu=getattr(arguments, "cells_per_gpu", 1),
    )


def choose_device(chosen: str) -> None:
    """Lets this process and those it starts see the accelerators of ``--device`` alone.

    Raises:
        ValueError: there is no such accelerator.
    """
    if chosen == "cpu":
        os.environ[VISIBLE] = ""
    if not chosen.startswith("cuda"):
        return
    _, _, number = chosen.partition(":")
    if number:
        seen = visible_gpus()
        if int(number) >= len(seen):
            raise ValueError(
                f"--device {chosen}: expected at least {int(number) + 1} accelerators, found {len(seen)}. Leave the option out "
                "to take what there is."
            )
        os.environ[VISIBLE] = seen[int(number)]
    import torch

    if not torch.cuda.is_available():
        raise ValueError(
            f"--device {chosen}: expected an accelerator, found none. Leave the option out to run on the CPU."
        )


def require_results(places: Places) -> None:
    """Raises ValueError where the folder of results that is to be read does not exist."""
    if not places.out.parent.is_dir():
        raise ValueError(
            f"--out {places.out.parent}: expected a folder of results, found none. Correct the path, or run a suite first."
        )


def narrowed(suite: Suite, patterns: Sequence[str]) -> Suite:
    """The suite with the cells of ``--only``, and the tables that have some of them.

    Raises:
        ValueError: a pattern matches no cell.
    """
    if not patterns:
        return suite
    kept = {cell.id for cell in select(suite.cells, patterns)}
    found = suite.with_cells({cell.id: () for cell in suite.cells if cell.id not in kept})
    return dataclasses.replace(found, tables=tuple(table for table in found.tables if table.cells))


def check_places(places: Places) -> None:
    """Raises ValueError where a folder that the caller names does not exist."""
    for option, folder in (("--data-root", places.data_root), ("--weights", places.weights)):
        if folder is not None and not folder.is_dir():
            raise ValueError(f"{option} {folder}: expected a folder, found none. Correct the path, or leave it out.")


def check_out(out: Path) -> None:
    """Raises ValueError where results cannot be written; makes the folder. A full disk is left to the cells, which say so."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out):
            pass
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise ValueError(
                f"--out {out}: expected a folder that can be written, got: {error.strerror or error}. Choose another folder."
            ) from error


def apply_sets(cell: Cell, parts: Mapping[str, Mapping[str, Any]]) -> Cell:
    """A cell with fields of its recipe, protocol and model changed.

    A checkpoint's cell has no recipe; what is set of it is checked all the same.
    """
    task = get_task(cell.task)
    if parts["protocol"]:
        cell = dataclasses.replace(cell, protocol=task.protocol_with(cell.protocol, parts["protocol"]))
    if parts["recipe"]:
        usual = cell.recipe or task.recipe(cell.dataset, cell.model, cell.tier)
        changed = task.recipe_with(usual, parts["recipe"])
        cell = cell if cell.recipe is None else dataclasses.replace(cell, recipe=changed)
    if parts["model"]:
        cell = dataclasses.replace(cell, changes=tuple(sorted({**dict(cell.changes), **parts["model"]}.items())))
    return cell


def computed_as(cell: Cell, arguments: argparse.Namespace) -> Cell:
    """The cell in the precision and the runtime of ``--precision``, ``--runtime`` and ``--compile``; as it is without them."""
    precision, runtime = (getattr(arguments, name, None) for name in ("precision", "runtime"))
    if getattr(arguments, "compile", False):
        if runtime not in (None, "compiled"):
            raise ValueError(f"--compile: expected no --runtime beside it, got {runtime}; leave one of them out.")
        runtime = "compiled"
    cell = cell if precision is None else with_precision(cell, precision)
    return cell if runtime is None else with_runtime(cell, runtime)


def suite_of(arguments: argparse.Namespace) -> Suite:
    """The suite of ``--suite``, ``--seeds`` and ``--set``, which changes the cells that ``--only`` keeps."""
    options = {name: value for name in ("tier", "models") if (value := getattr(arguments, name, None))}
    suite = load_suite(arguments.suite, **options).with_seeds(arguments.seeds)
    changes = pairs(getattr(arguments, "set", []), "--set")
    if not changes and not any(getattr(arguments, name, None) for name in ("precision", "runtime", "compile")):
        return suite
    parts = split_sets(changes)
    kept = suite.cells
    if getattr(arguments, "only", None) and not suite.tables_of(PublishedTable):
        kept = tuple(select(suite.cells, arguments.only))
    changed = {cell.id: computed_as(apply_sets(cell, parts), arguments) for cell in kept}
    # One that reads boxes or weights of a cell that is another one now reads that one's.
    renames = {old: cell.id for old, cell in changed.items()}
    changed = {old: cell.with_sources(renames) for old, cell in changed.items()}
    renamed = {cell.id: changed.get(cell.id, cell) for cell in suite.cells}
    # A pattern may be an id; the cell has another one now.
    arguments.only = [renamed[word].id if word in renamed else word for word in getattr(arguments, "only", [])]
    return suite.with_cells({old: (cell,) for old, cell in renamed.items()})


def stored_suite(arguments: argparse.Namespace) -> tuple[Suite, Places]:
    """The suite whose results are read, narrowed by ``--only``, and the places, whose folder of results is there.

    Raises:
        ValueError: no such folder, or a pattern that matches no cell.
    """
    places = places_of(arguments)
    require_results(places)
    return narrowed(suite_of(arguments), arguments.only), places
