"""What happens beside the iterations of a cell: progress, training curves, addressed chance, state to continue from."""

from __future__ import annotations

import benchmarks.engine.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
import io
import math
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from benchmarks.store.files import no_room
from tasks.files.writing import write_bytes


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


class ResumeHook(Hook):
    """Saves the whole state after every epoch as tensors and plain data, and continues from it.

    mmengine's own resume cannot read what it writes where ``torch.load`` admits tensors only. A state that other data or
    code made (another ``key``), or that cannot be read, is discarded, and ``report`` says so.
    """

    priority = "LOWEST"

    def __init__(
        self, path: Path, curves: list[dict[str, float]], key: str, report: Report, every_s: float = 5.0
    ) -> None:
        self.path, self.curves, self.key, self.report, self.every_s = path, curves, key, report, every_s
        self.last = time.monotonic()

    def _state(self) -> dict[str, Any] | None:
        """What an interrupted run of the same key left; None if there is nothing to continue from."""
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            fits = state["key"] == self.key
            reason = "data, weights or code have changed since"
        except FileNotFoundError:
            return None
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError):
            state, fits, reason = None, False, "it cannot be read, or an older version wrote it"
        if fits:
            result: dict[str, Any] | None = state
            return result
        self.report(Progress("train", note=f"starts anew: {self.path} is discarded ({reason})"))
        if is_main_process():
            self.path.unlink(missing_ok=True)
        return None

    def before_train(self, runner: Runner) -> None:
        state = self._state()
        if state is None:
            return
        _network(runner).load_state_dict(state["network"])
        runner.optim_wrapper.load_state_dict(state["optimizer"])
        for scheduler, saved in zip(runner.param_schedulers, state["schedulers"], strict=True):
            scheduler.load_state_dict(saved)
        loop: Any = runner.train_loop
        loop._epoch, loop._iter = state["epoch"], state["iteration"]
        self.curves[:] = state["curves"]
        runner.logger.info("continues after epoch %d", state["epoch"])

    def after_train_epoch(self, runner: Runner) -> None:
        if not is_main_process():
            return
        last = runner.epoch + 1 >= runner.max_epochs
        if not last and time.monotonic() - self.last < self.every_s:
            return
        self.last = time.monotonic()
        state = {
            "key": self.key,
            "network": _network(runner).state_dict(),
            "optimizer": runner.optim_wrapper.state_dict(),
            "schedulers": [_plain(s.state_dict()) for s in runner.param_schedulers],
            "epoch": runner.epoch + 1,
            "iteration": runner.iter,
            "curves": self.curves,
        }
        save_tensors(state, self.path, "the state of the training")


def save_tensors(state: Any, path: Path, what: str) -> None:
    """``torch.save``, whole or not at all.

    Raises:
        OSError: the disk refused; the text names the file and what to do. Nothing is left behind.
    """
    buffer = io.BytesIO()  # a full disk would make torch.save end in an error of its own that hides the disk's
    torch.save(state, buffer)
    try:
        write_bytes(path, buffer.getbuffer())
    except OSError as error:
        raise no_room(error, path, what) from error


def _plain(state: dict[str, Any]) -> dict[str, Any]:
    return {
        k: v for k, v in state.items() if isinstance(v, int | float | str | bool | list | tuple | dict) or v is None
    }


def _network(runner: Runner) -> nn.Module:
    model = runner.model.module if hasattr(runner.model, "module") else runner.model
    result: nn.Module = model.network
    return result


class WatchHook(Hook):
    """Reports progress, keeps the training curves, addresses chance inside the network by (seed, iteration)."""

    priority = "LOW"

    def __init__(self, report: Report, seed: int, curves: list[dict[str, float]]) -> None:
        self.report, self.seed, self.curves = report, seed, curves
        self.sums: dict[str, float] = {}
        self.count = 0
        self.last = 0.0
        self.data_s = self.step_s = 0.0
        self.lr = 0.0
        self.mark = time.perf_counter()

    def before_train_epoch(self, runner: Runner) -> None:
        self.sums, self.count = {}, 0
        self.lr = float(runner.optim_wrapper.get_lr()["lr"][0])
        self.mark = time.perf_counter()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        torch.manual_seed((self.seed * 1_000_003 + runner.iter) % 2**63)
        self.data_s += time.perf_counter() - self.mark
        self.mark = time.perf_counter()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        values = {k: float(v.detach()) if isinstance(v, Tensor) else float(v) for k, v in (outputs or {}).items()}
        if not math.isfinite(values.get("loss", 0.0)):
            raise ValueError(
                f"The loss became {values['loss']} in epoch {runner.epoch + 1}, iteration {batch_idx + 1}. "
                "Lower the learning rate (--set recipe.lr=...) or look for bad annotations."
            )
        for key, value in values.items():
            self.sums[key] = self.sums.get(key, 0.0) + value
        self.count += 1
        self.step_s += time.perf_counter() - self.mark
        self.mark = time.perf_counter()
        if self.mark - self.last > 0.3:
            self.last = self.mark
            per_epoch = len(runner.train_dataloader)
            means = {k: v / self.count for k, v in self.sums.items()}
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

    def after_train_epoch(self, runner: Runner) -> None:
        means = {k: v / max(1, self.count) for k, v in self.sums.items()}
        point = {"epoch": runner.epoch + 1, "lr": self.lr, **means}
        self.curves.append(point)
        for key, value in means.items():
            runner.visualizer.add_scalar(f"train/{key}", value, runner.epoch + 1)

    def before_test_epoch(self, runner: Runner) -> None:
        self.mark = time.perf_counter()

    def before_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        self.data_s += time.perf_counter() - self.mark

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
