"""Skeletons drawn on pictures. NumPy and OpenCV."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.geometry import affine_matrix, crop, transform_points
from tasks.pose.skeletons.joints import Skeleton
from tasks.pose.skeletons.posetrack import POSETRACK
from tasks.results.tracks import draw_id, track_colour

_LEFT, _RIGHT, _MIDDLE = (255, 138, 42), (38, 160, 255), (120, 220, 90)


def draw_pose(
    picture: NDArray[np.uint8],
    points: ArrayLike,
    shown: ArrayLike,
    skeleton: Skeleton,
    colour: tuple[int, int, int] | None = None,
    size_px: float | None = None,
) -> NDArray[np.uint8]:
    """A copy of an RGB picture (H, W, 3) with one skeleton: left limbs orange, right ones blue, the others green.

    Args:
        points: (J, 2) px. shown: (J,) booleans. colour: of the person's joints; None takes the limb's.
        size_px: height of the person, which decides the thickness; None takes the points' extent.
    """
    canvas = np.ascontiguousarray(picture).copy()
    xy, visible = np.asarray(points, dtype=np.float64), np.asarray(shown).astype(bool)
    if not visible.any():
        return canvas
    extent = float(np.ptp(xy[visible], axis=0).max()) if size_px is None else size_px
    thick = int(np.clip(extent / 60, 1, 8))
    for first, second in skeleton.bones:
        if visible[first] and visible[second]:
            _line(canvas, xy[first], xy[second], _limb_colour(skeleton, first, second), thick)
    for joint in np.flatnonzero(visible):
        centre = (round(float(xy[joint, 0]) * 16), round(float(xy[joint, 1]) * 16))
        if max(map(abs, centre)) > 2**26:
            continue
        shade = colour or _limb_colour(skeleton, int(joint), int(joint))
        cv2.circle(canvas, centre, (thick + 2) * 16, (255, 255, 255), -1, cv2.LINE_AA, 4)
        cv2.circle(canvas, centre, (thick + 1) * 16, shade, -1, cv2.LINE_AA, 4)
    return canvas


def _line(
    canvas: NDArray[np.uint8], start: ArrayLike, end: ArrayLike, colour: tuple[int, int, int], thick: int
) -> None:
    ends = np.rint(np.array([start, end], dtype=np.float64) * 16)
    if np.abs(ends).max() < 2**26:
        (x0, y0), (x1, y1) = ends.astype(int).tolist()
        cv2.line(canvas, (x0, y0), (x1, y1), (20, 20, 20), thick + 2, cv2.LINE_AA, 4)
        cv2.line(canvas, (x0, y0), (x1, y1), colour, thick, cv2.LINE_AA, 4)


def _limb_colour(skeleton: Skeleton, first: int, second: int) -> tuple[int, int, int]:
    sides = {skeleton.names[joint].split("_")[0] for joint in (first, second)}
    if sides == {"left"}:
        return _LEFT
    return _RIGHT if sides == {"right"} else _MIDDLE


def person_view(
    picture: NDArray[np.uint8], centre: ArrayLike, scale: ArrayLike, aspect: float, height: int = 320
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The crop around a person at a height fit for looking at, and the matrix (2, 3) picture -> crop."""
    size: Sequence[int] = (round(height * aspect), height)
    matrix = affine_matrix(centre, scale, 0.0, size)
    return crop(picture, matrix, size), matrix


def draw_in_view(
    picture: NDArray[np.uint8],
    centre: ArrayLike,
    scale: ArrayLike,
    aspect: float,
    points: ArrayLike,
    shown: ArrayLike,
    skeleton: Skeleton,
) -> NDArray[np.uint8]:
    """`person_view` with the person's skeleton; points (J, 2) in picture pixels."""
    view, matrix = person_view(picture, centre, scale, aspect)
    return draw_pose(view, transform_points(points, matrix), shown, skeleton, size_px=view.shape[0] * 0.8)


def draw_tracks(
    picture: NDArray[np.uint8],
    points: ArrayLike,
    present: ArrayLike,
    ids: Sequence[int],
    skeleton: Skeleton = POSETRACK,
) -> NDArray[np.uint8]:
    """A copy of an RGB picture (H, W, 3) with the skeletons of tracked persons, every track in its own colour, with its id.

    Args:
        points: (N, J, 2) px. present: (N, J) booleans, which joints to draw. ids: (N,) track ids.
    """
    canvas = np.ascontiguousarray(picture).copy()
    xy = np.asarray(points, dtype=np.float64).reshape(-1, skeleton.num_joints, 2)
    shown = np.asarray(present).astype(bool).reshape(-1, skeleton.num_joints)
    for pose, visible, name in zip(xy, shown, ids, strict=True):
        if not visible.any() or np.abs(pose[visible]).max() >= 2**20:
            continue
        colour = track_colour(int(name))
        extent = float(np.ptp(pose[visible], axis=0).max())
        thick = int(np.clip(extent / 60, 1, 8))
        for first, second in skeleton.bones:
            if visible[first] and visible[second]:
                _line(canvas, pose[first], pose[second], colour, thick)
        for joint in np.flatnonzero(visible):
            centre = (round(float(pose[joint, 0]) * 16), round(float(pose[joint, 1]) * 16))
            cv2.circle(canvas, centre, (thick + 1) * 16, (255, 255, 255), -1, cv2.LINE_AA, 4)
            cv2.circle(canvas, centre, round((thick + 0.3) * 16), colour, -1, cv2.LINE_AA, 4)
        x, y = pose[visible, 0].mean(), pose[visible, 1].min()
        draw_id(canvas, int(name), (float(x), float(y) - 3 * thick - 2), colour, max(0.35, extent / 400))
    return canvas
