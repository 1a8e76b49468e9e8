"""A recipe: everything about a training run, as one frozen dataclass. the engine turns it into mmengine parts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from tasks.options import later

EXTRAS: Mapping[str, Any] = {
    "poly_lag": int,
    "warmup": Literal["linear", "constant"],
    "bias_lr_factor": float,
    "bias_weight_decay": float,
    "layer_decay": float,
}
"""What ``extra`` may hold for every task: the engine reads it (`benchmarks/engine/optimisation.py`)."""


@dataclass(frozen=True)
class Recipe:
    """Optimiser, schedule, augmentation, length and precision of a training run.

    ``augment`` is the task's own frozen dataclass. ``loss`` names one of the task's losses. ``batch_size`` counts the samples of
    all processes together. ``init_from`` names a checkpoint, or ``cell:ID`` of the same task: its body alone is taken, or with
    ``init_part`` "all" the whole network (a second phase of training on other data). Milestones count in epochs: the rate is
    multiplied by ``gamma`` from the epoch of that index on (the first epoch has index 0). "poly" decays per iteration, one
    iteration late as in the reference: lr * (1 - max(iteration - 1, 0) / total) ** power, or at once where ``extra["poly_lag"]``
    is 0; "cosine" per iteration to ``lr_min``; warm-up is linear, from ``warmup_factor`` at iteration 0 to the full rate at
    ``warmup_iterations``.

    Off where the papers have them off: ``accumulate`` splits each batch into as many parts, whose gradients make one step;
    ``ema_decay`` keeps an exponential moving average of the weights, which is what is evaluated (0: none); ``validate_every``
    measures the headline metric on the evaluated split every so many epochs and keeps the best weights (0: the last ones);
    ``early_stop`` ends a training after so many measurements without gain (0: never); ``checkpoint_activations`` trades a third
    more time for the memory of HRNet's activations.
    """

    name: str
    epochs: int
    batch_size: int
    lr: float
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    weight_decay: float = 0.0
    momentum: float = 0.0
    nesterov: bool = False
    schedule: Literal["constant", "step", "poly", "cosine"] = "step"
    milestones: tuple[int, ...] = ()
    gamma: float = 0.1
    power: float = 0.9
    lr_min: float = 0.0
    warmup_iterations: int = 0
    warmup_factor: float = 1 / 3
    clip_grad_norm: float | None = None
    head_lr_factor: float = 1.0
    precision: Literal["fp32", "tf32", "bf16", "fp16"] = "fp32"
    batch_norm: Literal["train", "frozen", "sync"] = "train"
    init_from: str | None = None
    init_part: Literal["body", "all"] = "body"
    loss: str = "default"
    augment: Any = None
    drop_last: bool = True
    num_workers: int = 0
    input_wh: tuple[int, int] | None = None
    source: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    accumulate: int = later(1)
    ema_decay: float = later(0.0)
    validate_every: int = later(0)
    early_stop: int = later(0)
    checkpoint_activations: bool = later(False)

    def _check_rates(self) -> None:
        """Raises ValueError for what would turn a step round, or end all steps."""
        for name in ("head_lr_factor", "power", "clip_grad_norm"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"Expected recipe.{name} above 0, got {value}.")
        for name in ("gamma", "warmup_factor", "lr_min"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"Expected recipe.{name} of at least 0, got {getattr(self, name)}.")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"Expected recipe.momentum from 0 to below 1, got {self.momentum}.")

    def __post_init__(self) -> None:
        """Raises ValueError for a length, a size or a rate that nothing can be trained with; the field is named."""
        for name in ("epochs", "batch_size", "accumulate"):
            if getattr(self, name) < 1:
                raise ValueError(f"Expected recipe.{name} of at least 1, got {getattr(self, name)}.")
        for name in ("num_workers", "warmup_iterations", "weight_decay", "validate_every", "early_stop"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"Expected recipe.{name} of at least 0, got {getattr(self, name)}.")
        if not 0 < self.lr < math.inf:
            raise ValueError(f"Expected a finite recipe.lr above 0, got {self.lr}.")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"Expected recipe.ema_decay from 0 to below 1, got {self.ema_decay}.")
        self._check_rates()
        if self.early_stop and not self.validate_every:
            raise ValueError("Expected recipe.validate_every of at least 1 with recipe.early_stop, got 0.")
        if self.accumulate > self.batch_size:
            raise ValueError(
                f"Expected recipe.accumulate of at most the batch size {self.batch_size}, got {self.accumulate}."
            )
        if any(late <= early for early, late in pairwise((0, *self.milestones))):
            given = ",".join(map(str, self.milestones))
            raise ValueError(f"Expected recipe.milestones as ascending epochs above 0, got {given}.")


def check_odds(augment: Any, *names: str) -> None:
    """Raises ValueError where one of these fields of an augment dataclass is no probability."""
    for name in names:
        if not 0 <= getattr(augment, name) <= 1:
            raise ValueError(f"Expected recipe.augment.{name} between 0 and 1, got {getattr(augment, name)}.")


def check_spread(scale_factor: float, sigma: float) -> None:
    """Raises ValueError where boxes could shrink to nothing or be turned inside out, or targets have no width.

    Args:
        scale_factor: boxes are scaled by 1 - f to 1 + f. sigma: of the targets, 0 for the references'.
    """
    if not 0 <= scale_factor < 1:
        raise ValueError(f"Expected recipe.augment.scale_factor from 0 to below 1, got {scale_factor}.")
    if not sigma >= 0:
        raise ValueError(f"Expected recipe.augment.sigma of at least 0, got {sigma}.")
