"""Where values stand in a drawing, the frame of both axes, and the svg element around its parts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks.analysis.figures.axes import Axis

WIDTH, HEIGHT = 400, 264
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 12, 40


def x_of(axis: Axis, value: float) -> float:
    """The place of a value on a horizontal axis, in user units from the left."""
    return LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT)


def y_of(axis: Axis, value: float, height: int = HEIGHT) -> float:
    """The place of a value on a vertical axis, in user units from the top."""
    return height - BOTTOM - axis.place(value) * (height - TOP - BOTTOM)


def frame(x_axis: Axis, y_axis: Axis, height: int = HEIGHT, slant: bool = False) -> list[str]:
    """Grid lines, ticks and labels of both axes; `slant` turns the names below."""
    base = height - BOTTOM
    out = ['<g class="grid">']
    for tick, name in zip(y_axis.ticks, y_axis.texts, strict=True):
        y = y_of(y_axis, tick, height)
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 3.6:.1f}" text-anchor="end">{escape(name)}</text>')
    for tick, name in zip(x_axis.ticks, x_axis.texts, strict=True):
        x = x_of(x_axis, tick)
        out.append(f'<line class="notch" x1="{x:.1f}" x2="{x:.1f}" y1="{base}" y2="{base + 4}"/>')
        place = f'x="{x:.1f}" y="{base + 16}" text-anchor="middle"'
        if slant:
            place = f'x="{x + 4:.1f}" y="{base + 14}" text-anchor="end" transform="rotate(-40 {x + 4:.1f} {base + 14})"'
        out.append(f'<text class="tick" {place}>{escape(name)}</text>')
    out.append(f'<line class="base" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>')
    return [*out, *_labels(x_axis, y_axis, height), "</g>"]


def _labels(x_axis: Axis, y_axis: Axis, height: int) -> list[str]:
    middle = (LEFT + WIDTH - RIGHT) / 2
    out = [f'<text class="label" x="{middle}" y="{height - 6}" text-anchor="middle">{escape(x_axis.label)}</text>']
    if y_axis.label:
        centre = (TOP + height - BOTTOM) / 2
        turn = f"rotate(-90 11 {centre})"
        out.append(
            f'<text class="label" x="11" y="{centre}" text-anchor="middle" transform="{turn}">{escape(y_axis.label)}</text>'
        )
    return out


def document(name: str, parts: Sequence[str], height: int = HEIGHT, width: int = WIDTH) -> str:
    """The svg element around the parts of a plot; `name` is read by screen readers."""
    head = f'<svg class="plot" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(name, quote=True)}">'
    return head + "".join(parts) + "</svg>"
