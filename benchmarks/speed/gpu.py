"""What an accelerator can: evaluation and training of the papers' networks, the network alone and end to end.

    python -m benchmarks.speed.gpu [--device cuda:0] [--only NAME ...] [--workers N] [--seconds S]
    python -m benchmarks.speed.gpu --device cpu --dry     # micro networks and few pictures: shows that it runs

It needs no network and no dataset: pictures are the embedded ones, rendered on the machine at the first call. The wheels that
the machine must have are those of `pip install hrnet-benchmark` (torch 2.8 or newer built for its CUDA, torchvision, mmengine,
numpy, opencv-python, pillow, scipy, h5py, pycocotools, pandas, matplotlib, rich, jinja2, filelock, msgspec, platformdirs and
what they need in turn); timm is not needed. `pip download hrnet-benchmark -d wheels` gathers them where there is a network,
`pip install --no-index --find-links wheels hrnet-benchmark` installs them where there is none.

Every row of a job is measured in the same run, in turns. The first is the reference graph: the official implementation's
operators in eager PyTorch, float32 and NCHW.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.engine.accelerator import loading
from benchmarks.engine.model import HarnessModel
from benchmarks.engine.optimisation import optimizer_of, wrapper_of
from benchmarks.engine.runtimes.execution import executed
from benchmarks.experiment.cell import Cell, make_cell, with_precision
from benchmarks.experiment.provenance import hardware
from benchmarks.running.cores import available_cores
from benchmarks.speed.turns import in_turns, print_rows
from benchmarks.synthetic.cache import ensure
from tasks import get_task
from tasks.base import Task
from tasks.precision import float32_products

ROWS = (
    ("reference graph (NCHW, fp32)", "eager", "fp32", torch.contiguous_format),
    ("ours, fp32", "eager", "fp32", torch.channels_last),
    ("ours, tf32", "eager", "tf32", torch.channels_last),
    ("ours, bf16", "eager", "bf16", torch.channels_last),
    ("ours, bf16, compiled", "compiled", "bf16", torch.channels_last),
)


@dataclass(frozen=True)
class Job:
    """A network of the papers, or the micro one in its place; `size_hw` is the input, `batch` what an H100 takes."""

    name: str
    task: str
    dataset: str
    model: str
    micro: str
    size_hw: tuple[int, int]
    batch: int
    trains: bool = False


JOBS = (
    Job("pose-w32", "pose", "coco", "hrnet_w32", "hrnet_micro_w8", (256, 192), 128),
    Job("pose-w48", "pose", "coco", "hrnet_w48", "hrnet_micro_w8", (384, 288), 64),
    Job("segmentation-w48", "segmentation", "cityscapes", "hrnet_w48", "hrnet_micro_w8", (512, 1024), 8),
    Job("detection-w32", "detection", "coco", "hrnet_w32", "hrnet_micro_w8", (800, 1344), 8),
    Job("train-pose-w32", "pose", "coco", "hrnet_w32", "hrnet_micro_w8", (256, 192), 64, trains=True),
    Job(
        "train-segmentation-w48",
        "segmentation",
        "cityscapes",
        "hrnet_w48",
        "hrnet_micro_w8",
        (512, 1024),
        6,
        trains=True,
    ),
)


def main() -> int:
    """Prints every job that was asked for; 1 where one failed, with its reason."""
    arguments = _arguments()
    device = torch.device(arguments.device)
    facts = hardware()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else facts["cpu"]
    print(f"{name}; {facts['cores']} cores; torch {torch.__version__}; {arguments.workers} loader processes")
    failed = 0
    for job in JOBS:
        if arguments.only and job.name not in arguments.only:
            continue
        print()
        try:
            _measure(job, device, arguments)
        except (RuntimeError, ValueError) as error:  # out of memory is one: the other jobs go on
            failed += 1
            print(f"{job.name}: failed: {str(error).strip().splitlines()[0]}")
    return min(failed, 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--only", nargs="*", choices=[job.name for job in JOBS], default=[])
    parser.add_argument("--workers", type=int, default=max(0, min(16, available_cores()) - 1))
    parser.add_argument("--seconds", type=float, default=10.0, help="of each end-to-end measurement")
    parser.add_argument("--data", type=Path, default=Path("data/embedded"), help="where the embedded pictures are kept")
    parser.add_argument("--dry", action="store_true", help="micro networks, batch 2, a second each, no compilation")
    return parser.parse_args()


def _measure(job: Job, device: torch.device, arguments: argparse.Namespace) -> None:
    model, batch = (job.micro, 2) if arguments.dry else (job.model, job.batch)
    size_hw = (64, 96) if arguments.dry else job.size_hw
    alone = _alone(job, model, batch, size_hw, device, dry=arguments.dry)
    cell = make_cell(job.task, job.dataset, model, tier="embedded" if arguments.dry else "full", embedded=True)
    tier = "smoke" if arguments.dry else "embedded"
    assert cell.data is not None
    root = ensure(cell.data, arguments.data / tier, tier)
    precision = "bf16" if _has("bf16", device) else "fp32"
    seconds = 1.0 if arguments.dry else arguments.seconds
    rate, samples = _end_to_end(
        job, with_precision(cell, precision), root, batch, device, 0 if arguments.dry else arguments.workers, seconds
    )
    print(
        f"  end to end, {precision:22} {rate:9.2f} images/s   {samples} samples of the embedded pictures, decoding included"
    )
    if precision in alone:
        busy = rate / alone[precision]
        print(f"  the network alone would fill {100 * min(busy, 1):.0f} % of that time at its own input size")


def _has(precision: str, device: torch.device) -> bool:
    from tasks.precision import check_precision

    try:
        check_precision(precision, device)
    except ValueError:
        return False
    return True


def _network(job: Job, model: str) -> tuple[Task, nn.Module]:
    torch.manual_seed(0)
    task = get_task(job.task)
    return task, task.build_model(model, job.dataset)


def _alone(
    job: Job, model: str, batch: int, size_hw: tuple[int, int], device: torch.device, dry: bool
) -> dict[str, float]:
    """Prints the rows of a job; returns images per second of our eager rows by precision."""
    ways: dict[str, Callable[[], object]] = {}
    names: dict[str, str] = {}
    skipped: list[str] = []
    with ExitStack() as stack:
        for name, runtime, precision, layout in ROWS:
            if dry and runtime == "compiled":
                continue
            _, network = _network(job, model)
            network.train(job.trains).to(device).to(memory_format=layout)
            try:
                stack.enter_context(executed(network, runtime, precision, device))
            except ValueError as error:
                skipped.append(f"{name}: {error}")
                continue
            images = torch.randn(batch, 3, *size_hw, device=device).contiguous(memory_format=layout)
            call = _step(network, images) if job.trains else _forward(network, images)
            ways[name] = _exact(call, precision, device)
            if runtime == "eager" and layout is torch.channels_last:
                names[precision] = name
        rows = in_turns(ways, rounds=2 if dry else 7, warm=1 if dry else 3)
    what = "training step" if job.trains else "evaluation"
    print_rows(f"{job.name}: {model}, {size_hw[0]}x{size_hw[1]}, {what}, batch {batch}", rows, batch, "images")
    for line in skipped:
        print(f"  skipped: {line}")
    by_name = {row.name: batch / row.median_s for row in rows}
    return {precision: by_name[name] for precision, name in names.items()}


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


class _Repeated(Dataset[Any]):
    """The samples of a small dataset again and again."""

    def __init__(self, data: Any, trains: bool) -> None:
        self.data, self.trains = data, trains

    def __len__(self) -> int:
        return 10**6

    def __getitem__(self, index: int) -> Any:
        epoch, place = divmod(index, len(self.data))
        return self.data[(epoch, place)] if self.trains else self.data[place]


def _end_to_end(
    job: Job, cell: Cell, root: Path, batch: int, device: torch.device, workers: int, seconds: float
) -> tuple[float, int]:
    """Samples per second from files to decoded predictions, or to updated weights; and how many were taken."""
    task, network = _network(job, cell.model)
    network.to(device).to(memory_format=torch.channels_last)
    info = task.dataset(cell.dataset)
    if job.trains:
        assert cell.recipe is not None
        data: Any = task.train_data(cell.dataset, root, info.train_split, cell.recipe, cell.protocol, 0)
    else:
        data = task.eval_data(cell.dataset, root, cell.split, cell.protocol)
    task.meet(network, data)
    model = HarnessModel(network, task, cell.recipe if job.trains else None, cell.protocol).to(device)
    loader: DataLoader[Any] = DataLoader(
        _Repeated(data, job.trains), batch_size=batch, collate_fn=data.collate, **loading(workers, device)
    )
    wrapper = wrapper_of(optimizer_of(network, cell.recipe), cell.recipe) if job.trains and cell.recipe else None
    model.train(job.trains)
    with executed(network, "eager", cell.precision, device):
        taken, start = 0, 0.0
        for turn, samples in enumerate(_until(loader, seconds)):
            if wrapper is not None:
                model.train_step(samples, wrapper)
            else:
                model.test_step(samples)
            if turn == 1:  # loaders have started, algorithms are chosen
                _wait(device)
                start, taken = time.perf_counter(), 0
            elif turn > 1:
                taken += batch
        _wait(device)
    return taken / max(time.perf_counter() - start, 1e-9), taken


def _until(loader: DataLoader[Any], seconds: float) -> Iterator[Any]:
    """Batches until some seconds after the third; at least five."""
    end = float("inf")
    for turn, samples in zip(itertools.count(), loader):
        if turn == 2:
            end = time.perf_counter() + seconds
        if turn >= 5 and time.perf_counter() > end:
            return
        yield samples


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    sys.exit(main())
