"""Charts as SVG: gaps, text that is escaped, and data at the edge."""

from __future__ import annotations

import pytest

from benchmarks.analysis.figures.axes import Axis, axis
from benchmarks.analysis.figures.charts import Bar, Bars, Chart, Lines, Points, Ranks, Series
from benchmarks.report.svg.draw import svg


def test_plots_survive_odd_data() -> None:
    flat = (Series("a & b", ((1.0, 5.0),), 0, ((4.0, 6.0),)), Series("b", ((1.0, 5.0),), 1, (None,)))
    assert "a &amp; b" in svg(Points("flat", "", flat, "x", "y"))
    one = svg(Lines("one", "", (Series("a", ((0.0, 0.5),), 0),), Axis("x", 0, 1), axis("y", [0.5], True)))
    assert "nan" not in one and "polyline" in one
    groups = (("g", (Bar("a", -2.0, 0, (-3.0, -1.0)), Bar("b", 4.0), Bar("c", None))),)
    assert svg(Bars("n", "", groups, "x")).count("<rect") == 2
    with pytest.raises(TypeError, match="no drawing of Chart"):
        svg(Chart("c"))


def test_ranks_break_where_there_is_no_figure() -> None:
    series = (Series("a", ((0.0, 1.0), (1.0, 1.0), (4.0, 1.0)), 0),)
    names = ("coco detection", "pascal_context", "b", "c", "d")
    text = svg(Ranks("ranks", "", series, names))
    assert text.count("<polyline") == 1 and text.count("<circle") == 3
    assert all(f">{name}</text>" in text for name in names)
