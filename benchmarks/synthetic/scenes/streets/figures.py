"""Puts the people of `people.py` into painted scenes, as items of a canvas.

Two ways: `passer_by` lays down one of a fixed company of drawn figures, resized (cheap: for streets with many small
people); `figure` draws a new person and keeps the joints (for pictures whose keypoints are written).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from benchmarks.synthetic.people.people import Person, draw_person, person_extent, sample_person
from benchmarks.synthetic.raster.camera import Camera
from benchmarks.synthetic.raster.canvas import SUPERSAMPLING, Canvas

COMPANY_SIZE = 48
_COMPANY_PX_PER_M = 76.0
_STREET_ACTIONS = ("stand", "walk", "walk", "walk", "stand", "arms_crossed")


@dataclass(frozen=True)
class _Cut:
    """A drawn figure cut from its background: colours (h, w, 3) uint8, alpha (h, w) 0..1, its foot (x, y) and scale."""

    rgb: np.ndarray
    alpha: np.ndarray
    foot_xy: tuple[float, float]


@lru_cache(maxsize=COMPANY_SIZE)
def _company(index: int) -> _Cut:
    rng = np.random.default_rng([20190902, index])
    person = sample_person(rng, action=str(rng.choice(_STREET_ACTIONS)), pitch=2.0)
    x0, y0, x1, y1 = person_extent(person, _COMPANY_PX_PER_M)
    foot = (-x0 + 3.0, -y0 + 3.0)
    high, wide = int(np.ceil(y1 - y0)) + 8, int(np.ceil(x1 - x0)) + 8
    image = np.zeros((2 * high, 2 * wide, 3), np.uint8)
    rendered = draw_person(image, person, foot_xy=(2 * foot[0], 2 * foot[1]), px_per_m=2 * _COMPANY_PX_PER_M)
    alpha = cv2.resize(rendered.mask.astype(np.float32), (wide, high), interpolation=cv2.INTER_AREA)
    image[~rendered.mask] = 0
    rgb = cv2.resize(image, (wide, high), interpolation=cv2.INTER_AREA) / np.maximum(alpha, 0.05)[..., None]
    return _Cut(np.clip(rgb, 0, 255).astype(np.uint8), alpha, foot)


def passer_by(
    canvas: Canvas,
    camera: Camera,
    x: float,
    z: float,
    rng: np.random.Generator,
    *,
    label: str = "person",
    instance: bool = True,
) -> None:
    """Stand one of the company on the ground at (x, z) metres, mirrored and lit by lot."""
    cut = _company(int(rng.integers(COMPANY_SIZE)))
    zoom = camera.scale(z) * SUPERSAMPLING / _COMPANY_PX_PER_M
    foot = camera.project(np.array([x, 0.0, z]))
    size_wh = (max(2, round(cut.alpha.shape[1] * zoom)), max(3, round(cut.alpha.shape[0] * zoom)))
    mirrored, light = bool(rng.random() < 0.5), rng.uniform(0.85, 1.15)
    if not -20 < foot[0] < canvas.width + 20:
        return
    method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    rgb = cv2.resize(cut.rgb, size_wh, interpolation=method)
    alpha = cv2.resize(cut.alpha, size_wh, interpolation=method)
    foot_x = cut.foot_xy[0] * zoom
    if mirrored:
        rgb, alpha, foot_x = rgb[:, ::-1], alpha[:, ::-1], size_wh[0] - foot_x
    rgb = np.clip(rgb * np.float32(light), 0, 255).astype(np.uint8)
    left_top = (round(foot[0] * SUPERSAMPLING - foot_x), round(foot[1] * SUPERSAMPLING - cut.foot_xy[1] * zoom))
    canvas.shadow(foot, (0.45 * camera.scale(z), 0.12 * camera.scale(z)), 0.5)
    with canvas.item(label, instance=instance, depth=z, grain=0.01, blotch=0.0):
        canvas.sprite(rgb, alpha, left_top)


def figure(
    canvas: Canvas,
    person: Person,
    foot_xy: tuple[float, float],
    px_per_m: float,
    *,
    label: str = "person",
    depth: float = 0.0,
    shadow: float = 0.5,
) -> None:
    """Draw `person` with the foot point at `foot_xy` (canvas pixels) at `px_per_m` canvas pixels per metre.

    The item's `extra` gets `joints` (17, 2), COCO's order, in the picture's frame (pixel k is centred at k), and
    `self_visible` (17,) bool: not hidden by the person itself.
    """
    s = SUPERSAMPLING
    fine_foot = (foot_xy[0] * s - 0.5, foot_xy[1] * s - 0.5)
    rendered = draw_person(canvas.rgb, person, foot_xy=fine_foot, px_per_m=px_per_m * s, shadow=shadow)
    joints, visible = rendered.coco
    extra = {"joints": (joints + 0.5) / s - 0.5, "self_visible": visible.copy()}
    rows, columns = np.flatnonzero(rendered.mask.any(1)), np.flatnonzero(rendered.mask.any(0))
    if not len(rows):
        return
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    with canvas.item(label, instance=True, depth=depth, grain=0.0, blotch=0.0, **extra):
        canvas.claim_mask(rendered.mask[y0:y1, x0:x1], (int(x0), int(y0)))
