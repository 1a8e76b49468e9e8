"""pytorch-pose's own crop and decoding: whole-pixel corners, 1-based cells, truncated coordinates. NumPy and OpenCV.

Only for evaluating checkpoints trained that way. Source: docs/protocols.md, section 5. Centres and results are 0-based here;
the reference counts from 1 throughout, which cancels except in the truncations, where it is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.geometry import PIXEL_STD
from tasks.heatmaps.corners import corner_pixel, decode_whole_pixels

if TYPE_CHECKING:
    from torch import Tensor


def crop_by_corners(
    image: NDArray[np.uint8], centre: ArrayLike, scale: float, size_wh: Sequence[int]
) -> NDArray[np.uint8]:
    """Cut the square of side 200 `scale` px around `centre` (0-based px) at whole pixels and resize it to `size_wh`.

    A picture more than twice too large is made smaller first. What lies outside the picture is 0.
    """
    width, height = int(size_wh[0]), int(size_wh[1])
    middle, side = np.asarray(centre, dtype=np.float64) + 1, float(scale) * PIXEL_STD
    factor = side / width
    if factor >= 2:
        small = (int(image.shape[1] / factor), int(image.shape[0] / factor))
        if min(small) < 1:
            return np.zeros((height, width, 3), dtype=np.uint8)
        image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
        middle, side = middle / factor, side / factor
    left, top = corner_pixel((0, 0), middle, side, width)
    right, bottom = corner_pixel((width, height), middle, side, width)
    patch = np.zeros((max(1, bottom - top), max(1, right - left), 3), dtype=np.uint8)
    x0, x1 = max(0, left), min(image.shape[1], right)
    y0, y1 = max(0, top), min(image.shape[0], bottom)
    if x1 > x0 and y1 > y0:
        patch[y0 - top : y1 - top, x0 - left : x1 - left] = image[y0:y1, x0:x1]
    return np.asarray(cv2.resize(patch, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def decode_one_based(
    heatmaps: ArrayLike | Tensor, centres: ArrayLike, scales: ArrayLike
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points (B, J, 2) in 0-based whole pixels and scores (B, J) of maps (B, J, S, S).

    Cells count from 1; a quarter cell towards the higher neighbour unless at the border; half a cell more; then truncated.

    Args:
        centres: (B, 2) 0-based px. scales: (B, 2) in 200-px units, the first counts.
    """
    first = np.asarray(scales, dtype=np.float64).reshape(len(np.asarray(scales)), -1)[:, 0]
    points, scores = decode_whole_pixels(heatmaps, np.asarray(centres, dtype=np.float64) + 1, first)
    return points - 1, scores
