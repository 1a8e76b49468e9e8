"""Aeroplanes and boats, seen from the side."""

from __future__ import annotations

import numpy as np

from benchmarks.synthetic.raster.canvas import Canvas, Colour, Point, shade_colour

_LIVERY: tuple[Colour, ...] = ((36, 70, 160), (200, 40, 44), (40, 130, 90), (240, 150, 30), (70, 74, 84))


def aeroplane(canvas: Canvas, rng: np.random.Generator, centre_xy: Point, length: float, *, depth: float = 0.0) -> None:
    """Paint an airliner of `length` pixels in the air or, with its wheels, on the ground (`centre_xy` is its middle)."""
    livery = _LIVERY[rng.integers(len(_LIVERY))]
    side, pitch = float(rng.choice((-1, 1))), rng.uniform(-0.18, 0.06)
    turn = np.array([[np.cos(pitch), np.sin(pitch)], [-np.sin(pitch), np.cos(pitch)]])

    def at(points: list[tuple[float, float]]) -> np.ndarray:
        result: np.ndarray = (np.array(points) @ turn) * (side * length, length) + np.asarray(centre_xy, np.float64)
        return result

    white: Colour = (236, 238, 240)
    with canvas.item("aeroplane", instance=True, depth=depth, grain=0.01, blotch=0.02):
        canvas.polygon(at([(-0.02, -0.02), (0.12, -0.03), (-0.04, -0.16), (-0.12, -0.17)]), (170, 174, 180))
        canvas.polygon(at([(-0.46, -0.05), (-0.34, -0.05), (-0.42, -0.26), (-0.52, -0.26)]), livery)
        hull = [(-0.52, -0.05), (-0.38, -0.07), (0.34, -0.07), (0.44, -0.045)]
        hull += [(0.5, 0.0), (0.44, 0.035), (0.3, 0.055), (-0.2, 0.055)]
        canvas.polygon(at(hull), white)
        canvas.polygon(at([(-0.5, -0.03), (0.49, -0.012), (0.47, 0.018), (-0.42, 0.01)]), livery)
        canvas.polygon(at([(-0.2, 0.055), (0.3, 0.055), (0.4, 0.035), (-0.3, 0.03)]), shade_colour(white, 0.78))
        starts = np.arange(-0.34, 0.36, 0.035).tolist()
        panes = [at([(u, -0.045), (u + 0.014, -0.045), (u + 0.014, -0.022), (u, -0.022)]) for u in starts]
        canvas.polygon(np.stack(panes), (50, 60, 76))
        canvas.polygon(at([(0.4, -0.05), (0.45, -0.035), (0.46, -0.018), (0.4, -0.02)]), (40, 50, 64))
        canvas.polygon(at([(0.1, 0.03), (-0.06, 0.03), (-0.26, 0.2), (-0.18, 0.2)]), (196, 200, 206))
        canvas.polygon(at([(-0.4, -0.02), (-0.48, -0.02), (-0.56, 0.05), (-0.51, 0.05)]), (196, 200, 206))
        for u, v in ((-0.02, 0.09), (-0.1, 0.14)):
            canvas.polygon(
                at([(u, v - 0.03), (u + 0.1, v - 0.025), (u + 0.1, v + 0.02), (u, v + 0.02)]), shade_colour(livery, 0.8)
            )


def boat(canvas: Canvas, rng: np.random.Generator, waterline_xy: Point, length: float, *, depth: float = 0.0) -> None:
    """Paint a sailing boat, a motor boat or a rowing boat of `length` pixels floating at `waterline_xy`."""
    x, y = float(waterline_xy[0]), float(waterline_xy[1])
    paint: Colour = ((236, 236, 232), (170, 40, 40), (36, 70, 130), (130, 84, 50), (40, 110, 90))[rng.integers(5)]
    side, kind = float(rng.choice((-1, 1))), int(rng.integers(3))

    def at(points: list[tuple[float, float]]) -> np.ndarray:
        return np.array(points) * (side * length, -length) + [x, y]

    canvas.shadow((x, y + 0.03 * length), (0.5 * length, 0.07 * length), 0.4)
    with canvas.item("boat", instance=True, depth=depth, grain=0.01, blotch=0.03):
        if kind == 0:
            canvas.line(at([(0.0, 0.1), (0.0, 1.0)]), max(0.02 * length, 0.8), (90, 70, 50))
            sail: Colour = ((246, 244, 236), (226, 90, 50), (60, 120, 190))[rng.integers(3)]
            canvas.polygon(at([(-0.03, 0.18), (-0.42, 0.2), (-0.03, 0.98)]), sail)
            canvas.polygon(at([(0.03, 0.18), (0.4, 0.2), (0.03, 0.86)]), shade_colour(sail, 0.85))
        elif kind == 1:
            canvas.polygon(at([(-0.3, 0.12), (-0.28, 0.36), (0.08, 0.36), (0.2, 0.12)]), (240, 240, 238))
            canvas.polygon(at([(-0.24, 0.2), (-0.22, 0.32), (0.04, 0.32), (0.1, 0.2)]), (60, 80, 100))
            canvas.line(at([(-0.2, 0.36), (-0.2, 0.6)]), max(0.02 * length, 0.8), (120, 120, 124))
        canvas.polygon(at([(-0.46, 0.17), (0.54, 0.2), (0.36, -0.03), (-0.4, -0.03)]), paint)
        canvas.polygon(at([(-0.46, 0.17), (0.54, 0.2), (0.5, 0.15), (-0.45, 0.13)]), shade_colour(paint, 1.3))
        canvas.polygon(at([(-0.42, 0.03), (0.41, 0.03), (0.36, -0.03), (-0.4, -0.03)]), shade_colour(paint, 0.5))
