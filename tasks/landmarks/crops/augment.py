"""How a training sample of a face is varied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.recipe import check_odds, check_spread


@dataclass(frozen=True)
class FaceAugment:
    """How a training sample is varied, and its targets; a recipe names one. Defaults are the reference's.

    Attributes:
        scale_factor: the box times U(1 - f, 1 + f). rotation_factor: degrees U(-f, f), with odds `rotation_prob`.
        flip_prob: odds of a mirror.
        sigma: of the targets, in cells; 0 takes the dataset's (1.0 for 300W, 1.5 for the others).
        target_rule: "face" (truncated twice), "pose" (rounded) or "exact" (not rounded); see `tasks.landmarks.targets`.
    """

    scale_factor: float = 0.25
    rotation_factor: float = 30.0
    rotation_prob: float = 0.6
    flip_prob: float = 0.5
    sigma: float = 0.0
    target_rule: Literal["face", "pose", "exact"] = "face"

    def __post_init__(self) -> None:
        check_odds(self, "rotation_prob", "flip_prob")
        check_spread(self.scale_factor, self.sigma)
