"""What boxes of detectors and annotations look like when they are not x, y, width, height."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

OUTSIDE_PX = 2.0
"""Boxes may leave the picture by this much; COCO's own do, by rounding."""
_FEW = 3


def overhang(boxes: NDArray[np.float64], sizes_wh: NDArray[Any]) -> NDArray[np.float64]:
    """(N,) pixels by which boxes (N, 4) x, y, w, h leave pictures of sizes (N, 2); negative inside."""
    ends = boxes[:, :2] + boxes[:, 2:]
    beyond: NDArray[np.float64] = np.concatenate([-boxes[:, :2], ends - sizes_wh], 1).max(1)
    return beyond


def look_like_corners(boxes: NDArray[np.float64], sizes_wh: NDArray[Any]) -> bool:
    """Whether boxes are x1, y1, x2, y2: all are inside their pictures as corners, and most leave them as x, y, w, h."""
    if len(boxes) < _FEW:
        return False
    corners = (boxes[:, 2:] >= boxes[:, :2]).all(1) & (boxes[:, :2] >= -OUTSIDE_PX).all(1)
    corners &= (boxes[:, 2:] <= sizes_wh + OUTSIDE_PX).all(1)
    return bool(corners.all()) and float((overhang(boxes, sizes_wh) > OUTSIDE_PX).mean()) > 0.5


def refuse_corners(boxes: NDArray[np.float64], sizes_wh: NDArray[Any], what: str) -> None:
    """Raises ValueError where boxes look like corners; `what` begins its text."""
    if look_like_corners(boxes, sizes_wh):
        leaving = int((overhang(boxes, sizes_wh) > OUTSIDE_PX).sum())
        raise ValueError(
            f"{what}: expected bbox as x, y, width, height, got what looks like corners x1, y1, x2, y2 ({leaving} of "
            f"{len(boxes)} boxes leave their pictures, none does as corners; first: {boxes[0].tolist()}); "
            "write x1, y1, x2 - x1, y2 - y1"
        )


def leaving_note(boxes: NDArray[np.float64], sizes_wh: NDArray[Any], what: str, entry: NDArray[np.integer]) -> str:
    """How many boxes leave their pictures, and which most; empty where none does.

    Args:
        what: whose boxes. entry: (N,) their places in the file.
    """
    over = overhang(boxes, sizes_wh)
    count = int((over > OUTSIDE_PX).sum())
    if not count:
        return ""
    worst = int(over.argmax())
    return (
        f"{what}: {count} of {len(boxes)} boxes leave their pictures, entry {int(entry[worst])} by {over[worst]:.4g} px; they "
        "are used as they are"
    )
