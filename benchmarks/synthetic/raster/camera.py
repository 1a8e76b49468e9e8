"""A camera over a ground plane: metres in, pixels out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAR_M = 0.8
_STEPS = {count: np.linspace(0.0, 1.0, count) for count in (2, 8)}


@dataclass(frozen=True)
class Camera:
    """Pinhole camera looking level along +z; x points right, y up, the ground is y = 0.

    `bend` (1/m) shifts everything sideways by bend * z^2: a road that curves without rotating what stands on it.
    """

    focal_px: float
    centre_x_px: float
    horizon_y_px: float
    height_m: float
    bend: float = 0.0

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project world points (..., 3) in metres to pixels (..., 2); points behind the near plane are moved onto it."""
        points = np.asarray(points, np.float64)
        z = np.maximum(points[..., 2], NEAR_M)
        zoom = self.focal_px / z
        pixels = np.empty((*z.shape, 2))
        pixels[..., 0] = points[..., 0] * zoom + z * (self.bend * self.focal_px) + self.centre_x_px
        pixels[..., 1] = (self.height_m - points[..., 1]) * zoom + self.horizon_y_px
        return pixels

    def scale(self, z: float) -> float:
        """Pixels per metre at depth z."""
        return self.focal_px / max(z, NEAR_M)

    def ground_depth(self, height_px: int) -> np.ndarray:
        """Depth (H,) in metres of the ground seen in each pixel row; 200 m at and above the horizon."""
        below = np.maximum(np.arange(height_px) + 0.5 - self.horizon_y_px, 1e-6)
        result: np.ndarray = np.minimum(self.focal_px * self.height_m / below, 200.0)
        return result

    def strip(self, x0: float, x1: float, z0: float, z1: float, y: float = 0.0) -> np.ndarray:
        """Outline (2N, 2) of a level strip between the lines x0 and x1, from depth z0 to z1, following the bend."""
        z0 = max(z0, NEAR_M)
        count = 8 if self.bend and z1 > 1.2 * z0 else 2
        steps = _STEPS[count]
        points = np.empty((2 * count, 3))
        points[:count, 0], points[count:, 0], points[:, 1] = x0, x1, y
        points[:count, 2] = z0 * (z1 / z0) ** steps
        points[count:, 2] = points[count - 1 :: -1, 2]
        return self.project(points)

    def upright(self, x: float, z0: float, z1: float, y0: float, y1: float) -> np.ndarray:
        """Corners (4, 2) of an upright wall along the road at x: far bottom, near bottom, near top, far top."""
        return self.project(np.array([[x, y0, z1], [x, y0, z0], [x, y1, z0], [x, y1, z1]]))

    def facing(self, x0: float, x1: float, z: float, y0: float, y1: float) -> np.ndarray:
        """Corners (4, 2) of an upright wall that faces the camera: left bottom, right bottom, right top, left top."""
        return self.project(np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]]))
