"""Simple everyday things, seen from the front or slightly from above.

Every function paints one item whose foot stands at `foot_xy` (the middle of its lower edge, canvas pixels) and whose
height is about `size` pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.synthetic.raster.canvas import (
    Canvas,
    Colour,
    Point,
    blend_colour,
    blob,
    ellipse_points,
    inset,
    rectangle,
    shade_colour,
)
from benchmarks.synthetic.scenes.things.belongings import bag, ball, clock, flower, kite, pottedplant, umbrella
from benchmarks.synthetic.scenes.things.shapes import column, stand_at, vivid


def bottle(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint a bottle with a label, a neck and a cap."""
    x, y, s = stand_at(foot_xy, size)
    glass: Colour = ((30, 92, 48), (96, 54, 24), (60, 140, 190), (170, 200, 205), (200, 60, 40))[rng.integers(5)]
    canvas.shadow((x, y), (0.26 * s, 0.06 * s), 0.4)
    with canvas.item("bottle", instance=True, depth=depth, grain=0.01, blotch=0.02):
        body = [(0.13, 0.0), (0.145, 0.03), (0.145, 0.56), (0.06, 0.72), (0.05, 0.94), (0.06, 1.0)]
        canvas.polygon(column(x, y, body, s), glass)
        canvas.polygon(rectangle(x - 0.11 * s, y - 0.56 * s, x - 0.05 * s, y - 0.06 * s), shade_colour(glass, 1.6))
        label = vivid(rng)
        canvas.polygon(rectangle(x - 0.145 * s, y - 0.45 * s, x + 0.145 * s, y - 0.17 * s), label)
        canvas.polygon(rectangle(x - 0.145 * s, y - 0.36 * s, x + 0.145 * s, y - 0.27 * s), shade_colour(label, 0.6))
        canvas.polygon(rectangle(x - 0.06 * s, y - 1.02 * s, x + 0.06 * s, y - 0.92 * s), vivid(rng))


def cup(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint a cup with its handle, seen slightly from above."""
    x, y, s = stand_at(foot_xy, size)
    paint = vivid(rng)
    side = float(rng.choice((-1, 1)))
    canvas.shadow((x, y), (0.6 * s, 0.14 * s), 0.4)
    with canvas.item("cup", instance=True, depth=depth, grain=0.01, blotch=0.02):
        handle = ellipse_points((x + side * 0.46 * s, y - 0.5 * s), (0.2 * s, 0.24 * s))
        canvas.line(np.concatenate([handle, handle[:1]]), max(0.09 * s, 0.8), shade_colour(paint, 0.8))
        canvas.polygon(column(x, y, [(0.24, 0.0), (0.33, 0.06), (0.42, 0.86)], s), paint)
        canvas.polygon(ellipse_points((x, y - 0.02 * s), (0.26 * s, 0.05 * s)), paint)
        canvas.polygon(rectangle(x - 0.28 * s, y - 0.8 * s, x - 0.17 * s, y - 0.1 * s), shade_colour(paint, 1.25))
        canvas.ellipse((x, y - 0.86 * s), (0.42 * s, 0.13 * s), shade_colour(paint, 1.2))
        canvas.ellipse(
            (x, y - 0.85 * s), (0.35 * s, 0.095 * s), ((70, 40, 22), (236, 226, 206), (150, 80, 30))[rng.integers(3)]
        )


def plate(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint a plate lying on a table; `size` is its depth on the picture, it is wider than that."""
    x, y, s = stand_at(foot_xy, size)
    paint: Colour = ((244, 244, 240), (226, 236, 244), (244, 232, 210))[rng.integers(3)]
    rim = vivid(rng)
    centre = (x, y - 0.5 * s)
    canvas.shadow((x, y - 0.42 * s), (1.25 * s, 0.6 * s), 0.35)
    with canvas.item("plate", instance=True, depth=depth, grain=0.01, blotch=0.02):
        canvas.ellipse(centre, (1.15 * s, 0.5 * s), shade_colour(paint, 0.88))
        canvas.ellipse((x, y - 0.53 * s), (1.12 * s, 0.47 * s), paint)
        canvas.ellipse((x, y - 0.52 * s), (0.86 * s, 0.35 * s), blend_colour(paint, rim, 0.5))
        canvas.ellipse((x, y - 0.52 * s), (0.8 * s, 0.32 * s), shade_colour(paint, 0.95))


def food(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint a heap of food: meat, greens, fruit; or a cake."""
    x, y, s = stand_at(foot_xy, size)
    with canvas.item("food", instance=True, depth=depth, grain=0.1, blotch=0.1):
        if rng.random() < 0.3:
            icing: Colour = ((246, 226, 214), (110, 60, 36), (238, 170, 190))[rng.integers(3)]
            canvas.polygon(column(x, y, [(0.8, 0.0), (0.8, 0.55)], s), (206, 150, 86))
            canvas.ellipse((x, y - 0.02 * s), (0.8 * s, 0.16 * s), (206, 150, 86))
            canvas.ellipse((x, y - 0.58 * s), (0.82 * s, 0.22 * s), icing)
            for turn in np.linspace(0, 2 * np.pi, 6, endpoint=False):
                spot = (x + 0.55 * s * np.cos(turn), y - 0.62 * s + 0.13 * s * np.sin(turn))
                canvas.ellipse(spot, (0.1 * s, 0.09 * s), (200, 24, 40))
            return
        colours = ((172, 92, 44), (90, 150, 50), (226, 176, 70), (204, 50, 36), (236, 206, 140), (120, 70, 40))
        for _ in range(9):
            spot = (x + rng.uniform(-0.55, 0.55) * s, y - rng.uniform(0.15, 0.55) * s)
            size_px = s * rng.uniform(0.2, 0.34)
            canvas.polygon(blob(rng, spot, (size_px, size_px * 0.75), 0.12), colours[rng.integers(6)])


def book(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint an upright book, a lying one, or an open one."""
    x, y, s = stand_at(foot_xy, size)
    cover = vivid(rng)
    kind = int(rng.integers(3))
    with canvas.item("book", instance=True, depth=depth, grain=0.01, blotch=0.02):
        if kind == 0:
            face = rectangle(x - 0.36 * s, y - s, x + 0.36 * s, y)
            canvas.polygon(rectangle(x + 0.3 * s, y - 0.97 * s, x + 0.46 * s, y - 0.02 * s), (240, 236, 222))
            canvas.polygon(face, cover)
            canvas.polygon(inset(face, 0.0, 0.0, 0.1, 1.0), shade_colour(cover, 0.65))
            canvas.polygon(inset(face, 0.22, 0.16, 0.88, 0.34), (244, 240, 226))
            canvas.polygon(inset(face, 0.3, 0.5, 0.8, 0.82), shade_colour(cover, 1.35))
        elif kind == 1:
            for k in range(int(rng.integers(1, 4))):
                shift, high = rng.uniform(-0.08, 0.08) * s, 0.2 * s
                low = y - k * high
                canvas.polygon(rectangle(x + shift - 0.6 * s, low - high, x + shift + 0.6 * s, low), vivid(rng))
                pages = rectangle(x + shift - 0.5 * s, low - 0.78 * high, x + shift + 0.6 * s, low - 0.22 * high)
                canvas.polygon(pages, (242, 238, 224))
        else:
            for side in (-1, 1):
                corners = [[0, -0.06], [side * 0.8, 0], [side * 0.7, -0.46], [0, -0.52]]
                page = np.array(corners) * s + np.array([x, y])
                canvas.polygon(page + np.array([0, 0.05 * s]), cover)
                canvas.polygon(page, (244, 242, 232) if side > 0 else (228, 226, 216))
                for v in (0.2, 0.4, 0.6, 0.8):
                    canvas.line(inset(page, 0.12, v, 0.9, v)[:2], max(0.02 * s, 0.5), (120, 120, 124))


def computer(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint an open laptop."""
    x, y, s = stand_at(foot_xy, size)
    shell: Colour = ((190, 192, 196), (60, 62, 68), (226, 226, 228))[rng.integers(3)]
    canvas.shadow((x, y - 0.1 * s), (s, 0.2 * s), 0.4)
    with canvas.item("computer", instance=True, depth=depth, grain=0.01, blotch=0.01):
        lid = np.array(
            [[x - 0.66 * s, y - s], [x + 0.66 * s, y - s], [x + 0.7 * s, y - 0.24 * s], [x - 0.7 * s, y - 0.24 * s]]
        )
        canvas.polygon(lid, shade_colour(shell, 0.5))
        screen = inset(lid, 0.05, 0.07, 0.95, 0.93)
        canvas.polygon(screen, ((70, 130, 210), (40, 60, 90), (120, 190, 200))[rng.integers(3)])
        canvas.polygon(inset(screen, 0.1, 0.15, 0.5, 0.75), (240, 244, 248))
        canvas.polygon(inset(screen, 0.58, 0.15, 0.9, 0.45), vivid(rng))
        base = np.array(
            [[x - 0.7 * s, y - 0.24 * s], [x + 0.7 * s, y - 0.24 * s], [x + 0.86 * s, y], [x - 0.86 * s, y]]
        )
        canvas.polygon(base, shell)
        canvas.polygon(inset(base, 0.1, 0.1, 0.9, 0.58), shade_colour(shell, 0.45))
        canvas.polygon(inset(base, 0.38, 0.66, 0.62, 0.94), shade_colour(shell, 0.8))


def keyboard(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint a keyboard lying on a table; `size` is its depth on the picture, about a third of its width."""
    x, y, s = stand_at(foot_xy, size)
    shell: Colour = ((40, 42, 46), (226, 224, 216), (90, 92, 98))[rng.integers(3)]
    keys = shade_colour(shell, 1.9) if sum(shell) < 200 else shade_colour(shell, 0.72)
    with canvas.item("keyboard", instance=True, depth=depth, grain=0.01, blotch=0.01):
        board = np.array([[x - 1.4 * s, y - s], [x + 1.4 * s, y - s], [x + 1.55 * s, y], [x - 1.55 * s, y]])
        canvas.polygon(board + np.array([0, 0.1 * s]), shade_colour(shell, 0.55))
        canvas.polygon(board, shell)
        spots = [(0.03 + 0.071 * k, 0.1 + 0.21 * r) for r in range(4) for k in range(13)]
        canvas.polygon(np.array([inset(board, u, v, u + 0.055, v + 0.16) for u, v in spots]), keys)


def mouse(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint a computer mouse with its cable."""
    x, y, s = stand_at(foot_xy, size)
    shell: Colour = ((36, 38, 42), (236, 236, 234), (190, 40, 44))[rng.integers(3)]
    with canvas.item("mouse", instance=True, depth=depth, grain=0.01, blotch=0.01):
        canvas.ellipse((x, y - 0.48 * s), (0.42 * s, 0.52 * s), shade_colour(shell, 0.7))
        canvas.ellipse((x, y - 0.54 * s), (0.38 * s, 0.47 * s), shell)
        canvas.line(np.array([[x, y - s], [x, y - 0.6 * s]]), max(0.05 * s, 0.5), shade_colour(shell, 0.45))
        canvas.ellipse((x, y - 0.76 * s), (0.06 * s, 0.12 * s), (110, 112, 116))
        cable = np.array([[x, y - s], [x + 0.1 * s, y - 1.25 * s], [x - 0.05 * s, y - 1.5 * s]])
        canvas.line(cable, max(0.06 * s, 0.6), shade_colour(shell, 0.6))


def tvmonitor(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint a television or monitor on its foot, on or off."""
    x, y, s = stand_at(foot_xy, size)
    with canvas.item("tvmonitor", instance=True, depth=depth, grain=0.008, blotch=0.01):
        canvas.polygon(rectangle(x - 0.1 * s, y - 0.2 * s, x + 0.1 * s, y), (40, 40, 44))
        canvas.ellipse((x, y - 0.03 * s), (0.4 * s, 0.06 * s), (40, 40, 44))
        case = rectangle(x - 0.78 * s, y - s, x + 0.78 * s, y - 0.1 * s)
        canvas.polygon(case, (26, 26, 30))
        screen = inset(case, 0.04, 0.06, 0.96, 0.92)
        if rng.random() < 0.6:
            canvas.polygon(screen, ((80, 150, 220), (60, 120, 70), (190, 120, 60))[rng.integers(3)])
            canvas.polygon(
                inset(screen, 0.0, 0.62, 1.0, 1.0), ((60, 130, 60), (150, 120, 80), (40, 60, 110))[rng.integers(3)]
            )
            canvas.ellipse(inset(screen, 0.3, 0.3, 0.4, 0.4)[0], (0.14 * s, 0.14 * s), vivid(rng))
        else:
            canvas.polygon(screen, (44, 48, 56))
            canvas.polygon(inset(screen, 0.05, 0.05, 0.35, 0.5), (66, 72, 84))


EVERYDAY: dict[str, Callable[..., None]] = {
    "bottle": bottle, "cup": cup, "plate": plate, "food": food, "book": book, "computer": computer, "keyboard": keyboard,
    "mouse": mouse, "tvmonitor": tvmonitor, "pottedplant": pottedplant, "flower": flower, "bag": bag, "clock": clock,
    "ball": ball, "umbrella": umbrella, "kite": kite,
}  # fmt: skip
"""Every thing by its name."""
