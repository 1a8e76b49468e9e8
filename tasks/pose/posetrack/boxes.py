"""Boxes of persons: around joints, and the union of a detector's boxes with those carried over from earlier frames. NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def box_around(joints_xy: ArrayLike, margin: float) -> NDArray[np.float64]:
    """Boxes (..., 4) x1, y1, x2, y2 around joints (..., J, 2), longer by `margin` (a share of each side), half at each end."""
    xy = np.asarray(joints_xy, dtype=np.float64)
    low, high = xy.min(-2), xy.max(-2)
    grown = (high - low) * (margin / 2)
    return np.concatenate([low - grown, high + grown], axis=-1)


def box_nms(boxes_xyxy: ArrayLike, scores: ArrayLike, threshold: float) -> NDArray[np.intp]:
    """Rows of the boxes (N, 4) that stay, best score first: a box goes where its IoU with a better one exceeds `threshold`.

    Widths and heights count one pixel more than the difference of their ends, as in mmpose's rule. Of equal scores the
    first comes first.
    """
    boxes = np.asarray(boxes_xyxy, dtype=np.float64).reshape(-1, 4)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2] + 1, axis=1)
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    kept: list[int] = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[order, :2])
        high = np.minimum(boxes[best, 2:], boxes[order, 2:])
        common = np.prod(np.maximum(high - low + 1, 0), axis=1)
        order = order[common / (areas[best] + areas[order] - common) <= threshold]
    return np.array(kept, dtype=np.intp)
