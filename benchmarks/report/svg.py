"""Plots as inline SVG without any library: they take their colours from the page, so light and dark both work.

A colour is a number: class `c0` ... `c9`, given to a body once for the whole page. Sizes are in user units of a
400-wide view box, which a phone shows nearly at scale.  Torch-free.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 400, 264
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 12, 40
NUM_COLOURS = 10
MARKERS = ("circle", "square", "triangle", "diamond", "cross")


@dataclass(frozen=True)
class Series:
    """A named set of points (x, y) in one colour; `intervals` are (low, high) of y per point, or None."""

    name: str
    points: tuple[tuple[float, float], ...]
    colour: int = 0
    intervals: tuple[tuple[float, float] | None, ...] = ()


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


def _x(axis: Axis, value: float) -> float:
    return LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT)


def _y(axis: Axis, value: float, height: int = HEIGHT) -> float:
    return height - BOTTOM - axis.place(value) * (height - TOP - BOTTOM)


def _frame(x_axis: Axis, y_axis: Axis, height: int = HEIGHT, slant: bool = False) -> list[str]:
    out = ['<g class="grid">']
    for index, tick in enumerate(y_axis.ticks):
        y = _y(y_axis, tick, height)
        name = y_axis.names[index] if y_axis.names else number(tick)
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 3.6:.1f}" text-anchor="end">{escape(name)}</text>')
    for index, tick in enumerate(x_axis.ticks):
        x = _x(x_axis, tick)
        name = x_axis.names[index] if x_axis.names else number(tick)
        base = height - BOTTOM
        out.append(f'<line class="notch" x1="{x:.1f}" x2="{x:.1f}" y1="{base}" y2="{base + 4}"/>')
        place = f'x="{x:.1f}" y="{base + 16}" text-anchor="middle"'
        if slant:
            place = f'x="{x + 4:.1f}" y="{base + 14}" text-anchor="end" transform="rotate(-40 {x + 4:.1f} {base + 14})"'
        out.append(f'<text class="tick" {place}>{escape(name)}</text>')
    out.append(f'<line class="base" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height - BOTTOM}" y2="{height - BOTTOM}"/>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    out.append(f'<text class="label" x="{middle}" y="{height - 6}" text-anchor="middle">{escape(x_axis.label)}</text>')
    if y_axis.label:
        centre = (TOP + height - BOTTOM) / 2
        turn = f"rotate(-90 11 {centre})"
        out.append(
            f'<text class="label" x="11" y="{centre}" text-anchor="middle" transform="{turn}">{escape(y_axis.label)}</text>'
        )
    return [*out, "</g>"]


def _svg(name: str, parts: Sequence[str], height: int = HEIGHT, width: int = WIDTH) -> str:
    head = f'<svg class="plot" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(name, quote=True)}">'
    return head + "".join(parts) + "</svg>"


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


def pareto(points: Sequence[tuple[float, float]], higher_is_better: bool) -> list[int]:
    """Indices of points that no other beats in both cost (lower) and value, in order of cost."""
    order = sorted(
        range(len(points)), key=lambda i: (points[i][0], -points[i][1] if higher_is_better else points[i][1])
    )
    front: list[int] = []
    best: float | None = None
    for index in order:
        value = points[index][1] if higher_is_better else -points[index][1]
        if best is None or value > best:
            front.append(index)
            best = value
    return front


def scatter(name: str, series: Sequence[Series], x_label: str, y_label: str, higher_is_better: bool = True) -> str:
    """One labelled point per series over a cost, with intervals and the Pareto front."""
    points = [item.points[0] for item in series]
    costs = [x for x, _ in points]
    bounds = [value for item in series for pair in item.intervals if pair for value in pair]
    log = min(costs) > 0 and max(costs) / min(costs) > 4
    x_axis = axis(x_label, costs, log)
    y_axis = axis(y_label, [y for _, y in points] + bounds)
    parts = _frame(x_axis, y_axis)
    front = pareto(points, higher_is_better)
    if len(front) > 1:
        path = " ".join(f"{_x(x_axis, points[i][0]):.1f},{_y(y_axis, points[i][1]):.1f}" for i in front)
        parts.append(f'<polyline class="front" points="{path}"/>')
    taken: list[tuple[float, float, float, float]] = []
    for item, (x, y) in zip(series, points, strict=True):
        px, py = _x(x_axis, x), _y(y_axis, y)
        taken.append((px - 7, py - 7, px + 7, py + 7))
        for pair in item.intervals:
            if pair:
                top, low = _y(y_axis, pair[1]), _y(y_axis, pair[0])
                css = f'class="whisker c{item.colour % NUM_COLOURS}"'
                parts.append(f'<line {css} x1="{px:.1f}" x2="{px:.1f}" y1="{top:.1f}" y2="{low:.1f}"/>')
        parts.append(marker(item.colour, px, py, f"{item.name}: {number(y)} at {number(x)}"))
    for item, (x, y) in zip(series, points, strict=True):
        parts.append(_label(item.name, _x(x_axis, x), _y(y_axis, y), taken))
    return _svg(name, parts)


def _label(text: str, x: float, y: float, taken: list[tuple[float, float, float, float]]) -> str:
    """A label beside a point where nothing else stands; none if there is no such place (the legend has it)."""
    width = 6.1 * len(text)
    for dx, dy, anchor in (
        (9, 4, "start"),
        (-9, 4, "end"),
        (0, -11, "middle"),
        (0, 19, "middle"),
        (9, -8, "start"),
        (9, 15, "start"),
        (-9, -8, "end"),
        (-9, 15, "end"),
    ):
        left = x + dx - {"start": 0.0, "end": width, "middle": width / 2}[anchor]
        box = (left, y + dy - 10, left + width, y + dy + 3)
        if box[0] < LEFT or box[2] > WIDTH - 2 or box[1] < 0 or box[3] > HEIGHT - BOTTOM:
            continue
        if all(box[2] <= t[0] or box[0] >= t[2] or box[3] <= t[1] or box[1] >= t[3] for t in taken):
            taken.append(box)
            return f'<text class="name" x="{x + dx:.1f}" y="{y + dy:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    return ""


def lines(
    name: str, series: Sequence[Series], x_label: str, y_label: str, log_y: bool = False, marks: bool = False
) -> str:
    """A line per series."""
    xs = [x for item in series for x, _ in item.points]
    ys = [y for item in series for _, y in item.points]
    log_y = log_y and min(ys) > 0 and max(ys) / min(ys) > 8
    low, high = min(xs), max(xs)
    x_axis = Axis(x_label, low, high if high > low else low + 1, ticks=nice_ticks(low, high))
    y_axis = axis(y_label, ys, log_y)
    parts = _frame(x_axis, y_axis)
    for item in series:
        path = " ".join(f"{_x(x_axis, x):.1f},{_y(y_axis, y):.1f}" for x, y in item.points)
        css = f'class="line c{item.colour % NUM_COLOURS}"'
        parts.append(f'<polyline {css} points="{path}"><title>{escape(item.name)}</title></polyline>')
        if marks or len(item.points) == 1:
            for x, y in item.points:
                title = f"{item.name}: {number(y)} at {number(x)}"
                parts.append(marker(item.colour, _x(x_axis, x), _y(y_axis, y), title, 3.6))
        elif item.points:
            x, y = item.points[-1]
            parts.append(marker(item.colour, _x(x_axis, x), _y(y_axis, y), f"{item.name}: {number(y)}", 3.6))
    return _svg(name, parts)


def ranking(name: str, columns: Sequence[str], series: Sequence[Series]) -> str:
    """Ranks (1 on top) of bodies over columns: who leads where. x of a point is the column's index.

    A line joins neighbouring columns only: it breaks where a body has no figure.
    """
    worst = max(y for item in series for _, y in item.points)
    height = max(150, int(60 + 30 * worst))
    x_axis = Axis("", -0.2, len(columns) - 0.8, ticks=tuple(range(len(columns))), names=tuple(columns))
    ticks = tuple(float(rank) for rank in range(1, math.ceil(worst) + 1))
    y_axis = Axis("rank", 0.6, max(worst + 0.4, 1.8), reverse=True, ticks=ticks)
    slant = len(columns) > 4
    # Slanted names reach below the frame, by the sine of their length.
    room = max(0, int(0.64 * 6 * max(len(column) for column in columns)) - BOTTOM + 22) if slant else 0
    parts = _frame(x_axis, y_axis, height, slant)
    for item in series:
        for stretch in stretches(item.points):
            path = " ".join(f"{_x(x_axis, x):.1f},{_y(y_axis, y, height):.1f}" for x, y in stretch)
            parts.append(f'<polyline class="line bold c{item.colour % NUM_COLOURS}" points="{path}"/>')
        for x, y in item.points:
            title = f"{item.name}: rank {number(y)} on {columns[int(x)]}"
            parts.append(marker(item.colour, _x(x_axis, x), _y(y_axis, y, height), title, 5.5))
    return _svg(name, parts, height + room)


def stretches(points: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Points over whole numbers x, in order, cut where a number is passed over; only stretches of two and more."""
    made: list[list[tuple[float, float]]] = []
    for point in sorted(points):
        if made and point[0] - made[-1][-1][0] <= 1:
            made[-1].append(point)
        else:
            made.append([point])
    return [stretch for stretch in made if len(stretch) > 1]


@dataclass(frozen=True)
class Bar:
    """A bar of a group: value with an optional interval."""

    name: str
    value: float | None
    colour: int = 0
    interval: tuple[float, float] | None = None
    text: str = ""


def bars(name: str, groups: Sequence[tuple[str, Sequence[Bar]]], label: str) -> str:
    """Horizontal bars from zero, in named groups: classes with one bar per body, or bodies with one bar per variant."""
    thick, gap = (13, 9) if max(len(items) for _, items in groups) > 1 or len(groups) < 12 else (10, 6)
    longest = max(len(group) for group, _ in groups)
    left = min(170, 12 + int(6.3 * longest))
    texts = [bar.text or number(bar.value) for _, items in groups for bar in items if bar.value is not None]
    right = 10 + int(5.7 * max((len(text) for text in texts), default=5))
    values = [bar.value for _, items in groups for bar in items if bar.value is not None]
    values += [edge for _, items in groups for bar in items if bar.interval for edge in bar.interval]
    if not values:
        return ""
    low, high = min(0.0, *values), max(values) or 1.0
    span = WIDTH - left - right
    scale = span / (high - low or 1.0)
    height = TOP + sum(len(items) * thick + gap for _, items in groups) + 30
    ticks = nice_ticks(low, high, 4)
    base = height - 30
    parts = ['<g class="grid">']
    for tick in ticks:
        x = left + (tick - low) * scale
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 4}" y2="{base}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{base + 12}" text-anchor="middle">{number(tick)}</text>')
    middle = left + span / 2
    parts.append(
        f'<text class="label" x="{middle:.0f}" y="{height - 4}" text-anchor="middle">{escape(label)}</text></g>'
    )
    y = float(TOP)
    zero = left - low * scale
    for group, items in groups:
        shown = group if len(group) <= 26 else group[:25] + "…"
        whole = f"<title>{escape(group)}</title>" if shown != group else ""
        centre = y + len(items) * thick / 2 + 4
        parts.append(
            f'<text class="name" x="{left - 7}" y="{centre:.1f}" text-anchor="end">{escape(shown)}{whole}</text>'
        )
        for bar in items:
            if bar.value is not None:
                end = left + (bar.value - low) * scale
                css = f'class="bar c{bar.colour % NUM_COLOURS}"'
                title = f"<title>{escape(f'{group}, {bar.name}: {number(bar.value)}')}</title>"
                box = f'x="{min(zero, end):.1f}" y="{y + 1:.1f}" width="{max(abs(end - zero), 0.8):.1f}" height="{thick - 2}"'
                parts.append(f'<rect {css} {box} rx="2">{title}</rect>')
                edge = end
                if bar.interval:
                    start, stop = (left + (value - low) * scale for value in bar.interval)
                    ends = f'x1="{start:.1f}" x2="{stop:.1f}" y1="{y + thick / 2:.1f}" y2="{y + thick / 2:.1f}"'
                    parts.append(f'<line class="error" {ends}/>')
                    edge = max(end, stop)
                text = bar.text or number(bar.value)
                parts.append(
                    f'<text class="value" x="{edge + 4:.1f}" y="{y + thick / 2 + 3.6:.1f}">{escape(text)}</text>'
                )
            y += thick
        y += gap
    return _svg(name, parts, height)
