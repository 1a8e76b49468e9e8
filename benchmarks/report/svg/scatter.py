"""Points over a cost, with the Pareto front."""

from __future__ import annotations

from html import escape

from benchmarks.analysis.figures.axes import number
from benchmarks.analysis.figures.charts import Points
from benchmarks.report.svg.frame import BOTTOM, HEIGHT, LEFT, WIDTH, document, frame, x_of, y_of
from benchmarks.report.svg.marks import css, marker


def scatter(chart: Points) -> str:
    """One labelled point per series over a cost, with intervals and the Pareto front."""
    x_axis, y_axis = chart.axes()
    parts = frame(x_axis, y_axis)
    if front := chart.front():
        path = " ".join(f"{x_of(x_axis, x):.1f},{y_of(y_axis, y):.1f}" for x, y in front)
        parts.append(f'<polyline class="front" points="{path}"/>')
    taken: list[tuple[float, float, float, float]] = []
    for item in chart.series:
        (x, y), *_ = item.points
        px, py = x_of(x_axis, x), y_of(y_axis, y)
        taken.append((px - 7, py - 7, px + 7, py + 7))
        for pair in item.intervals:
            if pair:
                top, low = y_of(y_axis, pair[1]), y_of(y_axis, pair[0])
                style = f'class="whisker {css(item.look)}"'
                parts.append(f'<line {style} x1="{px:.1f}" x2="{px:.1f}" y1="{top:.1f}" y2="{low:.1f}"/>')
        parts.append(marker(item.look, px, py, f"{item.name}: {number(y)} at {number(x)}"))
    for item in chart.series:
        (x, y), *_ = item.points
        parts.append(_label(item.name, x_of(x_axis, x), y_of(y_axis, y), taken))
    return document(chart.title, parts)


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
