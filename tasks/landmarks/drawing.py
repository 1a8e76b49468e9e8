"""Landmarks drawn on pictures. NumPy and OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.landmarks.crops.face_crops import ONE_BASED
from tasks.landmarks.files.markup import Markup
from tasks.results.tracks import draw_id, track_colour

POINT, LINE, HIDDEN = (255, 214, 0), (60, 220, 255), (255, 70, 70)
_SHIFT = 4
_LIMIT = 1 << 24


def draw_points(
    picture: NDArray[np.uint8],
    points: ArrayLike,
    markup: Markup,
    hidden: ArrayLike | None = None,
    track: int | None = None,
) -> NDArray[np.uint8]:
    """A copy of an RGB picture (H, W, 3) with the mark-up's lines and points; `hidden` (P,) bool points are red.

    Args:
        points: (P, 2) 1-based px. track: the face's id in a video: all is drawn in its colour, with the id above.
    """
    canvas = np.ascontiguousarray(picture).copy()
    xy = np.asarray(points, dtype=np.float64)[:, :2] - ONE_BASED
    extent = float(np.ptp(xy, axis=0).max())
    radius = float(np.clip(extent / 90, 0.9, 9))
    fixed = np.clip(np.rint(xy * (1 << _SHIFT)), -_LIMIT, _LIMIT).astype(np.int32)
    thick = max(1, round(radius * 0.6))
    line, point = (LINE, POINT) if track is None else (track_colour(track),) * 2
    for run in markup.lines:
        cv2.polylines(canvas, [fixed[list(run)]], False, line, thick, cv2.LINE_AA, _SHIFT)
    dark = np.zeros(len(xy), dtype=bool) if hidden is None else np.asarray(hidden, dtype=bool)
    for index, (x, y) in enumerate(fixed.tolist()):
        colour = HIDDEN if dark[index] else point
        cv2.circle(canvas, (x, y), round(radius * (1 << _SHIFT)), colour, -1, cv2.LINE_AA, _SHIFT)
    if track is not None and np.abs(xy).max() < _LIMIT >> _SHIFT:
        foot = (float(xy[:, 0].mean()), float(xy[:, 1].min()) - 3 * radius - 2)
        draw_id(canvas, track, foot, track_colour(track), max(0.35, extent / 250))
    return canvas


def draw_in_view(
    picture: NDArray[np.uint8],
    centre: ArrayLike,
    side_px: float,
    points: ArrayLike,
    markup: Markup,
    hidden: ArrayLike | None = None,
    view_px: int = 256,
) -> NDArray[np.uint8]:
    """The square of side `side_px` around a face (centre 1-based), enlarged or shrunk to `view_px`, with its points."""
    zoom = view_px / max(side_px, 1.0)
    start = np.asarray(centre, dtype=np.float64) - ONE_BASED - side_px / 2
    matrix = np.array([[zoom, 0, -start[0] * zoom], [0, zoom, -start[1] * zoom]])
    view = np.asarray(cv2.warpAffine(picture, matrix, (view_px, view_px), flags=cv2.INTER_LINEAR), dtype=np.uint8)
    moved = (np.asarray(points, dtype=np.float64)[:, :2] - ONE_BASED) @ matrix[:, :2].T + matrix[:, 2] + ONE_BASED
    return draw_points(view, moved, markup, hidden)
