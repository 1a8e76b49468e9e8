"""A chart of any kind as SVG."""

from __future__ import annotations

from benchmarks.analysis.figures.charts import Bars, Chart, Lines, Points, Ranks
from benchmarks.report.svg.bars import bars
from benchmarks.report.svg.lines import lines, ranking
from benchmarks.report.svg.scatter import scatter


def svg(chart: Chart) -> str:
    """The svg element of a chart.

    Raises:
        TypeError: a kind of chart that is not known here.
    """
    if isinstance(chart, Points):
        return scatter(chart)
    if isinstance(chart, Lines):
        return lines(chart)
    if isinstance(chart, Ranks):
        return ranking(chart)
    if isinstance(chart, Bars):
        return bars(chart)
    raise TypeError(f"no drawing of {type(chart).__name__}")
