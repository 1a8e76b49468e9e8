"""The state of a training on disk: saved after an epoch, checked, and continued from."""

from __future__ import annotations

import benchmarks.engine.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
import copy
import io
import pickle
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from benchmarks.engine.hooks import Progress, Report
from benchmarks.store.files import no_room
from hrnet.checkpoints.archive import damaged_entry
from tasks.files.writing import write_bytes

UNFIT = (RuntimeError, ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What torch raises at a state of another shape."""


class Carried(Protocol):
    """What a training carries from epoch to epoch beside network, optimiser and schedules."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain data."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises one of `UNFIT` where the state is not of this training."""

    def resumed(self, runner: Runner) -> None:
        """Called when the whole state was taken up."""


class ResumeHook(Hook):
    """Saves the whole state after every epoch as tensors and plain data, and continues from it.

    mmengine's own resume cannot read what it writes where ``torch.load`` admits tensors only. A state that other data or
    code made (another ``key``), that is damaged, or that does not fit this training, is discarded, and ``report`` says so.
    """

    priority = "LOWEST"

    def __init__(
        self,
        path: Path,
        curves: list[dict[str, float]],
        key: str,
        report: Report,
        carried: Mapping[str, Carried] | None = None,
        every_s: float = 5.0,
    ) -> None:
        self.path, self.curves, self.key, self.report, self.every_s = path, curves, key, report, every_s
        self.carried = carried or {}
        self.last = time.monotonic()

    def before_train(self, runner: Runner) -> None:
        if not self.path.exists():
            return
        reason = self._continue(runner)
        if reason:
            self.report(Progress("train", note=f"starts anew: {self.path} is discarded ({reason})"))
            if is_main_process():
                self.path.unlink(missing_ok=True)

    def _continue(self, runner: Runner) -> str:
        """Takes up the state on disk; else says why not, with everything as it was."""
        try:
            if self.path.is_symlink() or damaged_entry(self.path) is not None:
                return "it is damaged"
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            if state["key"] != self.key:
                return "data, weights or code have changed since"
        except (OSError, EOFError, pickle.UnpicklingError, *UNFIT):
            return "it cannot be read, or an older version wrote it"
        before = copy.deepcopy(self._state(runner))
        try:
            _check(state, runner)
            self._load(state, runner)
        except UNFIT as error:
            self._load(before, runner)
            text = str(error).strip() or type(error).__name__
            return f"it does not fit this training: {text.splitlines()[0]}"
        loop: Any = runner.train_loop
        loop._epoch, loop._iter = state["epoch"], state["iteration"]
        self.curves[:] = state["curves"]
        for part in self.carried.values():
            part.resumed(runner)
        runner.logger.info("continues after epoch %d", state["epoch"])
        return ""

    def after_train_epoch(self, runner: Runner) -> None:
        if not is_main_process():
            return
        last = runner.epoch + 1 >= runner.max_epochs
        if not last and time.monotonic() - self.last < self.every_s:
            return
        self.last = time.monotonic()
        state = self._state(runner) | {
            "key": self.key,
            "epoch": runner.epoch + 1,
            "iteration": runner.iter,
            "curves": self.curves,
        }
        save_tensors(state, self.path, "the state of the training")

    def _state(self, runner: Runner) -> dict[str, Any]:
        state: dict[str, Any] = {
            "network": _network(runner).state_dict(),
            "optimizer": runner.optim_wrapper.state_dict(),
            "schedulers": [_plain(s.state_dict()) for s in runner.param_schedulers],
        }
        return state | {name: part.state_dict() for name, part in self.carried.items()}

    def _load(self, state: dict[str, Any], runner: Runner) -> None:
        _network(runner).load_state_dict(state["network"])
        runner.optim_wrapper.load_state_dict(state["optimizer"])
        for scheduler, saved in zip(runner.param_schedulers, state["schedulers"], strict=True):
            scheduler.load_state_dict(saved)
        for name, part in self.carried.items():
            part.load_state_dict(state[name])


def _check(state: dict[str, Any], runner: Runner) -> None:
    """Raises ValueError where a state cannot be of this training."""
    epoch, iteration, curves = state["epoch"], state["iteration"], state["curves"]
    per_epoch = len(runner.train_dataloader)
    if type(epoch) is not int or not 0 < epoch <= runner.max_epochs:
        raise ValueError(f"expected epoch 1 to {runner.max_epochs}, got {epoch!r}")
    if iteration != epoch * per_epoch:
        raise ValueError(f"expected iteration {epoch * per_epoch} after epoch {epoch}, got {iteration!r}")
    if not isinstance(curves, list) or [point["epoch"] for point in curves] != list(range(1, epoch + 1)):
        raise ValueError(f"expected curves of {epoch} epochs, got others")
    own, held = _network(runner).state_dict(), state["network"]
    if list(own) != list(held):
        raise ValueError("its network has other parts")
    for name, value in own.items():
        if value.shape != held[name].shape or value.dtype != held[name].dtype:
            raise ValueError(f"{name} has the shape {tuple(held[name].shape)}, expected {tuple(value.shape)}")
    shapes = [parameter.shape for group in runner.optim_wrapper.param_groups for parameter in group["params"]]
    inner = state["optimizer"]
    for index, moments in inner.get("state", {}).items():
        for value in moments.values():
            if isinstance(value, Tensor) and value.ndim and value.shape != shapes[index]:
                raise ValueError(f"the optimiser's values {index} have the shape {tuple(value.shape)}")
    if len(state["schedulers"]) != len(runner.param_schedulers):
        raise ValueError(f"expected {len(runner.param_schedulers)} schedules, got {len(state['schedulers'])}")


def save_tensors(state: Any, path: Path, what: str) -> None:
    """``torch.save``, whole or not at all; its entries carry checksums, see :mod:`hrnet.checkpoints.archive`.

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
