"""Backgrounds for pictures of people: indoors and outdoors, with furniture, trees, clutter and limb-like distractors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

SKY = ((120, 170, 225), (170, 200, 230), (205, 210, 215), (235, 200, 165), (90, 120, 170))
GROUND = ((110, 140, 75), (150, 150, 148), (190, 170, 130), (120, 105, 90), (95, 100, 108), (205, 205, 210))
WALL = (
    (225, 215, 195),
    (200, 210, 215),
    (215, 190, 175),
    (165, 180, 160),
    (235, 235, 230),
    (140, 120, 110),
    (120, 140, 165),
)
FLOOR = ((150, 110, 75), (120, 90, 65), (170, 165, 160), (95, 90, 95), (190, 170, 140))
ACCENT = (
    (160, 60, 50),
    (60, 90, 140),
    (210, 180, 90),
    (70, 120, 90),
    (90, 70, 60),
    (230, 225, 215),
    (50, 50, 55),
    (200, 130, 150),
)
FLESH = ((215, 170, 140), (180, 130, 100), (120, 85, 65), (225, 190, 165))


@dataclass(frozen=True)
class Background:
    """A painted background.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        horizon: row where the ground or floor begins, pixels.
        indoor: whether it is a room.
    """

    image: np.ndarray
    horizon: float
    indoor: bool


def pick(
    rng: np.random.Generator, tones: tuple[tuple[int, int, int], ...], spread: float = 14.0
) -> tuple[int, int, int]:
    """Draw one of `tones` with some variation, as an RGB triple for OpenCV."""
    tone = np.asarray(tones[int(rng.integers(len(tones)))]) + rng.normal(0, spread, 3) * 0.6 + rng.normal(0, spread)
    red, green, blue = np.clip(tone, 0, 255).astype(int)
    return int(red), int(green), int(blue)


def noise_field(rng: np.random.Generator, size_wh: tuple[int, int], cells: tuple[int, ...] = (4, 9, 24)) -> np.ndarray:
    """Return smooth noise of several scales, (H, W) float32 around 0 with a standard deviation of about 1."""
    width, height = size_wh
    total = np.zeros((height, width), np.float32)
    for octave, cell in enumerate(cells):
        coarse = rng.normal(0, 1, (max(2, cell * height // width + 1), cell)).astype(np.float32)
        total += cv2.resize(coarse, size_wh, interpolation=cv2.INTER_LINEAR) * np.float32(1.0 / (1 + octave))
    return total


def _gradient(
    image: np.ndarray, top: int, bottom: int, upper: tuple[int, int, int], lower: tuple[int, int, int]
) -> None:
    top, bottom = max(0, top), min(image.shape[0], bottom)
    if bottom <= top:
        return
    share = np.linspace(0, 1, bottom - top, dtype=np.float32)[:, None, None]
    image[top:bottom] = (np.asarray(upper) * (1 - share) + np.asarray(lower) * share).astype(np.uint8)


def _shade(colour: tuple[int, int, int], factor: float) -> tuple[int, int, int]:
    red, green, blue = (int(np.clip(value * factor, 0, 255)) for value in colour)
    return red, green, blue


def _building(image: np.ndarray, rng: np.random.Generator, x: int, width: int, top: int, base: int) -> None:
    colour = pick(rng, WALL + GROUND[1:4])
    cv2.rectangle(image, (x, top), (x + width, base), colour, -1)
    cv2.rectangle(image, (x, top), (x + max(2, width // 8), base), _shade(colour, 0.85), -1)
    pane = pick(rng, ((60, 70, 85), (110, 130, 150), (200, 205, 190), (40, 40, 45)))
    step_x, step_y = int(rng.integers(12, 26)), int(rng.integers(14, 30))
    for column in range(x + 5, x + width - 6, step_x):
        for row in range(top + 5, base - 8, step_y):
            cv2.rectangle(image, (column, row), (column + step_x // 2, row + step_y // 2), pane, -1)


def _tree(image: np.ndarray, rng: np.random.Generator, x: int, base: int, size: float) -> None:
    trunk = pick(rng, ((90, 66, 48), (120, 100, 80), (60, 50, 44)))
    top = int(base - size)
    cv2.line(image, (x, base), (x + int(rng.normal(0, size * 0.05)), top), trunk, max(2, int(size * 0.08)), cv2.LINE_AA)
    for _ in range(3):
        tip = (x + int(rng.normal(0, size * 0.3)), top - int(rng.uniform(0, size * 0.3)))
        cv2.line(
            image, (x, int(base - size * rng.uniform(0.4, 0.9))), tip, trunk, max(1, int(size * 0.035)), cv2.LINE_AA
        )
    leaf = pick(rng, ((60, 100, 50), (90, 130, 60), (120, 110, 50), (40, 80, 60)))
    for _ in range(int(rng.integers(5, 10))):
        centre = (x + int(rng.normal(0, size * 0.25)), top + int(rng.normal(0, size * 0.2)))
        axes = (max(2, int(size * rng.uniform(0.12, 0.3))), max(2, int(size * rng.uniform(0.1, 0.22))))
        cv2.ellipse(image, centre, axes, 0, 0, 360, _shade(leaf, rng.uniform(0.75, 1.25)), -1, cv2.LINE_AA)


def _furniture(image: np.ndarray, rng: np.random.Generator, x: int, base: int, size: int) -> None:
    colour = pick(rng, ACCENT + FLOOR)
    kind = int(rng.integers(5))
    leg = max(2, size // 16)
    if kind == 0:  # table
        cv2.rectangle(image, (x, base - size // 2), (x + size, base - size // 2 + leg * 2), colour, -1)
        for side in (x + leg, x + size - leg):
            cv2.line(image, (side, base - size // 2), (side, base), _shade(colour, 0.7), leg, cv2.LINE_AA)
    elif kind == 1:  # shelf
        cv2.rectangle(image, (x, base - int(size * 1.6)), (x + size, base), _shade(colour, 0.8), -1)
        for row in range(base - int(size * 1.6), base, max(10, size // 3)):
            cv2.line(image, (x, row), (x + size, row), _shade(colour, 1.25), leg)
            for book in range(x + 3, x + size - 4, 6):
                if rng.random() < 0.6:
                    cv2.rectangle(image, (book, row + 4), (book + 3, row + size // 3 - 3), pick(rng, ACCENT), -1)
    elif kind == 2:  # sofa
        cv2.rectangle(image, (x, base - size // 2), (x + int(size * 1.6), base), colour, -1)
        cv2.rectangle(
            image, (x + leg, base - size // 4), (x + int(size * 1.6) - leg, base - size // 8), _shade(colour, 1.2), -1
        )
    elif kind == 3:  # standing lamp, as thin as an arm
        cv2.line(image, (x, base), (x, base - int(size * 1.7)), _shade(colour, 0.8), leg, cv2.LINE_AA)
        cv2.ellipse(
            image, (x, base - int(size * 1.7)), (size // 4, size // 6), 0, 0, 360, (240, 225, 180), -1, cv2.LINE_AA
        )
    else:  # chair
        cv2.rectangle(image, (x, base - size // 2), (x + size // 2, base - size // 2 + leg), colour, -1)
        cv2.line(image, (x, base - size), (x, base), colour, leg, cv2.LINE_AA)
        cv2.line(image, (x + size // 2, base - size // 2), (x + size // 2, base), colour, leg, cv2.LINE_AA)


def _distractors(image: np.ndarray, rng: np.random.Generator) -> None:
    """Paint a few things of the shape and colour of limbs and heads that belong to nobody."""
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(0, 4))):
        colour = pick(rng, FLESH + ACCENT)
        start = rng.uniform((0, 0), (width, height))
        angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(15, 50)
        middle = start + length * np.array((np.cos(angle), np.sin(angle)))
        bent = angle + rng.normal(0, 0.8)
        end = middle + length * np.array((np.cos(bent), np.sin(bent)))
        path = np.stack([start, middle, end]).astype(np.int32)
        cv2.polylines(image, [path], False, colour, int(rng.integers(3, 10)), cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 3))):
        centre = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
        axes = (int(rng.integers(4, 12)), int(rng.integers(5, 14)))
        cv2.ellipse(image, centre, axes, float(rng.uniform(0, 180)), 0, 360, pick(rng, FLESH + ACCENT), -1, cv2.LINE_AA)


def paint_background(rng: np.random.Generator, size_wh: tuple[int, int]) -> Background:
    """Paint a room, a street, a park or a plain blurred backdrop of `size_wh` pixels."""
    width, height = size_wh
    image: np.ndarray = np.zeros((height, width, 3), np.uint8)
    indoor = bool(rng.random() < 0.45)
    horizon = int(height * rng.uniform(0.45, 0.72))
    if indoor:
        _room(image, rng, horizon)
    else:
        _outdoors(image, rng, horizon)
    if rng.random() < 0.3:
        _distractors(image, rng)
    if rng.random() < 0.8:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.8, 3.0)))
    grain = noise_field(rng, size_wh, (5, 14, 60)) * np.float32(rng.uniform(3, 9))
    image = np.clip(image + grain[:, :, None], 0, 255).astype(np.uint8)
    return Background(image, float(horizon), indoor)


def _room(image: np.ndarray, rng: np.random.Generator, horizon: int) -> None:
    height, width = image.shape[:2]
    wall, floor = pick(rng, WALL), pick(rng, FLOOR)
    _gradient(image, 0, horizon, _shade(wall, rng.uniform(0.85, 1.1)), wall)
    _gradient(image, horizon, height, _shade(floor, 0.85), _shade(floor, 1.1))
    if rng.random() < 0.3:
        step = int(rng.integers(8, 30))
        for x in range(0, width, step):
            cv2.line(image, (x, 0), (x, horizon), _shade(wall, 0.9), max(1, step // 4))
    if rng.random() < 0.5:
        vanishing = int(width * rng.uniform(0.3, 0.7))
        for x in range(-width, 2 * width, int(rng.integers(20, 50))):
            cv2.line(
                image, (vanishing + (x - vanishing) // 3, horizon), (x, height), _shade(floor, 0.8), 1, cv2.LINE_AA
            )
    cv2.line(image, (0, horizon), (width, horizon), _shade(wall, 0.7), int(rng.integers(1, 5)))
    for _ in range(int(rng.integers(0, 3))):  # windows, doors and pictures
        x, w = int(rng.uniform(0, width * 0.9)), int(rng.uniform(20, 70))
        y, h = int(rng.uniform(0, horizon * 0.5)), int(rng.uniform(25, 90))
        cv2.rectangle(image, (x, y), (x + w, min(y + h, horizon)), pick(rng, ACCENT + SKY), -1)
        cv2.rectangle(image, (x, y), (x + w, min(y + h, horizon)), pick(rng, ACCENT), int(rng.integers(1, 4)))
    for _ in range(int(rng.integers(0, 4))):
        base = int(rng.uniform(horizon, min(height, horizon + 40)))
        _furniture(image, rng, int(rng.uniform(-20, width)), base, int(rng.integers(35, 95)))


def _outdoors(image: np.ndarray, rng: np.random.Generator, horizon: int) -> None:
    height, width = image.shape[:2]
    sky, ground = pick(rng, SKY), pick(rng, GROUND)
    _gradient(image, 0, horizon, sky, _shade(sky, 1.15))
    _gradient(image, horizon, height, _shade(ground, 0.85), _shade(ground, 1.1))
    if rng.random() < 0.45:
        x = int(rng.uniform(-40, 20))
        while x < width:
            w = int(rng.integers(35, 110))
            if rng.random() < 0.8:
                _building(image, rng, x, w, int(horizon - rng.uniform(30, horizon)), horizon)
            x += w + int(rng.integers(0, 12))
    elif rng.random() < 0.5:
        hill = np.cumsum(rng.normal(0, 4, width // 8 + 2))
        xs = np.linspace(0, width, len(hill))
        outline = np.stack([xs, horizon - np.abs(hill) - 8], 1)
        shape = np.concatenate([outline, [(width, horizon), (0, horizon)]]).astype(np.int32)
        cv2.fillPoly(image, [shape], pick(rng, ((70, 100, 70), (110, 120, 130), (140, 150, 110))), cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 5))):
        _tree(image, rng, int(rng.uniform(0, width)), int(horizon + rng.uniform(0, 18)), float(rng.uniform(35, 130)))
    if rng.random() < 0.3:  # fence or railing
        colour, step = pick(rng, ACCENT), int(rng.integers(8, 22))
        top = horizon - int(rng.integers(5, 30))
        cv2.line(image, (0, top), (width, top), colour, 2)
        for x in range(0, width, step):
            cv2.line(image, (x, top), (x, horizon + 8), colour, int(rng.integers(1, 4)))
    for _ in range(int(rng.integers(0, 3))):  # poles and signs
        x = int(rng.uniform(0, width))
        top = int(rng.uniform(0, horizon))
        cv2.line(
            image,
            (x, top),
            (x, horizon + int(rng.uniform(0, 30))),
            pick(rng, ACCENT),
            int(rng.integers(2, 8)),
            cv2.LINE_AA,
        )
        if rng.random() < 0.5:
            cv2.ellipse(image, (x, top), (8, 8), 0, 0, 360, pick(rng, ACCENT), -1, cv2.LINE_AA)
    if rng.random() < 0.35:  # road marks or paths
        colour = _shade(ground, 1.3)
        for _ in range(int(rng.integers(1, 4))):
            x = int(rng.uniform(-width * 0.3, width))
            stripe = np.array(
                ((x, height), (x + 30, height), (width // 2 + 5, horizon), (width // 2, horizon)), np.int32
            )
            cv2.fillPoly(image, [stripe], colour, cv2.LINE_AA)


def draw_occluder(
    image: np.ndarray, rng: np.random.Generator, centre_xy: tuple[float, float], size_px: float
) -> np.ndarray:
    """Paint a thing (box, bush, pole, table, ball, umbrella) about `centre_xy`; return its (H, W) bool mask."""
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    x, y = centre_xy
    s = size_px
    colour = pick(rng, ACCENT + FLOOR)
    kind = int(rng.integers(6))

    def both(draw: Callable[..., object], *arguments: object) -> None:
        *rest, tone = arguments
        draw(image, *rest, tone, -1, cv2.LINE_AA)
        draw(mask, *rest, 255, -1, cv2.LINE_AA)

    def block(x0: float, y0: float, x1: float, y1: float, tone: tuple[int, int, int]) -> None:
        both(cv2.rectangle, (int(x0), int(y0)), (int(x1), int(y1)), tone)

    if kind == 0:
        block(x - s / 2, y - s / 2, x + s / 2, y + s / 2, colour)
        block(x - s / 2, y - s / 2, x + s / 2, y - s / 3, _shade(colour, 1.2))
    elif kind == 1:
        leaf = pick(rng, ((60, 100, 50), (90, 130, 60), (40, 80, 60)))
        for _ in range(12):
            dx, dy = rng.normal(0, s * 0.25), rng.normal(0, s * 0.2)
            axes = (max(2, int(s * 0.18)), max(2, int(s * 0.13)))
            both(cv2.ellipse, (int(x + dx), int(y + dy)), axes, 0, 0, 360, _shade(leaf, rng.uniform(0.7, 1.3)))
    elif kind == 2:
        block(x - s * 0.07, y - s * 1.6, x + s * 0.07, y + s * 1.6, colour)
    elif kind == 3:
        block(x - s * 0.8, y - s * 0.1, x + s * 0.8, y + s * 0.06, colour)
        for side in (-0.7, 0.7):
            block(x + side * s - s * 0.05, y, x + side * s + s * 0.05, y + s * 0.9, _shade(colour, 0.7))
    elif kind == 4:
        both(cv2.ellipse, (int(x), int(y)), (int(s * 0.35), int(s * 0.35)), 0, 0, 360, colour)
        both(
            cv2.ellipse,
            (int(x - s * 0.1), int(y - s * 0.1)),
            (int(s * 0.15), int(s * 0.12)),
            0,
            0,
            360,
            _shade(colour, 1.3),
        )
    else:
        block(x - s * 0.02, y - s * 0.5, x + s * 0.02, y + s, (60, 60, 60))
        both(cv2.ellipse, (int(x), int(y - s * 0.4)), (int(s * 0.7), int(s * 0.4)), 0, 180, 360, colour)
    return mask > 127


def draw_seat(
    image: np.ndarray, rng: np.random.Generator, pelvis_xy: np.ndarray, ground_y: float, stature_px: float
) -> np.ndarray:
    """Paint a stool, bench or block under a pelvis, down to the ground, and return its (H, W) bool mask."""
    mask = np.zeros(image.shape[:2], np.uint8)
    x, y = float(pelvis_xy[0]), float(pelvis_xy[1]) + 0.045 * stature_px
    half = stature_px * float(rng.choice([0.11, 0.15, 0.4]))
    colour = pick(rng, ACCENT + FLOOR)
    thick = 0.03 * stature_px
    solid = rng.random() < 0.4
    blocks = [(x - half, y, x + half, max(ground_y, y + thick) if solid else y + thick, colour)]
    if not solid:
        leg = _shade(colour, 0.7)
        for side in (x - 0.85 * half, x + 0.85 * half):
            blocks.append((side - thick / 2, y + thick, side + thick / 2, max(ground_y, y), leg))
    if rng.random() < 0.4:
        blocks.append((x - half, y - 0.3 * stature_px, x + half, y - 0.04 * stature_px, _shade(colour, 0.85)))
    for x0, y0, x1, y1, tone in blocks:
        for target, value in ((image, tone), (mask, 255)):
            cv2.rectangle(target, (int(x0), int(y0)), (int(x1), int(y1)), value, -1, cv2.LINE_AA)
    return mask > 127
