"""Points over a cost, with the Pareto front."""

from __future__ import annotations

from html import escape

from benchmarks.analysis.figures.axes import number
from benchmarks.analysis.figures.charts import Points
from benchmarks.report.svg.frame import LETTER, Frame, document, height_of
from benchmarks.report.svg.marks import css, marker


def scatter(chart: Points, width: int) -> str:
    """One labelled point per series over a cost, with intervals and the Pareto front."""
    frame = Frame(*chart.axes(), width, height_of(width))
    parts = frame.parts()
    if front := chart.front():
        path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in front)
        parts.append(f'<polyline class="front" points="{path}"/>')
    taken: list[tuple[float, float, float, float]] = []
    for item in chart.series:
        (x, y), *_ = item.points
        px, py = frame.x(x), frame.y(y)
        taken.append((px - 7, py - 7, px + 7, py + 7))
        for pair in item.intervals:
            if pair:
                top, low = frame.y(pair[1]), frame.y(pair[0])
                style = f'class="whisker {css(item.look)}"'
                parts.append(f'<line {style} x1="{px:.1f}" x2="{px:.1f}" y1="{top:.1f}" y2="{low:.1f}"/>')
        parts.append(marker(item.look, px, py, f"{item.name}: {number(y)} at {number(x)}"))
    for item in chart.series:
        (x, y), *_ = item.points
        parts.append(_label(item.name, frame.x(x), frame.y(y), frame, taken))
    return document(chart.title, parts, width, frame.height)


def _label(text: str, x: float, y: float, frame: Frame, taken: list[tuple[float, float, float, float]]) -> str:
    """A label beside a point where nothing else stands; none if there is no such place (the legend has it)."""
    width = LETTER * len(text)
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
        if box[0] < frame.left or box[2] > frame.width - 2 or box[1] < 0 or box[3] > frame.base:
            continue
        if all(box[2] <= t[0] or box[0] >= t[2] or box[3] <= t[1] or box[1] >= t[3] for t in taken):
            taken.append(box)
            return f'<text class="name" x="{x + dx:.1f}" y="{y + dy:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    return ""
