"""Validation while training: the best weights are kept, and a training that no longer gains ends early."""

from __future__ import annotations

import benchmarks.engine.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mmengine.dist import broadcast_object_list
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from benchmarks.engine import distributed as processes
from tasks.direction import Direction


@dataclass(frozen=True)
class Validation:
    """How a network is judged while it is trained.

    Attributes:
        measure: the metric's value of a network in its present state; NaN counts as the worst. Called on every process.
        metric: its name, for the curves.
        split: what it is measured on, for the note.
    """

    measure: Callable[[nn.Module], float]
    metric: str
    direction: Direction
    split: str


class ValidationHook(Hook):
    """Measures after every ``every`` epochs and after the last; ends the training after ``patience`` measurements without gain.

    ``network`` is what is measured: the one that is trained, or its average.
    """

    priority = "VERY_LOW"  # after the curves have the epoch, before the state is saved

    def __init__(
        self, validation: Validation, network: nn.Module, every: int, patience: int, curves: list[dict[str, float]]
    ) -> None:
        self.validation, self.network, self.every, self.patience, self.curves = (
            validation,
            network,
            every,
            patience,
            curves,
        )
        self.best: float | None = None
        self.best_epoch = self.without_gain = self.count = 0
        self.weights: dict[str, Tensor] = {}

    def after_train_epoch(self, runner: Runner) -> None:
        epoch = runner.epoch + 1
        if epoch % self.every and epoch < runner.max_epochs:
            return
        processes.agree(self.network)
        training = self.network.training
        value = [self.validation.measure(self.network)]
        self.network.train(training)
        runner.model.train()
        broadcast_object_list(value)  # of several processes the first alone has the predictions
        self.count += 1
        self.curves[-1][f"validation {self.validation.metric}"] = value[0]
        if self._gains(value[0]):
            self.best, self.best_epoch, self.without_gain = value[0], epoch, 0
            self.weights = {name: part.detach().cpu().clone() for name, part in self.network.state_dict().items()}
        else:
            self.without_gain += 1
        self._end_if_done(runner)

    def _gains(self, value: float) -> bool:
        if not self.weights:
            return True
        if math.isnan(value) or self.best is None or math.isnan(self.best):
            return not math.isnan(value)
        return value > self.best if self.validation.direction.higher_is_better else value < self.best

    def resumed(self, runner: Runner) -> None:
        """After a state was taken up: the training may have been at its end."""
        self._end_if_done(runner)

    def _end_if_done(self, runner: Runner) -> None:
        if self.patience and self.without_gain >= self.patience:
            loop: Any = runner.train_loop
            loop.stop_training = True

    def take_best(self) -> str:
        """Loads the best weights; returns a note on how they were chosen."""
        self.network.load_state_dict(self.weights)
        return (
            f"weights of epoch {self.best_epoch}, the best {self.validation.metric} of {self.count} measured on "
            f"{self.validation.split} while training: a choice that favours the figures of that split"
        )

    def state_dict(self) -> dict[str, Any]:
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "without_gain": self.without_gain,
            "count": self.count,
            "weights": self.weights,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        own = self.network.state_dict()
        held = state["weights"]
        if held and {name: value.shape for name, value in held.items()} != {n: v.shape for n, v in own.items()}:
            raise ValueError("the best weights have other shapes")
        self.best, self.best_epoch = state["best"], int(state["best_epoch"])
        self.without_gain, self.count = int(state["without_gain"]), int(state["count"])
        self.weights = held
