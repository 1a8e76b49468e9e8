"""Draws charts for print with matplotlib: PDF, PNG and SVG in the width of one column or of the page, fonts embedded.

Axes, ticks, colours and shapes are the charts' own, as the page shows them; letters are 7 and 8 pt at the printed size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.analysis.figures.axes import Axis
from benchmarks.analysis.figures.charts import Bar, Bars, Chart, Lines, Points, Ranks, Series, stretches
from benchmarks.analysis.figures.palette import colour, shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTHS_IN = {"column": 3.25, "page": 6.875}
"""One column and both of a two-column paper (CVPR, ICCV), in inches."""
FORMATS = ("pdf", "png", "svg")
MARKS = {
    "circle": "o", "square": "s", "triangle": "^", "diamond": "D", "cross": "P", "wedge": "v", "saltire": "X",
}  # fmt: skip
STYLE: Mapping[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.linewidth": 0.4,
    "grid.color": "#dddddd",
    "lines.linewidth": 1.2,
    "lines.markersize": 4.2,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "hrnet-benchmark",
}
"""Type 42 embeds the TrueType letters in the PDF; the SVG holds them as outlines."""


def draw(chart: Chart, width: str = "column") -> Figure:
    """The chart as a figure of one of `WIDTHS_IN`; call it and save the figure within `style()`."""
    from matplotlib.figure import Figure

    inches = WIDTHS_IN[width]
    figure = Figure(figsize=(inches, _height(chart, inches)), layout="constrained")
    axes = figure.add_subplot()
    handles = _draw_on(axes, chart)
    if len(handles) > 1:
        longest = max(len(name) for name in handles)
        columns = max(1, min(len(handles), int(inches * 17 / (longest + 5))))
        figure.legend(
            list(handles.values()), list(handles), loc="outside lower center", ncols=columns, frameon=False,
            handletextpad=0.4, columnspacing=1.0,
        )  # fmt: skip
    return figure


def style() -> Any:
    """The settings under which figures are drawn and saved, as a context."""
    import matplotlib

    settings: Any = dict(STYLE)
    return matplotlib.rc_context(settings)


def save(chart: Chart, folder: Path, name: str, width: str, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Writes `folder/NAME.WIDTH.FORMAT` in every format; the same chart gives the same bytes."""
    nothing_dated = {"pdf": {"CreationDate": None, "ModDate": None}, "svg": {"Date": None}, "png": {"Software": None}}
    made = []
    with style():
        figure = draw(chart, width)
        for form in formats:
            path = folder / f"{name}.{width}.{form}"
            figure.savefig(path, format=form, metadata=nothing_dated[form])
            made.append(path)
    return made


def _height(chart: Chart, inches: float) -> float:
    if isinstance(chart, Bars):
        lines = sum(len(items) + 0.7 for _, items in chart.groups)
        return 0.8 + 0.13 * lines
    if isinstance(chart, Ranks):
        return min(inches * 0.8, 2.9)
    return min(inches * 0.74, 2.9)


def _draw_on(axes: Axes, chart: Chart) -> dict[str, Any]:
    """Draws the chart; returns the legend's handles by name.

    Raises:
        TypeError: a kind of chart that is not known here.
    """
    if isinstance(chart, Points):
        return _points(axes, chart)
    if isinstance(chart, Lines):
        return _lines(axes, chart)
    if isinstance(chart, Ranks):
        return _ranks(axes, chart)
    if isinstance(chart, Bars):
        return _bars(axes, chart)
    raise TypeError(f"no drawing of {type(chart).__name__}")


def _set(axes: Axes, x_axis: Axis, y_axis: Axis) -> None:
    """The charts' own bounds, ticks and labels; no others."""
    for which, axis in (("x", x_axis), ("y", y_axis)):
        if axis.log:
            getattr(axes, f"set_{which}scale")("log")
        bounds = (axis.high, axis.low) if axis.reverse else (axis.low, axis.high)
        getattr(axes, f"set_{which}lim")(*bounds)
        getattr(axes, f"set_{which}ticks")(axis.ticks, axis.texts, minor=False)
        getattr(axes, f"set_{which}ticks")([], minor=True)
        getattr(axes, f"set_{which}label")(axis.label)
    axes.grid(axis="y")
    axes.tick_params(length=2, width=0.6)


def _look(series: Series | Bar) -> dict[str, Any]:
    return {"color": colour(series.look), "marker": MARKS[shape(series.look)]}


def _points(axes: Axes, chart: Points) -> dict[str, Any]:
    handles = {}
    if front := chart.front():
        axes.plot(*zip(*front, strict=True), linestyle=(0, (3, 3)), color="#777777", linewidth=0.8, zorder=1)
    for item in chart.series:
        (x, y), *_ = item.points
        for pair in item.intervals:
            if pair:
                axes.vlines(x, *pair, color=colour(item.look), linewidth=1.0)
        (handles[item.name],) = axes.plot([x], [y], linestyle="none", markersize=5.5, **_look(item))
    _set(axes, *chart.axes())
    return handles


def _lines(axes: Axes, chart: Lines) -> dict[str, Any]:
    handles = {}
    for item in chart.series:
        xs, ys = zip(*item.points, strict=True)
        (handles[item.name],) = axes.plot(xs, ys, markevery=[len(xs) - 1], clip_on=False, **_look(item))
    _set(axes, chart.x_axis, chart.y_axis)
    return handles


def _ranks(axes: Axes, chart: Ranks) -> dict[str, Any]:
    handles = {}
    for item in chart.series:
        for stretch in stretches(item.points):
            axes.plot(*zip(*stretch, strict=True), color=colour(item.look), linewidth=1.4)
        xs, ys = zip(*item.points, strict=True)
        (handles[item.name],) = axes.plot(xs, ys, linestyle="none", markersize=5.5, **_look(item))
    _set(axes, *chart.axes())
    axes.set_xticks(axes.get_xticks(), chart.columns, rotation=40, ha="right", rotation_mode="anchor")
    return handles


def _bars(axes: Axes, chart: Bars) -> dict[str, Any]:
    handles: dict[str, Any] = {}
    y, middles, names = 0.0, [], []
    for group, items in chart.groups:
        middles.append(y + (len(items) - 1) / 2)
        names.append(group)
        for bar in items:
            if bar.value is not None:
                made = axes.barh(y, bar.value, height=0.86, color=colour(bar.look), label=bar.name)
                handles.setdefault(bar.name, made)
                end, way = bar.value, -1 if bar.value < 0 else 1
                if bar.interval:
                    axes.hlines(y, *bar.interval, color="#333333", linewidth=0.8)
                    end = way * max(way * end, *(way * edge for edge in bar.interval))
                axes.annotate(
                    bar.text,
                    (end, y),
                    (2 * way, 0),
                    textcoords="offset points",
                    va="center",
                    ha="left" if way > 0 else "right",
                    fontsize=6,
                    annotation_clip=False,
                )
            y += 1.0
        y += 0.7
    x_axis = chart.axis()
    axes.set_ylim(y - 0.9, -0.9)
    axes.set_yticks(middles, names)
    axes.set_xlim(x_axis.low, x_axis.high)
    axes.set_xticks(x_axis.ticks, x_axis.texts)
    axes.set_xlabel(x_axis.label)
    axes.grid(axis="x")
    # Values of bars that go left stand between their ends and the names.
    beside = max((len(bar.text) for bar in chart.shown if (bar.value or 0) < 0), default=0)
    axes.tick_params(length=0)
    axes.tick_params(axis="y", pad=3.5 + 4 * beside)
    if beside:
        axes.spines["left"].set_visible(False)
        axes.axvline(0, color="black", linewidth=0.6)
    return handles
