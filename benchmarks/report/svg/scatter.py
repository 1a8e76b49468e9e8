"""Points over a cost, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from benchmarks.report.svg.axes import BOTTOM, HEIGHT, LEFT, WIDTH, axis, document, frame, number, x_of, y_of
from benchmarks.report.svg.marks import NUM_COLOURS, Series, marker


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
    parts = frame(x_axis, y_axis)
    front = pareto(points, higher_is_better)
    if len(front) > 1:
        path = " ".join(f"{x_of(x_axis, points[i][0]):.1f},{y_of(y_axis, points[i][1]):.1f}" for i in front)
        parts.append(f'<polyline class="front" points="{path}"/>')
    taken: list[tuple[float, float, float, float]] = []
    for item, (x, y) in zip(series, points, strict=True):
        px, py = x_of(x_axis, x), y_of(y_axis, y)
        taken.append((px - 7, py - 7, px + 7, py + 7))
        for pair in item.intervals:
            if pair:
                top, low = y_of(y_axis, pair[1]), y_of(y_axis, pair[0])
                css = f'class="whisker c{item.colour % NUM_COLOURS}"'
                parts.append(f'<line {css} x1="{px:.1f}" x2="{px:.1f}" y1="{top:.1f}" y2="{low:.1f}"/>')
        parts.append(marker(item.colour, px, py, f"{item.name}: {number(y)} at {number(x)}"))
    for item, (x, y) in zip(series, points, strict=True):
        parts.append(_label(item.name, x_of(x_axis, x), y_of(y_axis, y), taken))
    return document(name, parts)


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
