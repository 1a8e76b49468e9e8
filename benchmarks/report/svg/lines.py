"""Lines: values over epochs or thresholds, and ranks over columns."""

from __future__ import annotations

from html import escape

from benchmarks.analysis.figures.axes import number
from benchmarks.analysis.figures.charts import Lines, Ranks, stretches
from benchmarks.report.svg.frame import BOTTOM, LETTER, Frame, document, height_of
from benchmarks.report.svg.marks import css, marker


def lines(chart: Lines, width: int) -> str:
    """A line per series, its mark at the end."""
    frame = Frame(chart.x_axis, chart.y_axis, width, height_of(width))
    parts = frame.parts()
    for item in chart.series:
        path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in item.points)
        parts.append(
            f'<polyline class="line {css(item.look)}" points="{path}"><title>{escape(item.name)}</title></polyline>'
        )
        for x, y in item.points[-1:]:
            title = f"{item.name}: {number(y)} at {number(x)}"
            parts.append(marker(item.look, frame.x(x), frame.y(y), title, 3.8))
    return document(chart.title, parts, width, frame.height)


def ranking(chart: Ranks, width: int) -> str:
    """Ranks over columns. A line joins neighbouring columns only: it breaks where a body has no figure."""
    x_axis, y_axis = chart.axes()
    frame = Frame(x_axis, y_axis, width, max(150, int(60 + 30 * (y_axis.high - 0.4))))
    slant = len(chart.columns) > 4
    # Slanted names reach below the frame, by the sine of their length.
    longest = max(len(column) for column in chart.columns)
    room = max(0, int(0.64 * LETTER * longest) - BOTTOM + 22) if slant else 0
    parts = frame.parts(slant)
    for item in chart.series:
        for stretch in stretches(item.points):
            path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in stretch)
            parts.append(f'<polyline class="line bold {css(item.look)}" points="{path}"/>')
        for x, y in item.points:
            title = f"{item.name}: rank {number(y)} on {chart.columns[int(x)]}"
            parts.append(marker(item.look, frame.x(x), frame.y(y), title, 5.5))
    return document(chart.title, parts, width, frame.height + room)
