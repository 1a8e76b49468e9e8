"""Horizontal bars in named groups."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from benchmarks.analysis.figures.axes import Axis, number
from benchmarks.analysis.figures.charts import Bar, Bars
from benchmarks.report.svg.frame import TOP, document
from benchmarks.report.svg.marks import css

SCALE_HEIGHT = 30
"""Room below the bars for ticks and label, in user units."""


@dataclass(frozen=True)
class _Layout:
    """Where bars stand: the left end and the scale of values, and how thick a bar and how wide the gap of groups is."""

    left: int
    span: int
    low: float
    high: float
    thick: int
    gap: int

    @property
    def scale(self) -> float:
        """User units of one unit of value."""
        return self.span / (self.high - self.low or 1.0)

    def x(self, value: float) -> float:
        """The place of a value, in user units from the left."""
        return self.left + (value - self.low) * self.scale


def bars(chart: Bars, width: int) -> str:
    """Horizontal bars from zero, in named groups: classes with one bar per body, or bodies with one bar per variant."""
    groups, axis = chart.groups, chart.axis()
    thick, gap = (13, 9) if max(len(items) for _, items in groups) > 1 or len(groups) < 12 else (10, 6)
    names = min(170, 12 + int(6.3 * max(len(group) for group, _ in groups)))
    # A value stands beyond its bar's end, on the side to which the bar goes.
    before = max((_room(bar) for bar in chart.shown if _goes_left(bar)), default=0)
    after = max((_room(bar) for bar in chart.shown if not _goes_left(bar)), default=10)
    layout = _Layout(names + before, width - names - before - after, axis.low, axis.high, thick, gap)
    height = TOP + sum(len(items) * thick + gap for _, items in groups) + SCALE_HEIGHT
    parts = _scale(layout, height, axis)
    y = float(TOP)
    for group, items in groups:
        parts.append(_heading(group, names, y + len(items) * thick / 2 + 4))
        for bar in items:
            if bar.value is not None:
                parts += _bar(group, bar, bar.value, layout, y)
            y += thick
        y += gap
    return document(chart.title, parts, width, height)


def _text(bar: Bar) -> str:
    return bar.text or ("" if bar.value is None else number(bar.value))


def _room(bar: Bar) -> int:
    """The room that a bar's value takes, in user units."""
    return 10 + int(5.7 * len(_text(bar)))


def _goes_left(bar: Bar) -> bool:
    return bar.value is not None and bar.value < 0


def _scale(layout: _Layout, height: int, axis: Axis) -> list[str]:
    """Grid lines with their values, and the label below."""
    base = height - SCALE_HEIGHT
    parts = ['<g class="grid">']
    for tick in axis.ticks:
        x = layout.x(tick)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 4}" y2="{base}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{base + 12}" text-anchor="middle">{number(tick)}</text>')
    middle = layout.left + layout.span / 2
    below = (
        f'<text class="label" x="{middle:.0f}" y="{height - 4}" text-anchor="middle">{escape(axis.label)}</text></g>'
    )
    return [*parts, below]


def _heading(group: str, left: int, y: float) -> str:
    """A group's name, cut where it is long; the whole of it is the tooltip."""
    shown = group if len(group) <= 26 else group[:25] + "…"
    whole = f"<title>{escape(group)}</title>" if shown != group else ""
    return f'<text class="name" x="{left - 7}" y="{y:.1f}" text-anchor="end">{escape(shown)}{whole}</text>'


def _bar(group: str, bar: Bar, value: float, layout: _Layout, y: float) -> list[str]:
    """A bar with its interval and its value behind it; `y` is its upper edge."""
    zero, end = layout.left - layout.low * layout.scale, layout.x(value)
    style = f'class="bar {css(bar.look)}"'
    title = f"<title>{escape(f'{group}, {bar.name}: {number(value)}')}</title>"
    size = f'width="{max(abs(end - zero), 0.8):.1f}" height="{layout.thick - 2}"'
    parts = [f'<rect {style} x="{min(zero, end):.1f}" y="{y + 1:.1f}" {size} rx="2">{title}</rect>']
    middle, edge, side = y + layout.thick / 2, end, (-4, "end") if value < 0 else (4, "start")
    if bar.interval:
        start, stop = (layout.x(edge) for edge in bar.interval)
        parts.append(f'<line class="error" x1="{start:.1f}" x2="{stop:.1f}" y1="{middle:.1f}" y2="{middle:.1f}"/>')
        edge = min(end, start) if value < 0 else max(end, stop)
    place = f'x="{edge + side[0]:.1f}" y="{middle + 3.6:.1f}" text-anchor="{side[1]}"'
    return [*parts, f'<text class="value" {place}>{escape(_text(bar))}</text>']
