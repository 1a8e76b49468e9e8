"""Optical flow between successive pictures (OpenCV's DIS, Kroeger 2016), and points moved by it. NumPy and OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

_PRESETS = {
    "dis_ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "dis_fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "dis_medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}
SMALLEST_PX = 16
"""Pictures with a shorter side have no flow: DIS needs room for its patches."""


def grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) uint8 of an RGB picture (H, W, 3)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def flow_between(
    first: NDArray[np.uint8], second: NDArray[np.uint8], preset: str = "dis_medium"
) -> NDArray[np.float32]:
    """(H, W, 2) shift in px of every pixel of a grey picture (H, W) to where it lies in the second; 0 between sizes that differ.

    Runs in one thread: how the picture is divided among threads must not move a track.
    """
    if first.shape != second.shape or min(first.shape) < SMALLEST_PX:
        return np.zeros((*first.shape, 2), dtype=np.float32)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        found = cv2.DISOpticalFlow_create(_PRESETS[preset]).calc(first, second, None)  # type: ignore[attr-defined]
    finally:
        cv2.setNumThreads(threads)
    return np.asarray(found, dtype=np.float32)


def mean_length(flow: NDArray[np.float32]) -> float:
    """Mean length of a flow (H, W, 2), px."""
    return float(np.linalg.norm(flow, axis=-1).mean(dtype=np.float64))


def move(points: ArrayLike, flow: NDArray[np.float32]) -> NDArray[np.float64]:
    """Points (..., 2) px moved by the flow at the pixel that they lie in; points outside the picture stay."""
    xy = np.array(points, dtype=np.float64)
    columns, rows = np.rint(xy[..., 0]), np.rint(xy[..., 1])
    height, width = flow.shape[:2]
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    xy[inside] += flow[rows[inside].astype(np.intp), columns[inside].astype(np.intp)]
    return xy
