"""Axes of a plot, and the frame that they make."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 400, 264
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 12, 40


@dataclass(frozen=True)
class Axis:
    """A straight or logarithmic axis over [low, high]; `reverse` puts low at the far end."""

    label: str
    low: float
    high: float
    log: bool = False
    reverse: bool = False
    ticks: tuple[float, ...] = ()
    names: tuple[str, ...] = ()

    def place(self, value: float) -> float:
        """0 at `low`, 1 at `high`."""
        low, high = self.low, self.high
        if self.log:
            value, low, high = math.log10(max(value, 1e-12)), math.log10(low), math.log10(high)
        share = (value - low) / (high - low) if high > low else 0.5
        return 1 - share if self.reverse else share


def nice_ticks(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """About `count` round numbers that lie in [low, high]."""
    if not high > low:
        return (low,)
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return tuple(round(index * step, 12) for index in range(first, math.floor(high / step + 1e-9) + 1))


def log_ticks(low: float, high: float) -> tuple[float, ...]:
    """1, 2, 5 times powers of ten in [low, high]; thinned to at most six."""
    ticks = [
        factor * 10.0**power
        for power in range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
        for factor in (1, 2, 5)
    ]
    inside = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
    return tuple(inside[:: math.ceil(len(inside) / 6)] if len(inside) > 6 else inside)


def number(value: float) -> str:
    """Short text of a tick or a value."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 10000 or size < 0.001:
        return f"{value:.0e}".replace("e+0", "e").replace("e-0", "e-")
    return f"{value:.4g}"


def axis(label: str, values: Sequence[float], log: bool = False, zero: bool = False, reverse: bool = False) -> Axis:
    """An axis that holds the values with a little room; `zero` makes it begin at zero."""
    low, high = min(values), max(values)
    if log and low > 0:
        low, high = low / 1.25, high * 1.25
        return Axis(label, low, high, True, reverse, log_ticks(low, high))
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    low = min(0.0, low) if zero else (0.0 if 0 <= low < room else low - room)
    high += room
    return Axis(label, low, high, False, reverse, nice_ticks(low, high))


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
    for index, tick in enumerate(y_axis.ticks):
        y = y_of(y_axis, tick, height)
        name = y_axis.names[index] if y_axis.names else number(tick)
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 3.6:.1f}" text-anchor="end">{escape(name)}</text>')
    for index, tick in enumerate(x_axis.ticks):
        x = x_of(x_axis, tick)
        name = x_axis.names[index] if x_axis.names else number(tick)
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
