"""From heat maps to points: peaks, sub-cell refinement, and the way back to the picture. NumPy, but for maps on an accelerator.

Layout: maps are (..., joints, height, width) float; points are (x, y) in heat-map cells unless said otherwise.
Source of the rules: docs/protocols.md, sections 3 and 5; DARK: Zhang et al., CVPR 2020 (arXiv 1910.06278).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.accelerator import is_tensor
from tasks.geometry import affine_matrix, transform_points

if TYPE_CHECKING:
    from torch import Tensor

DARK_FLOOR, RIM_FLOOR = 1e-10, 1e-4
"""Least value before the logarithm: of smoothed maps (the authors' code), and of maps as they are."""


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
    check_blur(blur)
    maps = np.asarray(heatmaps, dtype=np.float32)
    flat = maps.reshape(-1, *maps.shape[-2:])
    refined = np.array(points, dtype=np.float32)
    rows = refined.reshape(-1, 2)
    inside = np.flatnonzero(~on_rim(rows, maps.shape[-2:]))
    if not len(inside):
        return refined
    smooth = np.stack([cv2.GaussianBlur(flat[i], (blur, blur), 0, borderType=cv2.BORDER_CONSTANT) for i in inside])
    rows[inside] += dark_steps(np.log(np.maximum(neighbourhoods(smooth, rows[inside], 2), DARK_FLOOR)))
    return refined


def check_blur(blur: int) -> None:
    """Raises ValueError for a smoothing kernel that has no middle, or smooths nothing."""
    if blur < 3 or blur % 2 == 0:
        raise ValueError(f"Expected an odd smoothing kernel of at least 3 cells but got {blur}")


def on_rim(cells: NDArray[np.float32], size_hw: Sequence[int]) -> NDArray[np.bool_]:
    """Which cells (..., 2) lie in the two outermost rows and columns, where DARK's second differences do not fit."""
    ends = np.array([size_hw[1], size_hw[0]]) - 2
    return np.asarray(~((cells > 1) & (cells < ends)).all(-1))


def neighbourhoods(maps: NDArray[Any], cells: NDArray[np.float32], reach: int) -> NDArray[Any]:
    """Squares (N, 2 `reach` + 1, 2 `reach` + 1) around one cell (N, 2) of each map (N, H, W); beyond an edge it goes on."""
    height, width = maps.shape[-2:]
    steps = np.arange(-reach, reach + 1)
    x = (cells[:, 0, None].astype(np.int64) + steps).clip(0, width - 1)
    y = (cells[:, 1, None].astype(np.int64) + steps).clip(0, height - 1)
    return maps[np.arange(len(maps))[:, None, None], y[:, :, None], x[:, None]]


def dark_steps(logs: NDArray[np.floating]) -> NDArray[np.float32]:
    """DARK's steps (N, 2) from the logarithms (N, 5, 5) around the highest cells; none where the curvature is singular."""
    at = logs.astype(np.float64).transpose(1, 2, 0)
    dx = 0.5 * (at[2, 3] - at[2, 1])
    dy = 0.5 * (at[3, 2] - at[1, 2])
    dxx = 0.25 * (at[2, 4] - 2 * at[2, 2] + at[2, 0])
    dyy = 0.25 * (at[4, 2] - 2 * at[2, 2] + at[0, 2])
    dxy = 0.25 * (at[3, 3] - at[1, 3] - at[3, 1] + at[1, 1])
    determinant = dxx * dyy - dxy**2
    usable = determinant != 0
    safe = np.where(usable, determinant, 1.0)
    steps = np.stack([-(dyy * dx - dxy * dy) / safe, -(dxx * dy - dxy * dx) / safe], -1)
    return np.where(usable[:, None], steps, 0).astype(np.float32)


def refine_rim(
    around: NDArray[np.floating], cells: NDArray[np.float32], points: NDArray[np.float32], size_hw: Sequence[int]
) -> NDArray[np.float32]:
    """Refine the peaks that DARK leaves alone: those in the two outermost cells, where chins and brows of small maps lie.

    On each axis the vertex of the parabola through the logarithms of the peak and its two neighbours, which is exact for
    a Gaussian; at most half a cell.

    Args:
        around: (..., 3, 3), maps around their highest cells. cells, points: (..., 2), before and after DARK.
    """
    rim = on_rim(cells, size_hw)
    logs = np.log(np.maximum(around, RIM_FLOOR))
    found = np.stack([_vertex(logs[..., 1, :]), _vertex(logs[..., :, 1])], -1)
    between = (cells > 0) & (cells < np.array([size_hw[1], size_hw[0]]) - 1)
    return np.where(rim[..., None] & between, (cells + found.astype(np.float64)).astype(np.float32), points)


def _vertex(logs: NDArray[np.floating]) -> NDArray[np.floating]:
    """Offset of a parabola's vertex from the middle one of its samples (..., 3), within half a step."""
    before, peak, after = np.moveaxis(logs, -1, 0)
    curvature = 2 * peak - before - after
    bends = curvature > 0
    return np.where(bends, ((after - before) / (2 * np.where(bends, curvature, 1))).clip(-0.5, 0.5), 0)


DECODERS: tuple[str, ...] = ("quarter", "quarter_per_axis", "argmax", "dark")


def decode(
    heatmaps: ArrayLike | Tensor, method: str = "quarter", blur: int = 11, rim: bool = False
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points (..., 2) in cells and scores (...,) of heat maps (..., H, W), by one of `DECODERS`.

    Maps that are a tensor are decoded on its device.

    Args:
        rim: whether `refine_rim` follows DARK.

    Raises:
        ValueError: an unknown method.
    """
    if method not in DECODERS:
        raise ValueError(f"Expected a decoder of {list(DECODERS)} but got {method!r}")
    if method == "dark":
        return _decode_dark(heatmaps, blur, rim)
    if is_tensor(heatmaps):
        from tasks.heatmaps.peaks import decode_there

        return decode_there(heatmaps, method)
    points, scores = argmax_points(heatmaps)
    if method == "quarter":
        points = refine_quarter(heatmaps, points)
    elif method == "quarter_per_axis":
        points = refine_quarter_per_axis(heatmaps, points)
        points[scores <= 0] = -1  # what mmpose gives a map without a positive value
    return points, scores


def _decode_dark(heatmaps: ArrayLike | Tensor, blur: int, rim: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    check_blur(blur)
    if is_tensor(heatmaps):
        from tasks.heatmaps.blurred import dark_there

        size_hw: Sequence[int] = heatmaps.shape[-2:]
        cells, scores, smooth, around = dark_there(heatmaps, blur)
        points, inside = cells.copy(), ~on_rim(cells, size_hw)
        points[inside] += dark_steps(np.log(np.maximum(smooth[inside], DARK_FLOOR)))
    else:
        maps = np.asarray(heatmaps)
        size_hw = maps.shape[-2:]
        cells, scores = argmax_points(maps)
        points = refine_dark(maps, cells, blur)
        around = neighbourhoods(maps.reshape(-1, *size_hw), cells.reshape(-1, 2), 1).reshape(*scores.shape, 3, 3)
    return refine_rim(around, cells, points, size_hw) if rim else points, scores


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
