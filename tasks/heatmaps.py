"""Heat maps of points: targets, decoding, flipping and accuracy. NumPy only (torch-free), shared by pose and landmarks.

Layout: maps are (..., joints, height, width) float; points are (x, y) in heat-map cells unless said otherwise.
Source of the rules: reference/protocols.md, sections 3 and 5; DARK: Zhang et al., CVPR 2020 (arXiv 1910.06278).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.geometry import affine_matrix, swap_order, transform_points

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
        columns = np.exp(-((np.arange(width) - finite[drawn, 0, None]) ** 2) / (2 * sigma**2))
        rows = np.exp(-((np.arange(height) - finite[drawn, 1, None]) ** 2) / (2 * sigma**2))
        maps[drawn] = rows[:, :, None] * columns[:, None, :]
        return maps, weight
    for index in np.flatnonzero(weight > 0.5):
        left, top = corners[index]
        x0, x1 = max(0, left), min(int(ends[index, 0]), width)
        y0, y1 = max(0, top), min(int(ends[index, 1]), height)
        maps[index, y0:y1, x0:x1] = kernel[y0 - top : y1 - top, x0 - left : x1 - left]
    return maps, weight


def argmax_points(heatmaps: ArrayLike) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The highest cell of each map: points (..., 2) float32 as (x, y), scores (...,).

    A map without a positive value gives the point (0, 0).
    """
    maps = np.asarray(heatmaps)
    width = maps.shape[-1]
    flat = maps.reshape(*maps.shape[:-2], -1)
    index = flat.argmax(-1)
    scores = np.take_along_axis(flat, index[..., None], -1)[..., 0]
    points = np.stack([index % width, index // width], -1).astype(np.float32)
    points[scores <= 0] = 0
    return points, scores.astype(np.float32)


def refine_quarter(heatmaps: ArrayLike, points: ArrayLike) -> NDArray[np.float32]:
    """Move each point a quarter cell towards the higher neighbour on each axis.

    Done only where 1 < x < width - 1 and 1 < y < height - 1, as in the reference (cell 1 itself is left alone).
    """
    maps = np.asarray(heatmaps)
    refined = np.array(points, dtype=np.float32)
    height, width = maps.shape[-2:]
    x = np.floor(refined[..., 0] + 0.5).astype(np.int64)
    y = np.floor(refined[..., 1] + 0.5).astype(np.int64)
    inside = (x > 1) & (x < width - 1) & (y > 1) & (y < height - 1)
    flat, rows = maps.reshape(-1, height, width), refined.reshape(-1, 2)
    picks = np.flatnonzero(inside)
    xs, ys = x.reshape(-1)[picks], y.reshape(-1)[picks]
    rows[picks, 0] += 0.25 * np.sign(flat[picks, ys, xs + 1] - flat[picks, ys, xs - 1])
    rows[picks, 1] += 0.25 * np.sign(flat[picks, ys + 1, xs] - flat[picks, ys - 1, xs])
    return refined


def refine_dark(heatmaps: ArrayLike, points: ArrayLike, blur: int = 11) -> NDArray[np.float32]:
    """Distribution-aware refinement: smooth, take logarithms, and step to the maximum of the second-order expansion.

    Args:
        heatmaps: (..., H, W). points: (..., 2), the highest cells.
        blur: odd side of the smoothing kernel in cells; 11 for sigma 2, 17 for sigma 3.

    Points closer than two cells to the border, and those with a singular curvature, stay where they are.
    """
    if blur < 3 or blur % 2 == 0:
        raise ValueError(f"Expected an odd smoothing kernel of at least 3 cells but got {blur}")
    maps = np.asarray(heatmaps, dtype=np.float32)
    height, width = maps.shape[-2:]
    flat = maps.reshape(-1, height, width)
    refined = np.array(points, dtype=np.float32)
    rows = refined.reshape(-1, 2)
    x, y = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    inside = np.flatnonzero((x > 1) & (x < width - 2) & (y > 1) & (y < height - 2))
    if not len(inside):
        return refined
    smooth = np.stack([cv2.GaussianBlur(flat[i], (blur, blur), 0, borderType=cv2.BORDER_CONSTANT) for i in inside])
    logs = np.log(np.maximum(smooth, 1e-10)).astype(np.float64)
    k, xs, ys = np.arange(len(inside)), x[inside], y[inside]
    dx = 0.5 * (logs[k, ys, xs + 1] - logs[k, ys, xs - 1])
    dy = 0.5 * (logs[k, ys + 1, xs] - logs[k, ys - 1, xs])
    dxx = 0.25 * (logs[k, ys, xs + 2] - 2 * logs[k, ys, xs] + logs[k, ys, xs - 2])
    dyy = 0.25 * (logs[k, ys + 2, xs] - 2 * logs[k, ys, xs] + logs[k, ys - 2, xs])
    dxy = 0.25 * (logs[k, ys + 1, xs + 1] - logs[k, ys - 1, xs + 1] - logs[k, ys + 1, xs - 1] + logs[k, ys - 1, xs - 1])
    determinant = dxx * dyy - dxy**2
    usable = determinant != 0
    safe = np.where(usable, determinant, 1.0)
    rows[inside, 0] += np.where(usable, -(dyy * dx - dxy * dy) / safe, 0).astype(np.float32)
    rows[inside, 1] += np.where(usable, -(dxx * dy - dxy * dx) / safe, 0).astype(np.float32)
    return refined


DECODERS: tuple[str, ...] = ("quarter", "argmax", "dark")


def decode(
    heatmaps: ArrayLike, method: str = "quarter", blur: int = 11
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points (..., 2) in cells and scores (...,) of heat maps (..., H, W), by one of `DECODERS`.

    Raises:
        ValueError: an unknown method.
    """
    if method not in DECODERS:
        raise ValueError(f"Expected a decoder of {list(DECODERS)} but got {method!r}")
    points, scores = argmax_points(heatmaps)
    if method == "quarter":
        points = refine_quarter(heatmaps, points)
    elif method == "dark":
        points = refine_dark(heatmaps, points, blur)
    return points, scores


def to_image(points: ArrayLike, centres: ArrayLike, scales: ArrayLike, size_wh: Sequence[int]) -> NDArray[np.float32]:
    """Map points (B, N, 2) of heat maps of `size_wh` back to the pictures they were cropped from.

    centres, scales: (B, 2) as the crop used them. The matrix is built from the *heat-map* size, without a half-cell
    term.
    """
    xy = np.asarray(points)
    result = np.empty(xy.shape, dtype=np.float32)
    for index, (centre, scale) in enumerate(zip(np.asarray(centres), np.asarray(scales), strict=True)):
        result[index] = transform_points(xy[index], affine_matrix(centre, scale, 0.0, size_wh, inverse=True))
    return result


def flip_heatmaps(heatmaps: ArrayLike, pairs: Sequence[Sequence[int]], shift: bool = False) -> Maps:
    """Turn the heat maps (..., J, H, W) of a mirrored picture back: mirror along x and exchange left with right.

    With `shift` the result moves right by one cell, column 0 keeping its value: the strided grid is not symmetric, and
    the shift makes up for it.
    """
    maps = np.asarray(heatmaps)
    back = np.ascontiguousarray(maps[..., swap_order(maps.shape[-3], pairs), :, ::-1])
    if shift:
        back[..., 1:] = back[..., :-1].copy()
    return back


def pck_accuracy(predicted: ArrayLike, target: ArrayLike, threshold: float = 0.5) -> tuple[float, NDArray[np.float64]]:
    """PCK between the peaks of two stacks of maps (B, J, H, W), distances in units of a tenth of the map.

    A joint counts in a picture where both target coordinates exceed 1. The reference divides x by the height and y by
    the width; so do we, since the figure is only ever compared with its own.

    Returns:
        The mean over joints that occur (0 where none does) and the share per joint (J,), NaN where it does not occur.
    """
    maps = np.asarray(predicted)
    height, width = maps.shape[-2:]
    norm = np.array([height, width]) / 10
    predicted_xy, _ = argmax_points(maps)
    target_xy, _ = argmax_points(target)
    counted = (target_xy > 1).all(-1)
    distance = np.linalg.norm(predicted_xy / norm - target_xy / norm, axis=-1)
    hits = ((distance < threshold) & counted).sum(0)
    total = counted.sum(0)
    per_joint = np.where(total > 0, hits / np.maximum(total, 1), np.nan)
    occurs = total > 0
    return (float(per_joint[occurs].mean()) if occurs.any() else 0.0), per_joint
