"""From heat maps to points: peaks, sub-cell refinement, and the way back to the picture. NumPy, but for maps on an accelerator.

Layout: maps are (..., joints, height, width) float; points are (x, y) in heat-map cells unless said otherwise.
Source of the rules: docs/protocols.md, sections 3 and 5; DARK: Zhang et al., CVPR 2020 (arXiv 1910.06278).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.accelerator import is_tensor, on_host
from tasks.geometry import affine_matrix, transform_points

if TYPE_CHECKING:
    from torch import Tensor


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


def refine_quarter(heatmaps: ArrayLike, points: ArrayLike, border: int = 1) -> NDArray[np.float32]:
    """Move each point a quarter cell towards the higher neighbour on each axis.

    Done only where border < x < width - 1 and border < y < height - 1: HRNet's code leaves cell 1 alone too (border 1),
    pytorch-pose's does not (0).
    """
    maps = np.asarray(heatmaps)
    refined = np.array(points, dtype=np.float32)
    height, width = maps.shape[-2:]
    x = np.floor(refined[..., 0] + 0.5).astype(np.int64)
    y = np.floor(refined[..., 1] + 0.5).astype(np.int64)
    inside = (x > border) & (x < width - 1) & (y > border) & (y < height - 1)
    flat, rows = maps.reshape(-1, height, width), refined.reshape(-1, 2)
    picks = np.flatnonzero(inside)
    xs, ys = x.reshape(-1)[picks], y.reshape(-1)[picks]
    rows[picks, 0] += 0.25 * np.sign(flat[picks, ys, xs + 1] - flat[picks, ys, xs - 1])
    rows[picks, 1] += 0.25 * np.sign(flat[picks, ys + 1, xs] - flat[picks, ys - 1, xs])
    return refined


def refine_quarter_per_axis(heatmaps: ArrayLike, points: ArrayLike) -> NDArray[np.float32]:
    """As `refine_quarter`, each axis by itself: x moves where 1 < x < width - 1 and 0 < y < height, and y likewise.

    mmpose 1.x's rule; it differs on the first two and the last rows and columns.
    """
    maps = np.asarray(heatmaps)
    refined = np.array(points, dtype=np.float32)
    height, width = maps.shape[-2:]
    flat, rows = maps.reshape(-1, height, width), refined.reshape(-1, 2)
    x, y = np.array(rows[:, 0], dtype=np.int64), np.array(rows[:, 1], dtype=np.int64)
    picks = np.flatnonzero((x > 1) & (x < width - 1) & (y > 0) & (y < height))
    rows[picks, 0] += 0.25 * np.sign(flat[picks, y[picks], x[picks] + 1] - flat[picks, y[picks], x[picks] - 1])
    picks = np.flatnonzero((y > 1) & (y < height - 1) & (x > 0) & (x < width))
    rows[picks, 1] += 0.25 * np.sign(flat[picks, y[picks] + 1, x[picks]] - flat[picks, y[picks] - 1, x[picks]])
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


def refine_rim(heatmaps: NDArray[np.floating], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Refine the peaks that DARK leaves alone: those in the two outermost cells, where chins and brows of small maps lie.

    On each axis the vertex of the parabola through the logarithms of the peak and its two neighbours, which is exact for
    a Gaussian; at most half a cell.
    """
    height, width = heatmaps.shape[-2:]
    cells, _ = argmax_points(heatmaps)
    x, y = cells[..., 0].astype(np.int64), cells[..., 1].astype(np.int64)
    rim = ~((x > 1) & (x < width - 2) & (y > 1) & (y < height - 2))
    refined = np.array(points)
    logs = np.log(np.maximum(heatmaps, 1e-4))
    for b, n in zip(*np.nonzero(rim), strict=True):
        column, row, one = int(x[b, n]), int(y[b, n]), logs[b, n]
        if 0 < column < width - 1:
            refined[b, n, 0] = column + _vertex(one[row, column - 1], one[row, column], one[row, column + 1])
        if 0 < row < height - 1:
            refined[b, n, 1] = row + _vertex(one[row - 1, column], one[row, column], one[row + 1, column])
    return refined


def _vertex(before: float, peak: float, after: float) -> float:
    """Offset of a parabola's vertex from its middle sample, within half a step."""
    curvature = 2 * peak - before - after
    return float(np.clip((after - before) / (2 * curvature), -0.5, 0.5)) if curvature > 0 else 0.0


DECODERS: tuple[str, ...] = ("quarter", "quarter_per_axis", "argmax", "dark")


def decode(
    heatmaps: ArrayLike | Tensor, method: str = "quarter", blur: int = 11
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points (..., 2) in cells and scores (...,) of heat maps (..., H, W), by one of `DECODERS`.

    Maps that are a tensor are decoded on its device where the method does not blur them.

    Raises:
        ValueError: an unknown method.
    """
    if method not in DECODERS:
        raise ValueError(f"Expected a decoder of {list(DECODERS)} but got {method!r}")
    if is_tensor(heatmaps):
        from tasks.heatmaps.peaks import RULES, decode_there

        if method in RULES:
            return decode_there(heatmaps, method)
        heatmaps = on_host(heatmaps)
    points, scores = argmax_points(heatmaps)
    if method == "quarter":
        points = refine_quarter(heatmaps, points)
    elif method == "quarter_per_axis":
        points = refine_quarter_per_axis(heatmaps, points)
        points[scores <= 0] = -1  # what mmpose gives a map without a positive value
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
