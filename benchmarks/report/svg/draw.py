"""A chart of any kind as SVG."""

from __future__ import annotations

from benchmarks.analysis.figures.charts import Bars, Chart, Lines, Points, Ranks
from benchmarks.report.svg.bars import bars
from benchmarks.report.svg.frame import WIDTH
from benchmarks.report.svg.lines import lines, ranking
from benchmarks.report.svg.scatter import scatter


def svg(chart: Chart, width: int = WIDTH) -> str:
    """The svg element of a chart, `width` user units wide.

    Raises:
        TypeError: a kind of chart that is not known here.
    """
    if isinstance(chart, Points):
        return scatter(chart, width)
    if isinstance(chart, Lines):
        return lines(chart, width)
    if isinstance(chart, Ranks):
        return ranking(chart, width)
    if isinstance(chart, Bars):
        return bars(chart, width)
    raise TypeError(f"no drawing of {type(chart).__name__}")
