"""From files to predictions or updated weights on a device: the rate, and the share of the time in which the device worked."""

from __future__ import annotations

import itertools
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from benchmarks.engine.accelerator import loading
from benchmarks.engine.model import HarnessModel
from benchmarks.engine.optimisation import optimizer_of, wrapper_of
from benchmarks.engine.runtimes.execution import executed
from benchmarks.engine.steps.ahead import stepped
from benchmarks.engine.steps.moving import values_for
from benchmarks.experiment.cell import Cell
from benchmarks.speed import made_up_data
from tasks import get_task
from tasks.accelerator import is_far

PICTURE_WH = ((640, 480),)
"""Of COCO's made-up pictures; one size, so that batches are of one size."""


@dataclass(frozen=True)
class Rate:
    """Samples a second, how many were taken, and the share of the time (0 to 1) in which a kernel ran; None where nobody says."""

    per_s: float
    samples: int
    busy: float | None


def make_data(root: Path, images: int, small: bool = False) -> None:
    """Folders ``evaluation`` and ``training`` with pictures of COCO's and Cityscapes' sizes, decoded like real ones, and
    annotations drawn at random. Streets to evaluate are of half the size, the 512x1024 that the papers count operations at.

    Args:
        small: streets of 128x64, for a dry run.
    """
    to_judge, to_learn = root / "evaluation", root / "training"
    made_up_data.coco_keypoints(to_judge, "val2017", images, 4 * images, sizes_wh=PICTURE_WH)
    made_up_data.coco_instances(to_judge, "val2017", images, 8 * images, sizes_wh=PICTURE_WH)
    made_up_data.cityscapes(to_judge, "val", images, (128, 64) if small else (1024, 512))
    made_up_data.coco_keypoints(to_learn, "train2017", images, 4 * images, sizes_wh=PICTURE_WH)
    made_up_data.cityscapes(to_learn, "train", images, (128, 64) if small else (2048, 1024))


class _Repeated(Dataset[Any]):
    """The samples of a small dataset again and again."""

    def __init__(self, data: Any, trains: bool) -> None:
        self.data, self.trains = data, trains

    def __len__(self) -> int:
        return 10**6

    def __getitem__(self, index: int) -> Any:
        epoch, place = divmod(index, len(self.data))
        return self.data[(epoch, place)] if self.trains else self.data[place]


def measured(
    cell: Cell, network: Any, root: Path, batch: int, device: torch.device, workers: int, seconds: float, trains: bool
) -> Rate:
    """Runs the engine's own steps for some seconds after the third batch."""
    task = get_task(cell.task)
    info = task.dataset(cell.dataset)
    if trains:
        assert cell.recipe is not None
        data: Any = task.train_data(cell.dataset, root, info.train_split, cell.recipe, cell.protocol, 0)
    else:
        data = task.eval_data(cell.dataset, root, cell.split, cell.protocol)
    task.meet(network, data)
    recipe = cell.recipe if trains else None
    model = HarnessModel(network, task, recipe, cell.protocol, values_for(data, device)).to(device)
    model.train(trains)
    loader: DataLoader[Any] = DataLoader(
        _Repeated(data, trains), batch_size=batch, collate_fn=data.collate, **loading(workers, device)
    )
    steps: Iterator[Any]
    if recipe is not None:
        wrapper = wrapper_of(optimizer_of(network, recipe), recipe)
        steps = (model.train_step(samples, wrapper) for samples in _until(loader, seconds))
    elif is_far(device):
        steps = (found for _, found in stepped(model.test_step, _until(loader, seconds)))
    else:
        steps = (model.test_step(samples) for samples in _until(loader, seconds))
    taken, start = 0, time.perf_counter()
    with executed(network, "eager", cell.precision, device), Watch(device) as watch:
        for turn, _ in enumerate(steps):
            if turn == 2:  # loaders have started, algorithms are chosen
                _wait(device)
                watch.begin()
                start, taken = time.perf_counter(), 0
            elif turn > 2:
                taken += batch
        _wait(device)
        elapsed = time.perf_counter() - start
    return Rate(taken / max(elapsed, 1e-9), taken, watch.share)


def _until(loader: DataLoader[Any], seconds: float) -> Iterator[Any]:
    """Batches until some seconds after the third; at least six."""
    end = float("inf")
    for turn, samples in zip(itertools.count(), loader, strict=False):
        if turn == 3:
            end = time.perf_counter() + seconds
        if turn >= 6 and time.perf_counter() > end:
            return
        yield samples


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Watch:
    """What the driver says of a CUDA device five times a second: the per cent of time in which a kernel ran (nvidia-smi).

    Attributes:
        share: from 0 to 1, of the time since :meth:`begin`; None on a CPU, without nvidia-smi, or where it says nothing.
    """

    share: float | None = None

    def __init__(self, device: torch.device, name_of: Callable[[torch.device], str] | None = None) -> None:
        self.device, self.name_of = device, name_of or _driver_name
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Watch:
        return self

    def begin(self) -> None:
        program = shutil.which("nvidia-smi")
        if self.device.type != "cuda" or program is None:
            return
        query = ["--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--loop-ms=200"]
        self.process = subprocess.Popen(
            [program, "-i", self.name_of(self.device), *query],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __exit__(self, *of: object) -> None:
        if self.process is None:
            return
        self.process.terminate()
        said = self.process.communicate(timeout=30)[0]
        # The first ones speak of the time before.
        shares = [int(line) / 100 for line in said.splitlines() if line.strip().isdigit()][3:]
        self.share = statistics.fmean(shares) if shares else None


def _driver_name(device: torch.device) -> str:
    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"
