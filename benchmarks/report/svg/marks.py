"""Marks of data: the colour and shape of a body's number."""

from __future__ import annotations

from html import escape

from benchmarks.analysis.figures.palette import LIGHT, shape

SHAPES = {
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "triangle": ((0, -1.2), (1.1, 0.85), (-1.1, 0.85)),
    "wedge": ((0, 1.2), (1.1, -0.85), (-1.1, -0.85)),
    "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
    "cross": (
        (-0.4, -1.1), (0.4, -1.1), (0.4, -0.4), (1.1, -0.4), (1.1, 0.4), (0.4, 0.4),
        (0.4, 1.1), (-0.4, 1.1), (-0.4, 0.4), (-1.1, 0.4), (-1.1, -0.4), (-0.4, -0.4),
    ),
    "saltire": (
        (-1.05, -0.5), (-0.5, -1.05), (0, -0.55), (0.5, -1.05), (1.05, -0.5), (0.55, 0),
        (1.05, 0.5), (0.5, 1.05), (0, 0.55), (-0.5, 1.05), (-1.05, 0.5), (-0.55, 0),
    ),
}  # fmt: skip
"""Corners of each shape but the circle, in units of its size."""


def css(look: int) -> str:
    """The class that colours a body's number."""
    return f"k{look % len(LIGHT)}"


def marker(look: int, x: float, y: float, title: str = "", size: float = 5.0) -> str:
    """The mark of a body's number: its shape changes with its colour, so that colour is not the only sign."""
    kind = shape(look)
    inside = f"<title>{escape(title)}</title>" if title else ""
    name = f'class="mark {css(look)}"'
    if kind == "circle":
        return f'<circle {name} cx="{x:.1f}" cy="{y:.1f}" r="{size}">{inside}</circle>'
    path = " ".join(f"{x + size * dx:.1f},{y + size * dy:.1f}" for dx, dy in SHAPES[kind])
    return f'<polygon {name} points="{path}">{inside}</polygon>'


def legend_mark(look: int) -> str:
    """A mark alone, for legends."""
    return f'<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">{marker(look, 8, 8)}</svg>'
