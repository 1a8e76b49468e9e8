"""What an accelerator can: evaluation and training of the papers' networks, the network alone and end to end.

    python -m benchmarks.speed.gpu [--device cuda:0] [--only NAME ...] [--workers N] [--seconds S] [--budget S] [--compile]
    python -m benchmarks.speed.gpu --dry     # on a CPU: micro networks, tiny inputs, the accelerator's own steps

It needs no network and no dataset: pictures of COCO's and Cityscapes' sizes are made at the first call. The wheels that this
script loads, run from a checkout: torch 2.8 or newer built for the machine's CUDA, torchvision, numpy, opencv-python (or
-headless), pillow, mmengine (with addict, PyYAML, rich, termcolor, yapf), msgspec, filelock, platformdirs. Cells and verbs need
those of `pip install hrnet-benchmark`: `pip download hrnet-benchmark -d wheels` gathers them where there is a network,
`pip install --no-index --find-links wheels hrnet-benchmark` installs them where there is none. timm is not needed.

Rows of a job are measured in the same run, in turns. The first is the reference graph: the official implementation's
operators in eager PyTorch, float32 and NCHW. End to end is from files to predictions or updated weights, with the engine's own
loaders and steps; its ratio is to the reference graph's network alone, which leaves out all that end to end has. Every line is
printed when it is known; a job that the budget has no time for is named. On an H100 the whole should take six minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.engine.runtimes.execution import executed
from benchmarks.experiment.cell import Cell, make_cell
from benchmarks.experiment.provenance import hardware
from benchmarks.running.cores import available_cores
from benchmarks.speed.end_to_end import make_data, measured
from benchmarks.speed.turns import in_turns, print_rows
from tasks import get_task
from tasks.accelerator import taken_as_far
from tasks.precision import check_precision, float32_products

ROWS = (
    ("reference graph (NCHW, fp32)", "eager", "fp32", torch.contiguous_format),
    ("ours, fp32", "eager", "fp32", torch.channels_last),
    ("ours, tf32", "eager", "tf32", torch.channels_last),
    ("ours, bf16", "eager", "bf16", torch.channels_last),
    ("ours, bf16, CUDA graphs", "graphs", "bf16", torch.channels_last),
    ("ours, bf16, compiled", "compiled", "bf16", torch.channels_last),
)
LEAST_S = 25
"""A job is not begun with less time than this left."""


@dataclass(frozen=True)
class Job:
    """A network of the papers, or the micro one in its place in a dry run.

    Attributes:
        size_hw: input of the network alone. batch: what an H100 takes; at 1 latency is measured, and nothing end to end.
        protocol, recipe: fields that the end-to-end run changes.
    """

    name: str
    task: str
    dataset: str
    model: str
    size_hw: tuple[int, int]
    batch: int
    trains: bool = False
    protocol: tuple[tuple[str, Any], ...] = ()


GT = (("boxes", "gt"),)
JOBS = (
    Job("pose-w32", "pose", "coco", "hrnet_w32", (256, 192), 128, protocol=GT),
    Job("latency-pose-w32", "pose", "coco", "hrnet_w32", (256, 192), 1),
    Job("train-pose-w32", "pose", "coco", "hrnet_w32", (256, 192), 64, trains=True, protocol=GT),
    Job("segmentation-w48", "segmentation", "cityscapes", "hrnet_w48", (512, 1024), 8),
    Job("train-segmentation-w48", "segmentation", "cityscapes", "hrnet_w48", (512, 1024), 6, trains=True),
    Job("pose-w48", "pose", "coco", "hrnet_w48", (384, 288), 64, protocol=(*GT, ("input_wh", (288, 384)))),
    Job("detection-w32", "detection", "coco", "hrnet_w32", (800, 1088), 8),
)
"""In the order of what is wanted most, should the budget end. Of a detector alone: body, pyramid and RPN."""


def main(argv: list[str] | None = None) -> int:
    """Prints every job that was asked for; 1 where one failed, with its reason."""
    arguments = _arguments(argv)
    device = torch.device(arguments.device)
    if device.index is not None:
        torch.cuda.set_device(device)  # the engine's "cuda" is the current one
    end = time.monotonic() + arguments.budget
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else hardware()["cpu"]
    _say(f"{name}; {available_cores()} cores; torch {torch.__version__}; {arguments.workers} loader processes")
    make_data(arguments.data, 8 if arguments.dry else 256, small=arguments.dry)
    failed = 0
    with taken_as_far() if arguments.dry else nullcontext():
        for job in JOBS:
            if arguments.only and job.name not in arguments.only:
                continue
            if time.monotonic() + LEAST_S > end:
                _say(
                    f"\n{job.name}: not begun: the budget of {arguments.budget:.0f} s ends; --only {job.name} measures it alone"
                )
                continue
            _say("")
            try:
                _measure(job, device, arguments)
            except (RuntimeError, ValueError) as error:  # out of memory is one: the other jobs go on
                failed += 1
                _say(f"{job.name}: failed: {str(error).strip().splitlines()[0]}")
            if device.type == "cuda":
                torch.cuda.empty_cache()
    return min(failed, 1)


def _say(text: str) -> None:
    print(text, flush=True)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--only", nargs="*", choices=[job.name for job in JOBS], default=[])
    parser.add_argument("--workers", type=int, default=max(0, min(16, available_cores()) - 1))
    parser.add_argument("--seconds", type=float, default=8.0, help="of each end-to-end measurement")
    parser.add_argument("--budget", type=float, default=480.0, help="seconds after which no further job begins")
    parser.add_argument(
        "--compile", action="store_true", help="rows by torch.compile, which takes minutes for each network"
    )
    parser.add_argument("--data", type=Path, default=Path("data/made_up"), help="where the pictures are kept")
    parser.add_argument(
        "--dry", action="store_true", help="a CPU, micro networks, batch 2, tiny inputs, no time to speak of"
    )
    arguments = parser.parse_args(argv)
    if arguments.dry:
        arguments.device, arguments.workers, arguments.seconds = "cpu", 0, 0.0
        arguments.data = arguments.data / "dry"
    return arguments


def _measure(job: Job, device: torch.device, arguments: argparse.Namespace) -> None:
    started = time.monotonic()
    model = "hrnet_micro_w8" if arguments.dry else job.model
    batch = min(2, job.batch) if arguments.dry else job.batch
    size_hw = (64, 96) if arguments.dry else job.size_hw
    rates = _alone(job, model, batch, size_hw, device, arguments)
    if job.batch > 1:
        precision = "bf16" if _has("bf16", device) else "fp32"
        cell = _cell(job, model, precision, arguments.dry)
        torch.manual_seed(0)
        network = get_task(job.task).build_model(model, job.dataset).to(device).to(memory_format=torch.channels_last)
        root = arguments.data / ("training" if job.trains else "evaluation") / job.dataset
        found = measured(cell, network, root, batch, device, arguments.workers, arguments.seconds, job.trains)
        ratio = found.per_s / rates[ROWS[0][0]]
        busy = "not measured" if found.busy is None else f"{100 * found.busy:.0f} %"
        _say(f"  {f'end to end, {precision}':34} {found.per_s:9.2f} images/s   {ratio:5.2f} x   device busy: {busy}")
        _say(f"  ({found.samples} samples of made-up pictures, decoding included{_in_words(job, cell)})")
    _say(f"  ({time.monotonic() - started:.0f} s)")


def _in_words(job: Job, cell: Cell) -> str:
    return ", flip test included: two passes" if not job.trains and getattr(cell.protocol, "flip", False) else ""


def _cell(job: Job, model: str, precision: str, dry: bool) -> Cell:
    changes = dict(job.protocol)
    recipe: dict[str, Any] = {}
    if dry and job.task == "pose":
        changes["input_wh"] = (64, 96)
    if dry and job.task == "detection":
        changes |= {"short_px": 64, "long_px": 96}
    if dry and job.task == "segmentation":
        recipe["augment.crop_hw"] = (64, 96)
    return make_cell(job.task, job.dataset, model, protocol=changes, recipe=recipe, precision=precision)


def _has(precision: str, device: torch.device) -> bool:
    try:
        check_precision(precision, device)
    except ValueError:
        return False
    return True


def _alone(
    job: Job, model: str, batch: int, size_hw: tuple[int, int], device: torch.device, arguments: argparse.Namespace
) -> dict[str, float]:
    """Prints the rows of a job; returns images per second by the rows' names."""
    ways: dict[str, Callable[[], object]] = {}
    skipped: list[str] = []
    with ExitStack() as stack:
        for name, runtime, precision, layout in ROWS:
            if (runtime == "compiled" and not arguments.compile) or (runtime == "graphs" and batch > 1):
                continue
            torch.manual_seed(0)  # the same weights in every row
            network = get_task(job.task).build_model(model, job.dataset)
            network.train(job.trains).to(device).to(memory_format=layout)
            try:
                stack.enter_context(executed(network, runtime, precision, device))
            except ValueError as error:
                skipped.append(f"{name}: {error}")
                continue
            images = torch.randn(batch, 3, *size_hw, device=device).contiguous(memory_format=layout)
            call = _step(network, images) if job.trains else _forward(network, images)
            ways[name] = _exact(call, precision, device)
        rows = in_turns(ways, rounds=1 if arguments.dry else 50 if batch == 1 else 7, warm=1 if arguments.dry else 3)
    what = "training step" if job.trains else "evaluation"
    print_rows(f"{job.name}: {model}, {size_hw[0]}x{size_hw[1]}, {what}, batch {batch}", rows, batch, "images")
    for line in skipped:
        _say(f"  skipped: {line}")
    return {row.name: batch / row.median_s for row in rows}


def _exact(call: Callable[[], object], precision: str, device: torch.device) -> Callable[[], object]:
    """The call under the flags of its own row: rows are taken in turns, and the flags are the process's."""

    def run() -> None:
        with float32_products(precision == "tf32", device):
            call()
            if device.type == "cuda":
                torch.cuda.synchronize(device)

    return run


def _forward(network: nn.Module, images: torch.Tensor) -> Callable[[], object]:
    forward = getattr(network, "profile_forward", network)

    def call() -> Any:
        with torch.inference_mode():
            return forward(images)

    return call


def _step(network: nn.Module, images: torch.Tensor) -> Callable[[], object]:
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6)

    def call() -> None:
        optimizer.zero_grad()
        found = network(images)
        parts = found if isinstance(found, list | tuple) else [found]
        torch.stack([part.float().square().mean() for part in parts]).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return call


if __name__ == "__main__":
    sys.exit(main())
