"""Whole-pixel corners and decoding of the old MATLAB-like convention: cells and pixels count from 1. NumPy only.

pytorch-pose and HRNet's face code share it. A square crop of side 200 `scale` px maps to `cells` cells; going back, the
position is truncated towards 0 before 1 is added. Source: docs/protocols.md, sections 5 and 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.accelerator import is_tensor
from tasks.geometry import PIXEL_STD
from tasks.heatmaps.decoding import argmax_points, refine_quarter

if TYPE_CHECKING:
    from torch import Tensor


def corner_pixel(cell: ArrayLike, centre: ArrayLike, side_px: float, cells: int) -> NDArray[np.int64]:
    """1-based cells (..., 2) of a square crop around `centre` (1-based px) -> 1-based whole pixels."""
    start = np.asarray(centre, dtype=np.float64) - side_px / 2
    position = (np.asarray(cell, dtype=np.float64) - 1) * side_px / cells + start
    return np.trunc(position).astype(np.int64) + 1


def one_based_cells(heatmaps: ArrayLike | Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """1-based cells (B, N, 2), half a cell added, and scores (B, N) of maps (B, N, S, S).

    The highest cell, a quarter towards the higher neighbour unless at the border, half a cell more. A map without a positive
    value counts as cell 0.
    """
    if is_tensor(heatmaps):
        from tasks.heatmaps.peaks import decode_there

        refined, scores = decode_there(heatmaps, "quarter", border=0)
    else:
        points, scores = argmax_points(heatmaps)
        refined = refine_quarter(heatmaps, points, border=0)
    cells = refined + np.float32(1.5)
    cells[scores <= 0] = 0.5
    return cells, scores


def decode_whole_pixels(
    heatmaps: ArrayLike | Tensor, centres: ArrayLike, scales: ArrayLike
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points (B, N, 2) in 1-based whole pixels and scores (B, N) of maps (B, N, S, S).

    Args:
        centres: (B, 2) 1-based px. scales: (B,) in 200-px units, of the padded crop.
    """
    cells, scores = one_based_cells(heatmaps)
    size = heatmaps.shape[-1] if is_tensor(heatmaps) else np.asarray(heatmaps).shape[-1]
    found = np.empty_like(cells)
    rows: Any = zip(np.asarray(centres), np.asarray(scales, dtype=np.float64).reshape(-1), strict=True)
    for index, (centre, scale) in enumerate(rows):
        found[index] = corner_pixel(cells[index], centre, scale * PIXEL_STD, size)
    return found, scores
