"""Solids in perspective: where a thing stands, and the faces of a convex prism that look at the camera.

Local axes of a thing: l along its length (front positive), h up, w across. `yaw` turns the front from +z (away from the
camera) towards +x; metres throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.synthetic.raster.camera import NEAR_M, Camera


@dataclass(frozen=True)
class Placement:
    """Where a vehicle stands: ground position of its centre (x, z) in metres and its heading."""

    x: float
    z: float
    yaw: float = 0.0

    def world(self, local: np.ndarray) -> np.ndarray:
        """Turn local (l, h, w) coordinates (..., 3) into world (x, y, z)."""
        length, h, w = local[..., 0], local[..., 1], local[..., 2]
        sin, cos = np.sin(self.yaw), np.cos(self.yaw)
        points = np.empty(local.shape)
        points[..., 0] = self.x + length * sin + w * cos
        points[..., 1] = h
        points[..., 2] = self.z + length * cos - w * sin
        return points


@dataclass(frozen=True)
class Face:
    """A visible face of a prism: its outline in pixels, its index in the profile (-1 and -2: the sides) and its light."""

    index: int
    outline: np.ndarray
    light: float


def prism_faces(
    camera: Camera,
    at: Placement,
    profile: Sequence[Sequence[float]] | np.ndarray,
    half_width: float,
    top_width: float | None = None,
) -> list[Face]:
    """Return the faces of an extruded convex profile that look at the camera, farthest first.

    `profile` lists (l, h) clockwise as seen from the right-hand side (w > 0) starting anywhere; face k joins points k
    and k + 1; index -1 is the side w > 0, -2 the side w < 0. `top_width` narrows the prism at its highest points.
    """
    points = np.asarray(profile, np.float64)
    low, high = points[:, 1].min(), points[:, 1].max()
    share = (points[:, 1] - low) / max(high - low, 1e-6)
    width = half_width + ((half_width if top_width is None else top_width) - half_width) * share
    count = len(points)
    local = np.empty((2, count, 3))
    local[..., :2] = points
    local[0, :, 2], local[1, :, 2] = width, -width
    right, left = at.world(local)
    # the bend shifts sideways with depth squared; undo it so that visibility is judged where the thing is seen
    eye = np.array([-camera.bend * at.z**2, camera.height_m, 0.0])
    following = np.roll(np.arange(count), -1)
    quads = np.empty((count + 2, 4, 3))
    quads[2:, 0], quads[2:, 1], quads[2:, 2], quads[2:, 3] = left, left[following], right[following], right
    quads[0], quads[1] = right[[0, 1, -2, -1]], left[[0, 1, -2, -1]]
    (ax, ay, az), (bx, by, bz) = (quads[:, 1] - quads[:, 0]).T, (quads[:, 3] - quads[:, 0]).T
    normals = np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx]).T
    normals /= np.maximum(np.sqrt((normals * normals).sum(1)), 1e-9)[:, None]
    centres = quads.sum(1) / 4
    middle = (right.sum(0) + left.sum(0)) / (2 * count)
    normals *= np.where((normals * (centres - middle)).sum(1) < 0, -1.0, 1.0)[:, None]
    to_eye = eye - centres
    seen = np.flatnonzero((normals * to_eye).sum(1) > 0)
    light = 0.74 + normals @ (0.10, 0.36, -0.06)
    order = seen[np.argsort(-(to_eye[seen] ** 2).sum(1), kind="stable")]
    outlines = camera.project(quads)
    faces = []
    for k in order.tolist():
        outline = outlines[k] if k >= 2 else camera.project(right if k == 0 else left)
        faces.append(Face(k - 2 if k >= 2 else -1 - k, outline, float(light[k])))
    return faces


def side_points(camera: Camera, at: Placement, points: np.ndarray, w: float = 0.0) -> np.ndarray:
    """Project points (..., 2) given as (l, h) in the upright plane of the thing across w."""
    local = np.empty((*points.shape[:-1], 3))
    local[..., :2] = points
    local[..., 2] = w
    return camera.project(at.world(local))


def in_view(camera: Camera, at: Placement, length: float) -> bool:
    """Whether the whole thing lies in front of the near plane and some of it between the picture's sides (roughly)."""
    if at.z - abs(np.cos(at.yaw)) * length / 2 - abs(np.sin(at.yaw)) <= NEAR_M + 0.4:
        return False
    far = at.z + length / 2
    aside = abs(at.x + camera.bend * at.z**2) - length * abs(np.sin(at.yaw)) / 2 - 1.5
    result: bool = aside * camera.focal_px / far < 1.4 * camera.centre_x_px
    return result


def ring(camera: Camera, at: Placement, centre_lh: tuple[float, float], radius: float, w: float = 0.0) -> np.ndarray:
    """Return the outline (N, 2) in pixels of an upright wheel centred at (l, h) across w."""
    turn = np.deg2rad(np.arange(0, 360, 20))
    points = np.stack([centre_lh[0] + radius * np.cos(turn), centre_lh[1] + radius * np.sin(turn)], -1)
    return side_points(camera, at, points, w)
