"""The camera that looks at a turned head."""

from __future__ import annotations

import numpy as np

PIVOT = np.array([0.0, -0.5, -0.35])  # the head turns about the top of the neck


class View:
    """A perspective camera on a turned head."""

    def __init__(
        self, yaw_deg: float, pitch_deg: float, roll_deg: float, unit_px: float, origin: np.ndarray, distance: float
    ) -> None:
        self.rotation = _rotation(yaw_deg, pitch_deg, roll_deg)
        self.body = _rotation(0.35 * yaw_deg, 0.1 * pitch_deg, 0.3 * roll_deg)
        self.unit_px, self.origin, self.distance = unit_px, origin, distance
        across = self.rotation @ np.array([1.0, 0.0, 0.0])
        # roll of the face's x axis in the picture; a profile has no x axis to speak of, its roll is used instead
        roll = np.radians(roll_deg)
        flat = np.array([np.cos(roll), -np.sin(roll)]) + 0.5 * np.array([across[0], -across[1]])
        self.axis = flat / np.linalg.norm(flat)

    def project(self, points: np.ndarray, body: bool = False) -> np.ndarray:
        """Model points (N, 3) -> (N, 3): x, y in pixels and nearness."""
        turned = (points - PIVOT) @ (self.body if body else self.rotation).T + PIVOT
        zoom = self.unit_px * self.distance / (self.distance - turned[:, 2])
        return np.stack([self.origin[0] + turned[:, 0] * zoom, self.origin[1] - turned[:, 1] * zoom, turned[:, 2]], 1)


def _rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> np.ndarray:
    y, p, r = np.radians([yaw_deg, pitch_deg, roll_deg])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    result: np.ndarray = about_z @ about_y @ about_x
    return result
