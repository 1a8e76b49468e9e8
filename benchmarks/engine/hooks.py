"""Training hooks: progress, curves, and seeding by iteration."""

from __future__ import annotations

import benchmarks.engine.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from benchmarks.engine.accelerator import READ_EVERY


@dataclass
class Progress:
    """What a cell is doing, for whoever watches. ``done`` of ``total`` iterations of a phase."""

    phase: str
    done: int = 0
    total: int = 0
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    note: str = ""
    """Something that the watcher should read, once."""


Report = Callable[[Progress], None]


class WatchHook(Hook):
    """Reports progress, keeps the training curves, addresses chance inside the network by (seed, iteration)."""

    priority = "LOW"

    def __init__(self, report: Report, seed: int, curves: list[dict[str, float]]) -> None:
        self.report, self.seed, self.curves = report, seed, curves
        self.sums: dict[str, float] = {}
        self.far: dict[str, Tensor] = {}
        self.count = 0
        self.last = 0.0
        self.data_s = self.step_s = 0.0
        self.lr = 0.0
        self.mark = time.perf_counter()

    def before_train_epoch(self, runner: Runner) -> None:
        self.sums, self.far, self.count = {}, {}, 0
        self.lr = float(runner.optim_wrapper.get_lr()["lr"][0])
        self.mark = time.perf_counter()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        torch.manual_seed((self.seed * 1_000_003 + runner.iter) % 2**63)
        self.data_s += time.perf_counter() - self.mark
        self.mark = time.perf_counter()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self._add(outputs or {})
        self.count += 1
        if self.far and (self.count % READ_EVERY == 0 or batch_idx + 1 == len(runner.train_dataloader)):
            self.sums |= {key: float(value) for key, value in self.far.items()}
        if not math.isfinite(self.sums.get("loss", 0.0)):
            when = f"by iteration {batch_idx + 1}" if self.far else f"iteration {batch_idx + 1}"
            raise ValueError(
                f"The loss became {self.sums['loss']} in epoch {runner.epoch + 1}, {when}. "
                "Lower the learning rate (--set recipe.lr=...) or look for bad annotations."
            )
        self.step_s += time.perf_counter() - self.mark
        self.mark = time.perf_counter()
        if self.mark - self.last > 0.3:
            self.last = self.mark
            per_epoch = len(runner.train_dataloader)
            read = self.count if not self.far else max(1, self.count - self.count % READ_EVERY)
            means = {k: v / read for k, v in self.sums.items()}
            self.report(
                Progress(
                    "train",
                    runner.epoch * per_epoch + batch_idx + 1,
                    runner.max_epochs * per_epoch,
                    runner.epoch + 1,
                    runner.max_epochs,
                    means.pop("loss", None),
                    means,
                )
            )

    def _add(self, outputs: dict[str, Any]) -> None:
        """Adds a step's losses, in float64 and where they are: a sum on an accelerator is read now and then."""
        for key, value in outputs.items():
            value = value.detach() if isinstance(value, Tensor) else value
            if isinstance(value, Tensor) and value.device.type != "cpu":
                self.far[key] = self.far[key] + value.double() if key in self.far else value.double()
            else:
                self.sums[key] = self.sums.get(key, 0.0) + float(value)

    def after_train_epoch(self, runner: Runner) -> None:
        means = {k: v / max(1, self.count) for k, v in self.sums.items()}
        point = {"epoch": runner.epoch + 1, "lr": self.lr, **means}
        self.curves.append(point)
        runner.visualizer.add_scalars({f"train/{key}": value for key, value in means.items()}, runner.epoch + 1)

    def before_test_epoch(self, runner: Runner) -> None:
        self.mark = time.perf_counter()

    def before_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        self.data_s += time.perf_counter() - self.mark
        self.mark = time.perf_counter()

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self.mark = time.perf_counter()
        if self.mark - self.last > 0.3:
            self.last = self.mark
            self.report(Progress("evaluate", batch_idx + 1, len(runner.test_dataloader)))


class Interrupted(Exception):
    """A training was ended early."""


class StopHook(Hook):
    """Ends a training before ``epoch``, as an interruption would; for tests."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def before_train_epoch(self, runner: Runner) -> None:
        if runner.epoch >= self.epoch:
            raise Interrupted
