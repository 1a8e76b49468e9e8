"""A detector in front of another task: its boxes of one category."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.coco.categories import plain_name
from tasks.predictor.sources import Shown
from tasks.results.box_source import GivenBoxes

MIN_SCORE = 0.3
"""Boxes below this score are no person or face, unless the caller says otherwise."""


class Chained:
    """A detector's boxes of the category that a task looks into; of a detector of one class, that class.

    Args:
        detector: a `Predictor` of detection. category: its plain name.

    Raises:
        ValueError: the detector tells several classes apart, and none of that name.
    """

    def __init__(self, detector: Any, category: str) -> None:
        self.detector, self.min_score = detector, MIN_SCORE
        known: list[tuple[int, str]] = detector.task.categories(detector.network)
        wanted = [number for number, name in known if plain_name(name) == plain_name(category)]
        if not wanted and len(known) == 1:
            wanted = [known[0][0]]
        if not wanted:
            names = ", ".join(name for _, name in known[:8])
            raise ValueError(
                f"Expected a detector of the category {category!r}, or of one class, got one of {len(known)} classes ({names}, "
                "...); give boxes instead"
            )
        self.category_id = wanted[0]

    def boxes(self, pictures: list[Shown]) -> list[GivenBoxes]:
        """The boxes in every picture, with a word where there is none."""
        made = []
        for result in self.detector.predicted(pictures):
            boxes = _with_area(result.boxes_xyxy_px)
            chosen = (result.category_ids == self.category_id) & (result.scores >= self.min_score) & boxes
            why = "" if chosen.any() else f"the detector found no box above {self.min_score:g}"
            corners = np.asarray(result.boxes_xyxy_px[chosen], np.float64)
            made.append(GivenBoxes(corners, "the detector", why, np.asarray(result.scores[chosen], np.float64)))
        return made


def _with_area(boxes: NDArray[np.floating]) -> NDArray[np.bool_]:
    return np.asarray(((boxes[:, 2:] - boxes[:, :2]) > 0).all(1))
