"""Marks of data: a colour's number, the shape that goes with it, and series of points."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

NUM_COLOURS = 10
MARKERS = ("circle", "square", "triangle", "diamond", "cross")


@dataclass(frozen=True)
class Series:
    """A named set of points (x, y) in one colour; `intervals` are (low, high) of y per point, or None."""

    name: str
    points: tuple[tuple[float, float], ...]
    colour: int = 0
    intervals: tuple[tuple[float, float] | None, ...] = ()


def marker(colour: int, x: float, y: float, title: str = "", size: float = 5.0) -> str:
    """The mark of a colour: its shape changes with it, so that colour is not the only sign."""
    kind = MARKERS[colour % len(MARKERS)]
    inside = f"<title>{escape(title)}</title>" if title else ""
    css = f'class="mark c{colour % NUM_COLOURS}"'
    if kind == "circle":
        return f'<circle {css} cx="{x:.1f}" cy="{y:.1f}" r="{size}">{inside}</circle>'
    shapes = {
        "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        "triangle": ((0, -1.2), (1.1, 0.85), (-1.1, 0.85)),
        "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
        "cross": (
            (-0.4, -1.1), (0.4, -1.1), (0.4, -0.4), (1.1, -0.4), (1.1, 0.4), (0.4, 0.4),
            (0.4, 1.1), (-0.4, 1.1), (-0.4, 0.4), (-1.1, 0.4), (-1.1, -0.4), (-0.4, -0.4),
        ),
    }  # fmt: skip
    path = " ".join(f"{x + size * dx:.1f},{y + size * dy:.1f}" for dx, dy in shapes[kind])
    return f'<polygon {css} points="{path}">{inside}</polygon>'
