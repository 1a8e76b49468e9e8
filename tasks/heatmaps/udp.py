"""Unbiased data processing (arXiv 1911.07524): sizes are distances between pixel centres, so "size - 1". NumPy, but for tensors.

Step by step as mmpose 1.x does it, which the published tables of its zoo are measured with (docs/protocols.md). "Combined" coding
predicts three maps a point: a disc around it, and the offsets in x and y to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.accelerator import is_tensor
from tasks.heatmaps.decoding import argmax_points, check_blur, neighbourhoods
from tasks.heatmaps.targets import Maps, whole_gaussians

if TYPE_CHECKING:
    from torch import Tensor

RADIUS = 0.0546875
"""Radius of the combined coding's disc as a share of the longer side of the maps: 3.5 cells of 64."""
FLOOR, CEILING = 1e-3, 50.0
"""Bounds of maps before the logarithm; a map above the ceiling is flat and is not refined."""


def udp_stride(input_wh: Sequence[int], map_wh: Sequence[int]) -> NDArray[np.float32]:
    """Input pixels per heat-map cell, (2,): (input - 1) / (map - 1), 4.0638 for 192 over 48."""
    return ((np.asarray(input_wh) - 1) / (np.asarray(map_wh) - 1)).astype(np.float32)


def udp_targets(
    points: ArrayLike, visible: ArrayLike, input_wh: Sequence[int], map_wh: Sequence[int], sigma: float
) -> tuple[Maps, NDArray[np.float32]]:
    """One Gaussian per point, centred at the point itself, on a patch of 6 sigma + 1 cells around the nearest cell.

    Args:
        points: (N, 2) input pixels. visible: (N,); a map is drawn from 0.5 on. sigma: in cells.

    Returns:
        maps (N, height, width) float32 and weights (N,) float32: `visible`, 0 where the whole patch lies outside.

    Raises:
        ValueError: a visible point that is not finite.
    """
    weight = np.array(visible, dtype=np.float32).reshape(-1)
    exact = _cells(points, weight, input_wh, map_wh)
    cells = np.trunc(exact + 0.5)
    reach = np.trunc(3 * sigma)
    width, height = int(map_wh[0]), int(map_wh[1])
    outside = (cells - reach >= (width, height)).any(1) | (cells + reach + 1 < 0).any(1)
    drawn = weight >= 0.5
    weight[drawn & outside] = 0
    maps = np.zeros((len(exact), height, width), dtype=np.float32)
    picks = np.flatnonzero(drawn & ~outside)
    across = np.abs(np.arange(width) - cells[picks, 0, None]) <= reach
    down = np.abs(np.arange(height) - cells[picks, 1, None]) <= reach
    maps[picks] = whole_gaussians(exact[picks], map_wh, sigma) * (down[:, :, None] & across[:, None])
    return maps, weight


def combined_targets(
    points: ArrayLike, visible: ArrayLike, input_wh: Sequence[int], map_wh: Sequence[int]
) -> tuple[Maps, NDArray[np.float32]]:
    """Three maps a point: 1 within a disc around it, and the offsets to it in x and y, in radii, over the whole map.

    Returns:
        maps (3 N, height, width) float32 in the order disc, x, y per point, and weights (N,) float32. A point outside keeps its
        weight with an empty disc.

    Raises:
        ValueError: a visible point that is not finite.
    """
    weight = np.array(visible, dtype=np.float32).reshape(-1)
    exact = _cells(points, weight, input_wh, map_wh)
    width, height = int(map_wh[0]), int(map_wh[1])
    radius = RADIUS * max(width, height)
    x = np.broadcast_to((exact[:, 0, None, None] - np.arange(width)) / radius, (len(exact), height, width))
    y = np.broadcast_to((exact[:, 1, None, None] - np.arange(height)[:, None]) / radius, (len(exact), height, width))
    maps = np.stack([x**2 + y**2 <= 1, x, y], 1).astype(np.float32)
    maps[weight < 0.5] = 0
    return maps.reshape(-1, height, width), weight


def _cells(
    points: ArrayLike, weight: NDArray[np.float32], input_wh: Sequence[int], map_wh: Sequence[int]
) -> NDArray[np.float64]:
    xy = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(xy[weight >= 0.5]).all():
        raise ValueError(f"Expected finite points but got {xy.tolist()}; correct the annotation")
    return np.where(np.isfinite(xy), xy, 0.0) / udp_stride(input_wh, map_wh)


def decode_udp(heatmaps: ArrayLike | Tensor, blur: int = 11) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points (..., 2) in cells and scores (...,) of maps (..., H, W): the highest cell and a Newton step on the blurred log.

    The score is the height before blurring. There is no guard at the border nor on the step's size, as in the reference. A map
    without a positive value gives the cell (-1, -1), as in mmpose. Maps that are a tensor are decoded on its device.

    Args:
        blur: odd side of the smoothing kernel in cells; 11 for sigma 2, 17 for sigma 3.

    Raises:
        ValueError: an even kernel, or one below 3.
    """
    check_blur(blur)
    if is_tensor(heatmaps):
        from tasks.heatmaps.blurred import udp_there

        points, scores, around = udp_there(heatmaps, blur)
        picks = np.flatnonzero(scores.reshape(-1) > 0)
    else:
        maps = np.asarray(heatmaps, dtype=np.float32)
        points, scores = argmax_points(maps)
        picks = np.flatnonzero(scores.reshape(-1) > 0)
        squares = [
            neighbourhoods(_smoothed(one, blur)[None], cell[None], 1)
            for one, cell in zip(maps.reshape(-1, *maps.shape[-2:])[picks], points.reshape(-1, 2)[picks], strict=True)
        ]
        around = np.concatenate([np.empty((0, 3, 3), np.float32), *squares])
    logs = np.log(np.clip(around, FLOOR, CEILING))
    points.reshape(-1, 2)[picks] -= _newton_steps(logs)
    points[scores <= 0] = -1
    return points, scores


def _smoothed(heatmap: NDArray[np.float32], blur: int) -> NDArray[np.float32]:
    """A map (H, W) smoothed, and scaled to its old height."""
    smooth = cv2.GaussianBlur(heatmap, (blur, blur), 0, borderType=cv2.BORDER_CONSTANT)
    smooth *= heatmap.max() / smooth.max()
    return np.asarray(smooth)


def _newton_steps(logs: NDArray[np.floating]) -> NDArray[np.float32]:
    """Inverse Hessian times gradient, (N, 2) as (x, y), at the middle of squares (N, 3, 3)."""
    at = logs.astype(np.float64).transpose(1, 2, 0)
    centre, left, right, up, down = at[1, 1], at[1, 0], at[1, 2], at[0, 1], at[2, 1]
    mixed = 0.5 * (at[2, 2] - right - down + 2 * centre - left - up + at[0, 0])
    gradient = np.stack([0.5 * (right - left), 0.5 * (down - up)], -1)
    hessian = np.stack([right - 2 * centre + left, mixed, mixed, down - 2 * centre + up], -1).reshape(-1, 2, 2)
    inverse = np.linalg.inv(hessian + np.finfo(np.float32).eps * np.eye(2))
    return (inverse @ gradient[..., None])[..., 0].astype(np.float32)


def decode_combined(heatmaps: ArrayLike | Tensor, blur: int = 11) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points (..., N, 2) in cells and scores (..., N) of combined maps (..., 3 N, H, W).

    The disc's map is blurred with 2 `blur` + 1 cells; its highest cell and the offsets there give the point, its height the
    score. Maps that are a tensor are decoded on its device.

    Raises:
        ValueError: an even kernel, one below 3, or maps that are not three a point.
    """
    check_blur(blur)
    side = 2 * blur + 1
    maps: Any = heatmaps if is_tensor(heatmaps) else np.asarray(heatmaps, dtype=np.float32)
    if maps.shape[-3] % 3:
        raise ValueError(f"Expected three maps a point but got {maps.shape[-3]}; this network predicts none of offsets")
    height, width = maps.shape[-2:]
    triples = maps.reshape(-1, 3, height, width)
    if is_tensor(triples):
        from tasks.heatmaps.blurred import combined_there

        points, scores, offsets = combined_there(triples, side)
    else:
        points, scores = argmax_points(np.stack([cv2.GaussianBlur(triple[0], (side, side), 0) for triple in triples]))
        columns, rows = points[:, 0].astype(np.int64), points[:, 1].astype(np.int64)
        offsets = triples[np.arange(len(triples)), 1:, rows, columns]
    points += np.float32(RADIUS * max(width, height)) * offsets
    shape = (*maps.shape[:-3], maps.shape[-3] // 3)
    return points.reshape(*shape, 2), scores.reshape(shape)


def udp_to_image(
    points: ArrayLike, centres: ArrayLike, scales_px: ArrayLike, map_wh: Sequence[int]
) -> NDArray[np.float32]:
    """Map points (B, N, 2) in cells back to the pictures: cell / (size - 1) of the box, from its upper left corner.

    Args:
        centres, scales_px: (B, 2) in picture pixels, as the crops were cut; rotation plays no part.
    """
    centre, scale = (np.asarray(values, dtype=np.float64)[:, None] for values in (centres, scales_px))
    share = np.asarray(points, dtype=np.float64) / (np.asarray(map_wh) - 1)
    return np.asarray(share * scale + centre - scale / 2, dtype=np.float32)
