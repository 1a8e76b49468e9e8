"""Training draws and the half-body box, with the reference's odds and order. NumPy only.

Every draw comes from the generator that the caller seeds by (seed, epoch, sample), never from global state.
Source: docs/protocols.md, sections 3 to 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.geometry import PIXEL_STD
from tasks.options import later
from tasks.recipe import check_odds, check_spread


@dataclass(frozen=True)
class PoseAugment:
    """How a training sample is varied, and its targets; a recipe names one.

    Attributes:
        scale_factor, rotation_factor: spread of the scale (1 + f N, clipped to 1 +- f) and of the rotation in degrees
            (f N, clipped to +-2 f). rotation_prob, flip_prob, half_body_prob: odds of each.
        half_body_joints: a person needs more visible joints than this for half-body.
        colour: each channel times U(1 - c, 1 + c), clipped (pytorch-pose: 0.2; 0 elsewhere).
        sigma, target_rule, stride: of the heat maps; see `tasks.heatmaps.targets.gaussian_targets`. The stride is the network's.
            A sigma of 0 takes the references': 3 cells for inputs of 384 px and more, else 2.
        spread: "clipped" (the references': normal draws beyond the bounds are set to them) or "truncated" (mmpose 1.x: normal
            draws within one deviation alone, so scales 1 +- f and rotations within f degrees).
        shift_factor, shift_prob: the box moves by truncated normal draws of this share of its sides, and the odds of it.
        joint_weights: weigh wrists, ankles, elbows and knees more in the loss; off in every published recipe.
    """

    scale_factor: float = 0.0
    rotation_factor: float = 0.0
    rotation_prob: float = 0.6
    flip_prob: float = 0.5
    half_body_prob: float = 0.0
    half_body_joints: int = 8
    colour: float = 0.0
    sigma: float = 0.0
    target_rule: Literal["pose", "hourglass", "unbiased"] = "pose"
    stride: int = 4
    joint_weights: bool = False
    spread: Literal["clipped", "truncated"] = later("clipped")
    shift_factor: float = later(0.0)
    shift_prob: float = later(0.3)

    def __post_init__(self) -> None:
        check_odds(self, "rotation_prob", "flip_prob", "half_body_prob", "shift_prob")
        check_spread(self.scale_factor, self.sigma)
        if self.stride < 1:
            raise ValueError(f"Expected recipe.augment.stride of at least 1, got {self.stride}.")

    def sigma_for(self, input_wh: Sequence[int]) -> float:
        """Standard deviation of the targets in cells, at an input's width and height in px."""
        return self.sigma or (3.0 if max(input_wh) >= 384 else 2.0)


@dataclass(frozen=True)
class Draw:
    """What one sample's generator decided; see `draw`."""

    centre: NDArray[np.float32]
    scale: NDArray[np.float32]
    rotation_deg: float
    flip: bool
    colour: NDArray[np.float32] | None = None


def half_body(
    joints_xy: ArrayLike, visible: ArrayLike, upper: Sequence[int], take_upper: bool, aspect: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Centre and scale of a box around one half of a person, or None where fewer than two joints are left.

    The half asked for is taken if it has more than two visible joints, otherwise the lower if that has, otherwise the
    upper.

    Args:
        joints_xy: (J, 2) px. visible: (J,), counted where > 0. upper: indices of the upper half.
        take_upper: prefer the upper half. aspect: width over height of the input.

    Returns:
        centre (2,) float32 px, the joints' mean; scale (2,) float32, their extent grown to the aspect, times 1.5.
    """
    xy = np.asarray(joints_xy, dtype=np.float32)
    seen = np.asarray(visible).reshape(-1) > 0
    is_upper = np.isin(np.arange(len(xy)), upper)
    upper_xy, lower_xy = xy[seen & is_upper], xy[seen & ~is_upper]
    if take_upper and len(upper_xy) > 2:
        chosen = upper_xy
    else:
        chosen = lower_xy if len(lower_xy) > 2 else upper_xy
    if len(chosen) < 2:
        return None
    width, height = chosen.max(0) - chosen.min(0)
    if width > aspect * height:
        height = width / np.float32(aspect)
    elif width < aspect * height:
        width = height * np.float32(aspect)
    scale = np.array([width / PIXEL_STD, height / PIXEL_STD], dtype=np.float32) * np.float32(1.5)
    return chosen.mean(0), scale


def draw(
    rng: np.random.Generator,
    augmentation: PoseAugment,
    centre: ArrayLike,
    scale: ArrayLike,
    joints_xy: ArrayLike,
    visible: ArrayLike,
    upper: Sequence[int],
    aspect: float,
) -> Draw:
    """Decide half-body, scale, rotation and flip of one sample, in this order.

    The upper half is preferred where a normal draw is below 0.5, so with odds of 0.69: the reference's slip, kept.
    """
    centre32, scale32 = np.array(centre, dtype=np.float32), np.array(scale, dtype=np.float32)
    seen = np.asarray(visible).reshape(-1) > 0
    if seen.sum() > augmentation.half_body_joints and rng.random() < augmentation.half_body_prob:
        half = half_body(joints_xy, seen, upper, bool(rng.standard_normal() < 0.5), aspect)
        if half is not None:
            centre32, scale32 = half
    if augmentation.spread == "truncated":
        return _truncated_draw(rng, augmentation, centre32, scale32)
    spread = augmentation.scale_factor
    scale32 = scale32 * np.float32(np.clip(rng.standard_normal() * spread + 1, 1 - spread, 1 + spread))
    turn = augmentation.rotation_factor
    angle = float(np.clip(rng.standard_normal() * turn, -2 * turn, 2 * turn))
    rotation = angle if rng.random() <= augmentation.rotation_prob else 0.0
    flip = bool(rng.random() <= augmentation.flip_prob) if augmentation.flip_prob > 0 else False
    colour = None
    if augmentation.colour > 0:
        colour = rng.uniform(1 - augmentation.colour, 1 + augmentation.colour, 3).astype(np.float32)
    return Draw(centre32, scale32, rotation, flip, colour)


def _truncated_draw(
    rng: np.random.Generator,
    augmentation: PoseAugment,
    centre: NDArray[np.float32],
    scale: NDArray[np.float32],
) -> Draw:
    """Shift, scale, rotation and flip from normal draws within one deviation, as mmpose 1.x."""

    def draws(count: int) -> NDArray[np.float64]:
        made = rng.standard_normal(count)
        while (outside := np.abs(made) > 1).any():
            made[outside] = rng.standard_normal(int(outside.sum()))
        return made

    if rng.random() < augmentation.shift_prob:
        centre = (centre + augmentation.shift_factor * scale * PIXEL_STD * draws(2)).astype(np.float32)
    scale = scale * np.float32(1 + augmentation.scale_factor * draws(1)[0])
    angle = float(augmentation.rotation_factor * draws(1)[0])
    rotation = angle if rng.random() < augmentation.rotation_prob else 0.0
    return Draw(centre, scale, rotation, bool(rng.random() < augmentation.flip_prob))
