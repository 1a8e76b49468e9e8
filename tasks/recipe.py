"""A recipe: everything about a training run, as one frozen dataclass. Torch-free; the engine turns it into mmengine parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Recipe:
    """Optimiser, schedule, augmentation, length and precision of a training run.

    ``augment`` is the task's own frozen dataclass. ``loss`` names one of the task's losses. Milestones count in epochs:
    the rate is multiplied by ``gamma`` from the epoch of that index on (the first epoch has index 0). "poly" decays per
    iteration: lr * (1 - iteration / total) ** power; "cosine" per iteration to ``lr_min``; warm-up is linear, from
    ``warmup_factor`` over ``warmup_iterations``.
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
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    batch_norm: Literal["train", "frozen", "sync"] = "train"
    init_from: str | None = None
    loss: str = "default"
    augment: Any = None
    drop_last: bool = True
    num_workers: int = 0
    input_wh: tuple[int, int] | None = None
    source: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
