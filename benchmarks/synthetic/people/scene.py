"""Pictures of several people: a background, people from far to near, things in front of them, and the camera's faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from benchmarks.synthetic.people.backgrounds import draw_occluder, draw_seat, paint_background
from benchmarks.synthetic.people.figure.body import JOINT_INDEX
from benchmarks.synthetic.people.people import (
    Person,
    RenderedPerson,
    draw_person,
    person_extent,
    place_joints,
    sample_person,
)
from benchmarks.synthetic.raster.strokes import Light, sample_light


@dataclass
class Scene:
    """A finished picture.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        people: the annotated people, far to near, masks and visibility already reduced by what lies in front.
        tiny: people in the distance, too small for joints; drawn behind all others.
        crowd: (H, W) bool, a group in the distance whose members cannot be told apart; None where there is none.
    """

    image: np.ndarray
    people: list[RenderedPerson]
    tiny: list[RenderedPerson] = field(default_factory=list)
    crowd: np.ndarray | None = None


def compose_scene(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    num_people: int,
    *,
    height_px: tuple[float, float] = (100.0, 222.0),
    truncated: float = 0.08,
    occluded: float = 0.08,
    distant: float = 0.0,
    crowds: float = 0.0,
    sample: Callable[[np.random.Generator], Person] = sample_person,
) -> Scene:
    """Draw a picture with `num_people` people.

    Args:
        height_px: the range of a figure's height in the picture (of its extent in its pose).
        truncated, occluded: the odds of a person being cut by the border, or of a thing standing before it.
        distant, crowds: the odds of a few tiny people, and of a group, in the distance.
        sample: draws one person.
    """
    width, height = size_wh
    ground = paint_background(rng, size_wh)
    image = ground.image
    light = sample_light(rng)
    shadow = float(rng.uniform(0.15, 0.5))
    scene = Scene(image, [])
    owner = np.full((height, width), -1, np.int16)
    everybody: list[RenderedPerson] = []

    def put(person: Person, foot: tuple[float, float], px_per_m: float) -> RenderedPerson:
        rendered = draw_person(image, person, foot_xy=foot, px_per_m=px_per_m, light=light, shadow=shadow)
        owner[rendered.cover] = -1
        owner[rendered.mask] = len(everybody)
        everybody.append(rendered)
        return rendered

    if rng.random() < crowds:
        group = _row_of_people(rng, light, width, ground.horizon, int(rng.integers(7, 13)), (24.0, 40.0))
        members = [put(*entry) for entry in group]
        scene.crowd = np.zeros((height, width), bool)
        for member in members:
            scene.crowd |= member.mask
        crowd_ids = len(everybody)
    else:
        crowd_ids = 0
    if rng.random() < distant:
        for entry in _row_of_people(rng, light, width, ground.horizon, int(rng.integers(1, 4)), (14.0, 26.0)):
            scene.tiny.append(put(*entry))

    places = _places(rng, size_wh, num_people, height_px, truncated, sample)
    for person, foot, px_per_m in sorted(places, key=lambda place: place[1][1]):
        if person.pose.action == "sit" and rng.random() < 0.85:
            joints = place_joints(person, foot, px_per_m)
            seat = draw_seat(image, rng, joints[JOINT_INDEX["pelvis"]], foot[1], person.body.stature * px_per_m)
            owner[seat] = -1
        rendered = put(person, foot, px_per_m)
        scene.people.append(rendered)
        if rng.random() < occluded:
            _occlude(image, rng, rendered, owner)
    for number, rendered in enumerate(everybody):
        rendered.hide(owner != number)
    if scene.crowd is not None:
        scene.crowd &= (owner >= 0) & (owner < crowd_ids)
    scene.image = spoil(image, rng)
    return scene


def _row_of_people(
    rng: np.random.Generator, light: Light, width: int, horizon: float, count: int, height_px: tuple[float, float]
) -> list[tuple[Person, tuple[float, float], float]]:
    """Place `count` small people near each other just below the horizon, far to near."""
    del light
    middle, step = rng.uniform(0.2, 0.8) * width, rng.uniform(6, 11)
    row = []
    for number in range(count):
        person = sample_person(rng, action=str(rng.choice(["stand", "walk"])))
        size = rng.uniform(*height_px)
        foot = (float(middle + (number - count / 2) * step + rng.normal(0, 2)), float(horizon + rng.uniform(4, 14)))
        row.append((person, foot, float(size / 1.7)))
    return sorted(row, key=lambda entry: entry[1][1])


def _places(
    rng: np.random.Generator,
    size_wh: tuple[int, int],
    num_people: int,
    height_px: tuple[float, float],
    truncated: float,
    sample: Callable[[np.random.Generator], Person],
) -> list[tuple[Person, tuple[float, float], float]]:
    """Choose people and put them side by side with some overlap; at times one is moved over the picture's border."""
    width, height = size_wh
    order = rng.permutation(num_people)
    places = []
    for number in range(num_people):
        person = sample(rng)
        unit = person_extent(person, 1.0)
        wide, high = unit[2] - unit[0], unit[3] - unit[1]
        low, top = height_px
        limit = min(top, 0.97 * height) if num_people == 1 else min(top, 0.9 * height)
        wanted = low + (limit - low) * float(rng.beta(1.6, 1.5))
        px = min(wanted / high, 240.0 / person.body.stature, 0.95 * width / wide)
        x0, y0, x1, y1 = unit * px
        centre = (order[number] + 0.5 + rng.normal(0, 0.09)) * width / num_people
        foot_x = float(np.clip(centre - (x0 + x1) / 2, 1 - x0, max(width - 1 - x1, 2 - x0)))
        lowest, highest = height - 2 - y1, 2 - y0
        # Nearer people are larger and stand lower in the picture.
        nearness = np.clip(person.body.stature * px / 220.0, 0, 1)
        foot_y = float(lowest - (lowest - highest) * (1 - nearness) * rng.uniform(0.0, 0.7))
        if rng.random() < truncated:
            side = int(rng.integers(4))
            cut = rng.uniform(0.08, 0.32)
            if side == 0:
                foot_x = float(-x0 - cut * wide * px)
            elif side == 1:
                foot_x = float(width - x1 + cut * wide * px)
            else:
                foot_y = float(height - y1 + cut * high * px)
        places.append((person, (foot_x, foot_y), float(px)))
    return places


def _occlude(image: np.ndarray, rng: np.random.Generator, rendered: RenderedPerson, owner: np.ndarray) -> None:
    """Put a thing before part of a person, rather over the legs or an arm than over the face."""
    x0, y0, x1, y1 = rendered.extent
    place = (float(rng.uniform(x0, x1)), float(y0 + (y1 - y0) * rng.uniform(0.35, 1.0)))
    size = float((y1 - y0) * rng.uniform(0.15, 0.38))
    owner[draw_occluder(image, rng, place, size)] = -1


def spoil(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the picture as a camera would give it: exposure, contrast, a little blur, sensor noise. (H, W, 3) uint8."""
    if rng.random() < 0.2:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 0.8)))
    gain, bias = rng.normal(1.0, 0.10), rng.normal(2.0, 7.0)
    noise = rng.standard_normal(image.shape[:2], np.float32) * np.float32(rng.uniform(1.0, 4.0))
    spoilt = (image.astype(np.float32) - 128.0) * np.float32(gain) + np.float32(128.0 + bias) + noise[:, :, None]
    result: np.ndarray = np.clip(spoilt, 0, 255).astype(np.uint8)
    return result
