"""Colours and outlines that everyday things share."""

from __future__ import annotations

import numpy as np

from benchmarks.synthetic.raster.canvas import Colour, Point, shade_colour

VIVID: tuple[Colour, ...] = (
    (214, 40, 46), (36, 90, 200), (246, 190, 30), (40, 150, 80), (240, 120, 30), (140, 60, 170), (240, 240, 238), (40, 44, 50),
    (230, 120, 170), (40, 170, 190),
)  # fmt: skip


def vivid(rng: np.random.Generator, count: int = len(VIVID)) -> tuple[float, float, float]:
    """Draw one of the first `count` vivid colours, a little lighter or darker."""
    return shade_colour(VIVID[rng.integers(count)], rng.uniform(0.85, 1.1))


def stand_at(foot_xy: Point, size: float) -> tuple[float, float, float]:
    """Return x, y and size as plain numbers."""
    return float(foot_xy[0]), float(foot_xy[1]), float(size)


def column(x: float, y: float, profile: list[tuple[float, float]], size: float) -> np.ndarray:
    """Outline of a turned thing: `profile` lists (half-width, height) from the foot up, in units of `size`."""
    half = np.array(profile) * size
    right = np.stack([x + half[:, 0], y - half[:, 1]], 1)
    left = np.stack([x - half[:, 0], y - half[:, 1]], 1)[::-1]
    return np.concatenate([right, left])
