"""How pictures of classification are varied in training."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.recipe import check_odds


@dataclass(frozen=True)
class CropAugment:
    """A random part of the picture, resized to the input: share of its area, ratio of its sides; and a mirror."""

    area: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip_prob: float = 0.5

    def __post_init__(self) -> None:
        check_odds(self, "flip_prob")
