"""Heat-map targets of points. NumPy only, shared by pose and landmarks.

Layout: maps are (..., joints, height, width) float; points are (x, y) in heat-map cells unless said otherwise.
Source of the rules: docs/protocols.md, sections 3 and 5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Maps = NDArray[np.float32]


def _rounded(points: NDArray[np.float64]) -> NDArray[np.float64]:
    # Half up, but towards zero below zero: the reference casts, it does not floor.
    return np.trunc(points + 0.5)


def _unrounded(points: NDArray[np.float64]) -> NDArray[np.float64]:
    # The caller says whether the point is a whole cell; the corner of the patch is truncated in any case.
    return points


TARGET_RULES: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "pose": _rounded,
    "hourglass": _unrounded,
}
UNBIASED = "unbiased"
"""DARK's rule: the Gaussian stands at the point itself, between cells, so that nothing is rounded."""
RULES = (*TARGET_RULES, UNBIASED)


def gaussian_kernel(sigma: float) -> Maps:
    """Un-normalised Gaussian (peak 1) on a square of side 6 sigma + 1, float32."""
    side = int(6 * sigma + 1)
    offset = np.arange(side, dtype=np.float32) - side // 2
    squared = offset[None, :] ** 2 + offset[:, None] ** 2
    return np.exp(-squared / np.float32(2 * sigma**2)).astype(np.float32)


def whole_gaussians(points: NDArray[np.float64], size_wh: Sequence[int], sigma: float) -> NDArray[np.float64]:
    """Gaussians (N, height, width) of peak 1 that stand at the points (N, 2) themselves, between cells, over whole maps."""
    columns = np.exp(-((np.arange(size_wh[0]) - points[:, 0, None]) ** 2) / (2 * sigma**2))
    rows = np.exp(-((np.arange(size_wh[1]) - points[:, 1, None]) ** 2) / (2 * sigma**2))
    return np.asarray(rows[:, :, None] * columns[:, None, :])


def gaussian_targets(
    points: ArrayLike, weights: ArrayLike, size_wh: Sequence[int], sigma: float, rule: str = "pose"
) -> tuple[Maps, NDArray[np.float32]]:
    """Draw one Gaussian per point.

    Args:
        points: (N, 2) in heat-map cells (input pixels divided by the stride), not rounded.
        weights: (N,) visibility; a map is drawn where it exceeds 0.5.
        size_wh: width and height of the maps. sigma: in cells.
        rule: how the centre becomes a cell, one of `RULES`; "unbiased" leaves it between cells and fills the whole map.

    Returns:
        maps (N, height, width) float32 in [0, 1] and weights (N,) float32, 0 where the patch lies wholly outside.

    Raises:
        ValueError: an unknown rule, or a visible point that is not finite.
    """
    if rule not in RULES:
        raise ValueError(f"Expected a target rule of {list(RULES)} but got {rule!r}")
    xy = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    weight = np.array(weights, dtype=np.float32).reshape(-1)
    width, height = int(size_wh[0]), int(size_wh[1])
    if not np.isfinite(xy[weight > 0.5]).all():
        raise ValueError(f"Expected finite points but got {xy.tolist()}; correct the annotation")
    maps = np.zeros((len(xy), height, width), dtype=np.float32)
    kernel = gaussian_kernel(sigma)
    finite = np.where(np.isfinite(xy), xy, 0.0)
    centres = TARGET_RULES["pose" if rule == UNBIASED else rule](finite)
    # Both corners are cast, towards zero: where 3 sigma is no whole number, or a point lies near the left or top border, the peak
    # moves by one cell and the patch is cut by one.
    corners = np.trunc(centres - 3 * sigma).astype(np.int64)
    ends = np.trunc(centres + 3 * sigma + 1).astype(np.int64)
    # A patch that ends exactly at the border keeps its weight over an empty map, as in the reference.
    outside = (corners >= (width, height)).any(1) | (ends < 0).any(1)
    weight[outside] = 0
    if rule == UNBIASED:
        drawn = np.flatnonzero(weight > 0.5)
        maps[drawn] = whole_gaussians(finite[drawn], size_wh, sigma)
        return maps, weight
    for index in np.flatnonzero(weight > 0.5):
        left, top = corners[index]
        x0, x1 = max(0, left), min(int(ends[index, 0]), width)
        y0, y1 = max(0, top), min(int(ends[index, 1]), height)
        maps[index, y0:y1, x0:x1] = kernel[y0 - top : y1 - top, x0 - left : x1 - left]
    return maps, weight
