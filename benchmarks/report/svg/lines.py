"""Lines: values over epochs or thresholds, and ranks over columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from benchmarks.report.svg.axes import BOTTOM, Axis, axis, document, frame, nice_ticks, number, x_of, y_of
from benchmarks.report.svg.marks import NUM_COLOURS, Series, marker


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
    parts = frame(x_axis, y_axis)
    for item in series:
        path = " ".join(f"{x_of(x_axis, x):.1f},{y_of(y_axis, y):.1f}" for x, y in item.points)
        css = f'class="line c{item.colour % NUM_COLOURS}"'
        parts.append(f'<polyline {css} points="{path}"><title>{escape(item.name)}</title></polyline>')
        if marks or len(item.points) == 1:
            for x, y in item.points:
                title = f"{item.name}: {number(y)} at {number(x)}"
                parts.append(marker(item.colour, x_of(x_axis, x), y_of(y_axis, y), title, 3.6))
        elif item.points:
            x, y = item.points[-1]
            parts.append(marker(item.colour, x_of(x_axis, x), y_of(y_axis, y), f"{item.name}: {number(y)}", 3.6))
    return document(name, parts)


def ranking(name: str, columns: Sequence[str], series: Sequence[Series]) -> str:
    """Ranks (1 on top) of bodies over columns. x of a point is the column's index.

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
    parts = frame(x_axis, y_axis, height, slant)
    for item in series:
        for stretch in stretches(item.points):
            path = " ".join(f"{x_of(x_axis, x):.1f},{y_of(y_axis, y, height):.1f}" for x, y in stretch)
            parts.append(f'<polyline class="line bold c{item.colour % NUM_COLOURS}" points="{path}"/>')
        for x, y in item.points:
            title = f"{item.name}: rank {number(y)} on {columns[int(x)]}"
            parts.append(marker(item.colour, x_of(x_axis, x), y_of(y_axis, y, height), title, 5.5))
    return document(name, parts, height + room)


def stretches(points: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Points over whole numbers x, in order, cut where a number is passed over; only stretches of two and more."""
    made: list[list[tuple[float, float]]] = []
    for point in sorted(points):
        if made and point[0] - made[-1][-1][0] <= 1:
            made[-1].append(point)
        else:
            made.append([point])
    return [stretch for stretch in made if len(stretch) > 1]
