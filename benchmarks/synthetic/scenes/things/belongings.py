"""Plants, bags, clocks, balls, umbrellas, kites; called like the things of `everyday`."""

from __future__ import annotations

import numpy as np

from benchmarks.synthetic.raster.canvas import (
    Canvas,
    Colour,
    Point,
    ellipse_points,
    inset,
    rectangle,
    shade_colour,
)
from benchmarks.synthetic.scenes.things.shapes import column, stand_at, vivid


def pottedplant(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint a plant in a pot: drooping leaves over a tapering pot."""
    x, y, s = stand_at(foot_xy, size)
    pot: Colour = ((176, 92, 56), (230, 226, 216), (70, 80, 96))[rng.integers(3)]
    leaf = shade_colour(((50, 120, 54), (80, 140, 60), (40, 100, 70))[rng.integers(3)], rng.uniform(0.85, 1.15))
    canvas.shadow((x, y), (0.34 * s, 0.07 * s), 0.4)
    with canvas.item("pottedplant", instance=True, depth=depth, grain=0.05, blotch=0.05):
        for turn in np.linspace(-1.25, 1.25, 11) + rng.normal(0, 0.08, 11):
            reach = rng.uniform(0.45, 0.66) * s
            root = np.array([x, y - 0.34 * s])
            tip = root + reach * np.array([np.sin(turn), -np.cos(turn) * 0.98])
            across = np.array([np.cos(turn), np.sin(turn)]) * 0.085 * s
            middle = (root + tip) / 2 - np.array([0, 0.06 * s])
            canvas.polygon(
                np.array([root, middle + across, tip, middle - across]), shade_colour(leaf, rng.uniform(0.7, 1.3))
            )
        canvas.polygon(column(x, y, [(0.15, 0.0), (0.22, 0.34)], s), pot)
        canvas.polygon(rectangle(x - 0.25 * s, y - 0.38 * s, x + 0.25 * s, y - 0.3 * s), shade_colour(pot, 1.15))
        canvas.polygon(rectangle(x + 0.08 * s, y - 0.3 * s, x + 0.17 * s, y), shade_colour(pot, 0.75))


def flower(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint a clump of flowers on their stems."""
    x, y, s = stand_at(foot_xy, size)
    petal = vivid(rng, 7)
    with canvas.item("flower", instance=True, depth=depth, grain=0.03, blotch=0.04):
        for _ in range(6):
            head = np.array([x + rng.uniform(-0.42, 0.42) * s, y - rng.uniform(0.5, 0.95) * s])
            canvas.line(np.array([[x + rng.uniform(-0.1, 0.1) * s, y], head]), max(0.05 * s, 0.7), (60, 120, 50))
            for turn in np.arange(5) * 2 * np.pi / 5:
                at = head + 0.1 * s * np.array([np.cos(turn), np.sin(turn)])
                canvas.ellipse(at, (0.09 * s, 0.09 * s), petal)
            canvas.ellipse(
                head, (0.06 * s, 0.06 * s), (250, 210, 60) if petal[2] > 90 or petal[1] < 120 else (120, 60, 30)
            )


def bag(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint a handbag or a rucksack."""
    x, y, s = stand_at(foot_xy, size)
    paint = vivid(rng)
    canvas.shadow((x, y), (0.5 * s, 0.08 * s), 0.4)
    with canvas.item("bag", instance=True, depth=depth, grain=0.02, blotch=0.04):
        strap = ellipse_points((x, y - 0.66 * s), (0.24 * s, 0.32 * s))
        canvas.line(np.concatenate([strap, strap[:1]]), max(0.06 * s, 0.8), shade_colour(paint, 0.6))
        body = np.array(
            [[x - 0.46 * s, y], [x - 0.38 * s, y - 0.66 * s], [x + 0.38 * s, y - 0.66 * s], [x + 0.46 * s, y]]
        )
        canvas.polygon(body, paint)
        canvas.polygon(inset(body[[1, 2, 3, 0]], 0.0, 0.0, 1.0, 0.4), shade_colour(paint, 0.8))
        canvas.polygon(rectangle(x - 0.06 * s, y - 0.46 * s, x + 0.06 * s, y - 0.36 * s), (240, 206, 110))


def clock(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint a round clock with its marks and hands."""
    x, y, s = stand_at(foot_xy, size)
    rim = vivid(rng)
    centre = np.array([x, y - 0.5 * s])
    with canvas.item("clock", instance=True, depth=depth, grain=0.008, blotch=0.01):
        canvas.ellipse(centre, (0.5 * s, 0.5 * s), rim)
        canvas.ellipse(centre, (0.42 * s, 0.42 * s), (248, 246, 238))
        for turn in np.arange(12) * np.pi / 6:
            way = np.array([np.cos(turn), np.sin(turn)])
            canvas.line(np.stack([centre + 0.33 * s * way, centre + 0.39 * s * way]), max(0.03 * s, 0.5), (30, 30, 30))
        for long, wide in ((0.22, 0.06), (0.32, 0.035)):
            turn = rng.uniform(0, 2 * np.pi)
            tip = centre + long * s * np.array([np.cos(turn), np.sin(turn)])
            canvas.line(np.stack([centre, tip]), max(wide * s, 0.7), (24, 24, 26))


def ball(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint a ball: a football, a basketball or a beach ball, lit from above."""
    x, y, s = stand_at(foot_xy, size)
    radius, kind = 0.5 * s, int(rng.integers(3))
    centre = np.array([x, y - radius])
    canvas.shadow((x, y), (0.55 * s, 0.14 * s), 0.5)
    base: Colour = ((244, 244, 242), (226, 110, 36), (240, 220, 60))[kind]
    with canvas.item("ball", instance=True, depth=depth, grain=0.01, blotch=0.01):
        canvas.ellipse(centre, (radius, radius), shade_colour(base, 0.72))
        canvas.ellipse(centre - 0.06 * s, (radius * 0.86, radius * 0.86), base)
        if kind == 0:
            for turn in np.concatenate([[-1], np.arange(5) * 2 * np.pi / 5 + rng.uniform(0, 1)]):
                spot = centre if turn < 0 else centre + 0.62 * radius * np.array([np.cos(turn), np.sin(turn)])
                corners = np.arange(5) * 2 * np.pi / 5 + turn
                canvas.polygon(spot + 0.22 * radius * np.stack([np.cos(corners), np.sin(corners)], 1), (26, 26, 30))
        elif kind == 1:
            for shift in (-0.5, 0.0, 0.5):
                arc = np.linspace(-0.92, 0.92, 9)
                bend = shift * np.sqrt(1 - arc**2)
                canvas.line(centre + radius * np.stack([bend, arc], 1), max(0.05 * s, 0.6), (50, 30, 20))
            canvas.line(centre + radius * np.array([[-0.95, 0], [0.95, 0]]), max(0.05 * s, 0.6), (50, 30, 20))
        else:
            start = rng.uniform(0, 2 * np.pi)
            for k, colour in enumerate(((214, 40, 46), (36, 90, 200), (246, 246, 244))):
                turn = start + k * 2 * np.pi / 3 + np.linspace(0, np.pi / 3, 5)
                fan = centre + 0.97 * radius * np.stack([np.cos(turn), np.sin(turn)], 1)
                canvas.polygon(np.concatenate([[centre - 0.1 * s], fan]), colour)


def umbrella(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint an open umbrella or parasol on its stick; panels in one or two colours."""
    x, y, s = stand_at(foot_xy, size)
    first, second = vivid(rng), vivid(rng)
    if rng.random() < 0.4:
        second = shade_colour(first, 0.8)
    with canvas.item("umbrella", instance=True, depth=depth, grain=0.01, blotch=0.03):
        canvas.line(np.array([[x, y], [x, y - 0.9 * s]]), max(0.035 * s, 0.9), (90, 70, 50))
        edges = np.linspace(-1, 1, 7)
        turn = np.linspace(0, np.pi, 13)
        rim_y = y - 0.62 * s
        for k in range(6):
            arc = turn[2 * k : 2 * k + 3]
            top = np.stack([x - 0.62 * s * np.cos(arc), rim_y - 0.38 * s * np.sin(arc)], 1)
            low = np.array(
                [[x + 0.62 * s * edges[k + 1], rim_y], [x + 0.31 * s * (edges[k] + edges[k + 1]), rim_y - 0.05 * s]]
            )
            low = np.concatenate([low, [[x + 0.62 * s * edges[k], rim_y]]])
            canvas.polygon(np.concatenate([top, low]), shade_colour(first if k % 2 else second, 1.05 - 0.06 * k))
        canvas.line(np.array([[x, y - 0.98 * s], [x, y - 1.06 * s]]), max(0.03 * s, 0.8), (90, 70, 50))


def kite(canvas: Canvas, rng: np.random.Generator, foot_xy: Point, size: float, *, depth: float = 0.0) -> None:
    """Paint a kite in the air with its tail; `size` is the height of the sail."""
    x, y, s = stand_at(foot_xy, size)
    turn = rng.uniform(-0.5, 0.5)
    rotate = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    first, second = vivid(rng, 7), vivid(rng, 7)

    def at(points: list[tuple[float, float]]) -> np.ndarray:
        result: np.ndarray = np.array(points) @ rotate * s + [x, y - 0.5 * s]
        return result

    with canvas.item("kite", instance=True, depth=depth, grain=0.01, blotch=0.02):
        canvas.polygon(at([(0, -0.5), (0.36, -0.12), (0, 0.5)]), first)
        canvas.polygon(at([(0, -0.5), (-0.36, -0.12), (0, 0.5)]), second)
        canvas.polygon(at([(0, -0.12), (0.36, -0.12), (0, 0.5)]), shade_colour(first, 0.7))
        wave = np.linspace(0, 1, 9)
        tail = at([(0.12 * np.sin(9 * t), 0.5 + 0.6 * t) for t in wave])
        canvas.line(tail, max(0.035 * s, 0.8), (60, 60, 66))
        for spot in tail[2::2]:
            canvas.ellipse(spot, (0.06 * s, 0.04 * s), second)
