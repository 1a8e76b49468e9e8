"""Animals seen from the side: horse, cow, sheep, dog, cat, bird.

Shapes are given in units of the animal's height at the withers, x to where it looks, y up, the feet at y = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.synthetic.raster.canvas import Canvas, Colour, Point, blob, shade_colour

COATS: dict[str, tuple[Colour, ...]] = {
    "horse": ((120, 70, 36), (74, 46, 30), (46, 36, 34), (196, 160, 110), (214, 208, 200)),
    "cow": ((236, 230, 220), (132, 78, 44), (50, 42, 40), (176, 112, 64)),
    "sheep": ((228, 222, 206), (214, 206, 190), (198, 188, 170)),
    "dog": ((196, 146, 84), (92, 62, 40), (44, 40, 40), (224, 206, 176), (150, 96, 52)),
    "cat": ((214, 134, 60), (112, 108, 104), (46, 44, 46), (230, 224, 214), (150, 130, 108)),
    "bird": ((70, 74, 84), (196, 60, 48), (60, 110, 190), (232, 232, 228), (236, 190, 50), (120, 90, 60)),
}


class _Sketch:
    """Maps animal coordinates to the canvas: foot at (x, y), `size` pixels per unit, `facing` +1 right or -1 left."""

    def __init__(self, canvas: Canvas, x: float, y: float, size: float, facing: float) -> None:
        self.canvas, self.x, self.y, self.size, self.facing = canvas, x, y, size, facing

    def at(self, points: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
        points = np.asarray(points, np.float64)
        return points * (self.facing * self.size, -self.size) + (self.x, self.y)

    def shape(self, points: Sequence[Sequence[float]] | np.ndarray, colour: Colour) -> None:
        self.canvas.polygon(self.at(points), colour)

    def limb(self, points: Sequence[Sequence[float]], width: float, colour: Colour) -> None:
        self.canvas.line(self.at(points), max(width * self.size, 0.8), colour)

    def oval(self, centre: Sequence[float], radii: Sequence[float], colour: Colour, angle: float = 0.0) -> None:
        scaled = (radii[0] * self.size, radii[1] * self.size)
        self.canvas.ellipse(self.at([centre])[0], scaled, colour, angle_deg=angle * self.facing)


def _legs(
    sketch: _Sketch,
    rng: np.random.Generator,
    places: Sequence[float],
    high: float,
    width: float,
    coat: Colour,
    hoof: Colour,
) -> None:
    swing = rng.uniform(0.0, 0.09)
    for k, place in enumerate(places):
        forward = swing * (1 if k % 2 else -1)
        colour = shade_colour(coat, 0.68 if k % 2 else 0.95)
        sketch.limb([(place, high), (place + 0.4 * forward, 0.5 * high), (place + forward, 0.03)], width, colour)
        sketch.limb([(place + forward, 0.07), (place + forward, 0.01)], width * 1.15, hoof)


def _horse(sketch: _Sketch, rng: np.random.Generator, coat: Colour) -> None:
    mane = shade_colour(coat, 0.4)
    low = rng.random() < 0.3  # grazing
    _legs(sketch, rng, (-0.42, -0.34, 0.34, 0.42), 0.62, 0.085, coat, (34, 30, 28))
    sketch.limb([(-0.52, 0.82), (-0.64, 0.7), (-0.66, 0.36)], 0.1, mane)
    sketch.oval((0, 0.72), (0.52, 0.21), coat)
    sketch.oval((-0.36, 0.74), (0.2, 0.22), coat)
    neck, head = ((0.66, 0.52), (0.8, 0.24)) if low else ((0.62, 1.12), (0.8, 1.06))
    sketch.shape([(0.22, 0.9), (0.5, 0.56), (neck[0] + 0.1, neck[1] - 0.06), (neck[0] - 0.08, neck[1] + 0.1)], coat)
    sketch.limb([(0.26, 0.92), (neck[0] - 0.08, neck[1] + 0.1)], 0.08, mane)
    sketch.limb([neck, head], 0.17, shade_colour(coat, 1.05))
    muzzle = [((neck[0] + head[0]) / 2, (neck[1] + head[1]) / 2), (head[0] + 0.06, head[1] - 0.06)]
    sketch.limb(muzzle, 0.12, shade_colour(coat, 0.85))
    sketch.shape(
        [(neck[0] - 0.06, neck[1] + 0.08), (neck[0] - 0.02, neck[1] + 0.24), (neck[0] + 0.05, neck[1] + 0.07)], mane
    )
    sketch.oval((0, 0.56), (0.4, 0.06), shade_colour(coat, 0.72))


def _cow(sketch: _Sketch, rng: np.random.Generator, coat: Colour) -> None:
    patch = (50, 40, 38) if sum(coat) > 500 else (232, 226, 214)
    _legs(sketch, rng, (-0.48, -0.38, 0.36, 0.46), 0.5, 0.11, coat, (40, 34, 32))
    sketch.limb([(-0.62, 0.9), (-0.68, 0.6), (-0.66, 0.4)], 0.04, shade_colour(coat, 0.7))
    sketch.shape([(-0.62, 0.92), (-0.64, 0.5), (-0.5, 0.38), (0.45, 0.38), (0.62, 0.6), (0.56, 0.96), (0.1, 0.9)], coat)
    for _ in range(3):
        spot = sketch.at([(rng.uniform(-0.42, 0.36), rng.uniform(0.58, 0.8))])[0]
        size = sketch.size * rng.uniform(0.09, 0.15)
        sketch.canvas.polygon(blob(rng, spot, (size * 1.2, size), 0.15), patch)
    sketch.oval((-0.3, 0.38), (0.12, 0.07), (226, 170, 160))
    sketch.oval((0.72, 0.86), (0.15, 0.19), shade_colour(coat, 0.92), 20)
    sketch.oval((0.82, 0.72), (0.1, 0.09), (220, 180, 166))
    sketch.limb([(0.6, 1.0), (0.52, 1.02)], 0.07, shade_colour(coat, 0.75))
    sketch.limb([(0.72, 1.02), (0.7, 1.14), (0.78, 1.18)], 0.045, (222, 214, 190))
    sketch.oval((0.75, 0.92), (0.025, 0.025), (20, 18, 18))


def _sheep(sketch: _Sketch, rng: np.random.Generator, coat: Colour) -> None:
    face: Colour = ((44, 40, 40), (206, 190, 164))[rng.integers(2)]
    _legs(sketch, rng, (-0.36, -0.26, 0.24, 0.34), 0.45, 0.085, face, (30, 28, 28))
    for centre in ((-0.36, 0.66), (-0.12, 0.72), (0.14, 0.72), (0.36, 0.68), (-0.3, 0.52), (0.0, 0.5), (0.3, 0.53)):
        size = 0.25 * sketch.size
        light = 0.86 if centre[1] < 0.6 else 1.02
        sketch.canvas.polygon(blob(rng, sketch.at([centre])[0], (size, size), 0.06), shade_colour(coat, light))
    sketch.oval((0.64, 0.78), (0.15, 0.1), face, -30)
    sketch.oval((0.5, 0.84), (0.09, 0.035), shade_colour(face, 0.8), 20)
    sketch.oval((0.5, 0.92), (0.11, 0.08), coat)


def _dog(sketch: _Sketch, rng: np.random.Generator, coat: Colour) -> None:
    _legs(sketch, rng, (-0.44, -0.36, 0.28, 0.36), 0.55, 0.1, coat, shade_colour(coat, 0.6))
    sketch.limb([(-0.48, 0.8), (-0.66, 0.98), (-0.7, 1.14)], 0.08, coat)
    sketch.shape([(-0.54, 0.84), (-0.52, 0.56), (-0.1, 0.5), (0.36, 0.42), (0.48, 0.7), (0.4, 0.9), (0.0, 0.86)], coat)
    sketch.shape([(0.22, 0.88), (0.44, 0.6), (0.64, 0.98), (0.46, 1.12)], coat)
    sketch.oval((0.56, 1.1), (0.17, 0.15), coat)
    sketch.oval((0.74, 1.03), (0.15, 0.085), shade_colour(coat, 1.12), 8)
    sketch.oval((0.87, 1.06), (0.04, 0.035), (20, 18, 18))
    sketch.oval((0.46, 1.06), (0.07, 0.16), shade_colour(coat, 0.55), -15)
    sketch.oval((0.62, 1.15), (0.025, 0.025), (20, 18, 18))
    sketch.limb([(0.34, 0.84), (0.52, 0.8)], 0.06, ((200, 30, 40), (30, 80, 190), (240, 180, 30))[rng.integers(3)])


def _cat_face(sketch: _Sketch, x: float, y: float, coat: Colour) -> None:
    for side in (-1, 1):
        ear = [(x + side * 0.21, y + 0.04), (x + side * 0.2, y + 0.34), (x + side * 0.03, y + 0.18)]
        sketch.shape(ear, shade_colour(coat, 0.85))
    sketch.oval((x, y), (0.23, 0.2), shade_colour(coat, 1.05))
    for side in (-1, 1):
        sketch.oval((x + side * 0.09, y + 0.03), (0.04, 0.045), (170, 200, 60))
        sketch.oval((x + side * 0.09, y + 0.03), (0.015, 0.04), (16, 16, 16))
    sketch.oval((x, y - 0.07), (0.1, 0.07), shade_colour(coat, 1.35))
    sketch.oval((x, y - 0.03), (0.03, 0.02), (200, 110, 110))


def _cat(sketch: _Sketch, rng: np.random.Generator, coat: Colour) -> None:
    stripe = shade_colour(coat, 0.6)
    if rng.random() < 0.5:  # sitting
        sketch.limb([(-0.34, 0.08), (-0.6, 0.1), (-0.66, 0.34)], 0.1, coat)
        sketch.shape([(-0.42, 0.0), (-0.4, 0.34), (-0.16, 0.74), (0.16, 0.8), (0.28, 0.4), (0.3, 0.0)], coat)
        for k in range(3):
            sketch.limb([(-0.34 + 0.06 * k, 0.3 + 0.14 * k), (-0.14 + 0.06 * k, 0.26 + 0.14 * k)], 0.04, stripe)
        sketch.limb([(0.16, 0.5), (0.18, 0.03)], 0.12, shade_colour(coat, 1.1))
        _cat_face(sketch, 0.06, 0.92, coat)
        return
    _legs(sketch, rng, (-0.46, -0.38, 0.26, 0.34), 0.5, 0.1, coat, shade_colour(coat, 1.2))
    sketch.limb([(-0.5, 0.7), (-0.7, 0.9), (-0.72, 1.2), (-0.62, 1.36)], 0.08, coat)
    sketch.oval((-0.05, 0.62), (0.5, 0.19), coat)
    for k in range(4):
        sketch.limb([(-0.36 + 0.16 * k, 0.8), (-0.34 + 0.16 * k, 0.62)], 0.04, stripe)
    _cat_face(sketch, 0.46, 0.86, coat)


def _bird(sketch: _Sketch, rng: np.random.Generator, coat: Colour) -> None:
    beak = (236, 160, 40)
    if rng.random() < 0.5:  # flying
        lift = rng.uniform(0.35, 0.75)
        sketch.shape([(0.1, 0.5), (-0.25, 0.5 + lift), (-0.55, 0.55 + lift), (-0.22, 0.46)], shade_colour(coat, 0.72))
        sketch.shape([(-0.4, 0.52), (-0.8, 0.62), (-0.78, 0.46)], shade_colour(coat, 0.8))
        sketch.oval((0.0, 0.5), (0.46, 0.16), coat, 5)
        sketch.shape(
            [(0.2, 0.5), (-0.05, 0.55 + lift * 1.1), (-0.42, 0.62 + lift), (-0.15, 0.46)], shade_colour(coat, 0.9)
        )
        sketch.oval((0.44, 0.58), (0.15, 0.14), coat)
        sketch.shape([(0.56, 0.62), (0.76, 0.56), (0.56, 0.54)], beak)
        sketch.oval((0.48, 0.62), (0.03, 0.03), (16, 16, 16))
        return
    for place in (-0.04, 0.08):
        sketch.limb([(place, 0.3), (place + 0.02, 0.0), (place + 0.12, 0.0)], 0.045, beak)
    sketch.shape([(-0.35, 0.5), (-0.85, 0.42), (-0.8, 0.3), (-0.3, 0.36)], shade_colour(coat, 0.65))
    sketch.oval((0.0, 0.48), (0.44, 0.24), coat, 12)
    sketch.oval((0.1, 0.38), (0.28, 0.14), shade_colour(coat, 1.4), 12)
    sketch.oval((-0.12, 0.52), (0.32, 0.14), shade_colour(coat, 0.7), 12)
    sketch.oval((0.36, 0.76), (0.18, 0.17), coat)
    sketch.shape([(0.5, 0.82), (0.72, 0.75), (0.5, 0.7)], beak)
    sketch.oval((0.41, 0.8), (0.035, 0.035), (16, 16, 16))


_DRAW = {"horse": _horse, "cow": _cow, "sheep": _sheep, "dog": _dog, "cat": _cat, "bird": _bird}
HEIGHT_M = {"horse": 1.55, "cow": 1.35, "sheep": 0.8, "dog": 0.6, "cat": 0.38, "bird": 0.35}


def animal(
    canvas: Canvas, rng: np.random.Generator, kind: str, foot_xy: Point, size_px: float, *, depth: float = 0.0
) -> None:
    """Paint an animal of a kind in `HEIGHT_M`, `size_px` high at the withers, standing at `foot_xy`, looking left or right."""
    coats = COATS[kind]
    coat = shade_colour(coats[rng.integers(len(coats))], rng.uniform(0.85, 1.12))
    sketch = _Sketch(canvas, float(foot_xy[0]), float(foot_xy[1]), size_px, float(rng.choice((-1.0, 1.0))))
    if kind != "bird":
        canvas.shadow(foot_xy, (0.6 * size_px, 0.1 * size_px), 0.4)
    with canvas.item(kind, instance=True, depth=depth, grain=0.1 if kind == "sheep" else 0.04, blotch=0.05):
        _DRAW[kind](sketch, rng, coat)
