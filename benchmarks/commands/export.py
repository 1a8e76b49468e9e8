"""Writes a network as ONNX, OpenVINO or torch.export file.

And shows that the file gives the same outputs.

    run_all.py export --task pose --dataset coco --model hrnet_w32 --checkpoint F --to onnx --out hrnet_w32.onnx

The batch is free; height and width too, in multiples of 32, where the network allows it. What the input has to be (size,
colours, mean, deviation) and what the outputs are stands in the file.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.commands.arguments import add_set, add_state
from benchmarks.commands.settings import pairs, split_sets
from benchmarks.experiment.paths import checkpoint_path
from tasks import get_task

if TYPE_CHECKING:
    from benchmarks.engine.runtimes.files import Exported

KINDS = ("onnx", "openvino", "torch")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", required=True, help="pose, segmentation, landmarks, detection, classification")
    parser.add_argument("--dataset", help="default: the one that the checkpoint was trained on here")
    parser.add_argument("--model", required=True)
    parser.add_argument("--representation", metavar="R")
    parser.add_argument("--checkpoint", required=True, metavar="F")
    parser.add_argument("--weights", type=Path, metavar="D", help="folder in which the checkpoint is looked up")
    parser.add_argument("--to", required=True, choices=KINDS)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument(
        "--size", type=size_hw, metavar="HxW", help="height x width that is exported (default: the task's)"
    )
    add_state(parser)
    add_set(parser)


def size_hw(text: str) -> tuple[int, int]:
    """ "256x192" as (256, 192)."""
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"expected HEIGHTxWIDTH such as 256x192, got {text!r}")
    return int(parts[0]), int(parts[1])


def main(arguments: argparse.Namespace) -> int:
    from benchmarks.engine.runtimes.files import TARGETS, export
    from benchmarks.engine.runtimes.packages import require

    require(arguments.to)
    if arguments.out.suffix not in TARGETS[arguments.to]:
        raise ValueError(f"--out {arguments.out}: expected a name that ends in {TARGETS[arguments.to][0]}; change it.")
    if not arguments.out.parent.is_dir():
        raise ValueError(
            f"--out {arguments.out}: expected the folder {arguments.out.parent}, found none; make it first."
        )
    network, facts, size = _network(arguments)
    made = export(network, arguments.to, arguments.out, size, facts)
    print(f"{made.path}: {made.path.stat().st_size / 2**20:.1f} MiB")
    for name, value in facts.items():
        print(f"  {name:14} {value if isinstance(value, str) else _short(value)}")
    sizes = "any height and width in multiples of 32" if made.any_size else f"{size[0]}x{size[1]} alone"
    print(f"  {'takes':14} any batch, {sizes}")
    return _compared(made)


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _network(arguments: argparse.Namespace) -> tuple[Any, dict[str, Any], tuple[int, int]]:
    """The network with its weights, what the file says of it, and the size that is exported."""
    from hrnet.checkpoints import identify_checkpoint, load_checkpoint

    path = checkpoint_path(arguments.checkpoint, arguments.weights).resolve()
    found = identify_checkpoint(path, arguments.state)
    dataset = arguments.dataset or found.dataset
    if dataset is None:
        raise ValueError(f"--dataset: expected the dataset that {path.name} was trained on; the file does not say it.")
    task = get_task(arguments.task)
    changes = {**found.build_options(arguments.task, arguments.model, dataset)}
    changes |= split_sets(pairs(arguments.set, "--set"))["model"]
    representation = arguments.representation or changes.pop("representation", None)
    changes.pop("representation", None)
    network = task.build_model(arguments.model, dataset, representation, **changes)
    load_checkpoint(network, path, state=arguments.state)
    protocol = task.protocol(dataset, model=arguments.model, family=found.family)
    wh = getattr(protocol, "input_wh", None)
    size = arguments.size or ((wh[1], wh[0]) if wh else task.dataset(dataset).profile_hw)
    facts = {
        "task": arguments.task,
        "dataset": dataset,
        "model": arguments.model,
        "weights": path.name,
        "input": "images (batch, 3, height, width), float32, normalised",
        "size_hw": list(size),
        **task.input_facts(protocol),
    }
    return network, facts, size


def _compared(made: Exported) -> int:
    """Prints how far the file's outputs are from the network's at two sizes; 1 where rounding does not explain it."""
    from benchmarks.engine.runtimes.files import LIMIT, difference, larger

    status = 0
    for batch, size in ((1, made.size_hw), (3, larger(made.size_hw) if made.any_size else made.size_hw)):
        worst = difference(made, batch, size)
        good = worst <= LIMIT
        status |= not good
        print(
            f"  {'parity':14} {batch} x {size[0]}x{size[1]}: largest difference {worst:.1e} of the largest output"
            + ("" if good else f", expected at most {LIMIT:.0e}: do not use this file")
        )
    return int(status)
