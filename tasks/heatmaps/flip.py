"""Flip test of heat maps, and their accuracy against targets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.geometry import swap_order
from tasks.heatmaps.decoding import argmax_points
from tasks.heatmaps.targets import Maps


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
