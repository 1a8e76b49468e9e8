"""Short videos of people who walk, cross and hide one another before a camera that pans."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.synthetic.people.backgrounds import paint_background
from benchmarks.synthetic.people.people import RenderedPerson, draw_person, sample_person
from benchmarks.synthetic.people.walking import Camera, Walker, sample_pan, sample_walker
from benchmarks.synthetic.raster.strokes import Light, sample_light

_MARGIN_PX = 48
"""Background beyond each side of the picture: how far a camera may pan."""


@dataclass
class VideoFrame:
    """One picture, its people by their number (those who are in it), and the outline of a distant group that nobody labels.

    Attributes:
        image: (H, W, 3) uint8 RGB. people: number -> what is where, already reduced by what lies in front.
        group: x1, y1, x2, y2 px, or None.
    """

    image: np.ndarray
    people: dict[int, RenderedPerson]
    group: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class _Stage:
    """What stays the same over a video."""

    wall: np.ndarray
    camera: Camera
    light: Light
    shadow: float
    walkers: tuple[Walker, ...]
    noise: float
    group: tuple[float, float, float, float] | None


def render_video(
    rng: np.random.Generator, size_wh: tuple[int, int], frames: int, every: int = 1, group: float = 0.3
) -> list[VideoFrame]:
    """Draw a video of `frames` pictures, `every` so many steps of 1 / 12.5 s apart.

    Two people cross each other near its middle, at different distances, so that the nearer hides the other; up to two more
    walk or stand. `group`: odds of a distant group of people without labels.
    """
    steps = (frames - 1) * every + 1
    stage = _stage(rng, size_wh, steps, group)
    return [_draw(stage, size_wh, number * every, rng) for number in range(frames)]


def _stage(rng: np.random.Generator, size_wh: tuple[int, int], steps: int, group: float) -> _Stage:
    width, height = size_wh
    wide = (width + 2 * _MARGIN_PX, height + 2 * 8)
    ground = paint_background(rng, wide)
    horizon = 0.36 * height
    camera = Camera(2.0 * height, horizon, width / 2, sample_pan(rng, steps, 0.8 * _MARGIN_PX))
    light, shadow = sample_light(rng), float(rng.uniform(0.15, 0.5))
    far = rng.random() < group
    place = _far_group(rng, ground.image, (_MARGIN_PX, 8), ground.horizon, width, light) if far else None
    return _Stage(ground.image, camera, light, shadow, _walkers(rng, steps), float(rng.uniform(1, 3)), place)


def _walkers(rng: np.random.Generator, steps: int) -> tuple[Walker, ...]:
    meeting = float(rng.uniform(0.35, 0.65) * steps)
    side = 1 if rng.random() < 0.5 else -1
    near, far = float(rng.uniform(4.6, 5.4)), float(rng.uniform(5.8, 6.8))
    at = float(rng.uniform(-0.5, 0.5))  # in the picture, as a share of half of what is seen
    made = [
        sample_walker(rng, (at * 0.33 * near, near, meeting), side, steps),
        sample_walker(rng, (at * 0.33 * far, far, meeting + rng.normal(0, 1.0)), -side, steps),
    ]
    for _ in range(int(rng.choice([0, 1, 2], p=[0.4, 0.45, 0.15]))):
        z = float(rng.uniform(4.8, 6.8))
        x = float(rng.uniform(-0.55, 0.55)) * z
        towards = -1 if x > 0 else 1
        made.append(sample_walker(rng, (x, z, 0.5 * steps), towards, steps, stands=bool(rng.random() < 0.35)))
    return tuple(made)


def _far_group(
    rng: np.random.Generator, wall: np.ndarray, corner: tuple[int, int], horizon: float, width: int, light: Light
) -> tuple[float, float, float, float]:
    """Paint a few small people just below the background's `horizon` into it; gives their extent in a picture without a pan."""
    middle = float(rng.uniform(0.15, 0.85) * width)
    extents = []
    for number in range(int(rng.integers(3, 6))):
        foot = (middle + number * 7.0 + corner[0], horizon + rng.uniform(4, 9))
        person = sample_person(rng, action=str(rng.choice(["stand", "walk"])))
        extents.append(draw_person(wall, person, foot_xy=foot, px_per_m=float(rng.uniform(13, 17)), light=light).extent)
    joined = np.array(extents)
    shift = np.array((*corner, *corner))
    x1, y1, x2, y2 = np.concatenate([joined[:, :2].min(0), joined[:, 2:].max(0)]) - shift
    return float(x1), float(y1), float(x2), float(y2)


def _draw(stage: _Stage, size_wh: tuple[int, int], step: int, rng: np.random.Generator) -> VideoFrame:
    width, height = size_wh
    dx, dy = stage.camera.shift_px[step]
    matrix = np.array([[1.0, 0.0, dx - _MARGIN_PX], [0.0, 1.0, dy - 8]])
    image = np.asarray(
        cv2.warpAffine(stage.wall, matrix, size_wh, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
    owner = np.full((height, width), -1, np.int16)
    places = [(number, *walker.place(step)) for number, walker in enumerate(stage.walkers)]
    drawn: dict[int, RenderedPerson] = {}
    for number, x, z in sorted(places, key=lambda place: -place[2]):
        rendered = draw_person(
            image,
            stage.walkers[number].at(step),
            foot_xy=stage.camera.foot(x, z, step),
            px_per_m=stage.camera.px_per_m(z),
            light=stage.light,
            shadow=stage.shadow,
        )
        owner[rendered.cover] = -1
        owner[rendered.mask] = number
        drawn[number] = rendered
    for number, rendered in drawn.items():
        rendered.hide(owner != number)
    noise = rng.standard_normal((height, width, 1), np.float32) * np.float32(stage.noise)
    image = np.clip(image + noise + 0.5, 0, 255).astype(np.uint8)
    group = None
    if stage.group is not None:
        group = tuple(float(v) for v in np.array(stage.group) + np.array((dx, dy, dx, dy)))
    return VideoFrame(image, {number: drawn[number] for number in sorted(drawn)}, group)  # type: ignore[arg-type]
