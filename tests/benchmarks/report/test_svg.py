"""Plots as SVG: round ticks, the Pareto front, gaps, and data at the edge."""

from __future__ import annotations

from benchmarks.report.svg.axes import log_ticks, nice_ticks
from benchmarks.report.svg.bars import Bar, bars
from benchmarks.report.svg.lines import lines, ranking, stretches
from benchmarks.report.svg.marks import Series
from benchmarks.report.svg.scatter import pareto, scatter


def test_ticks_are_round_and_inside() -> None:
    assert nice_ticks(0, 1) == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert log_ticks(0.03, 3) == (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
    for low, high in ((0.0, 97.3), (55.1, 60.2), (-3, 4), (1e-4, 2e-4)):
        ticks = nice_ticks(low, high)
        assert 3 <= len(ticks) <= 8 and min(ticks) >= low - 1e-12 and max(ticks) <= high + 1e-12


def test_pareto_front() -> None:
    points = [(1.0, 50.0), (2.0, 40.0), (3.0, 60.0), (2.5, 55.0), (3.0, 58.0)]
    assert pareto(points, True) == [0, 3, 2]
    assert pareto(points, False) == [0, 1]


def test_plots_survive_odd_data() -> None:
    flat = [Series("a & b", ((1.0, 5.0),), 0, ((4.0, 6.0),)), Series("b", ((1.0, 5.0),), 1, (None,))]
    assert "a &amp; b" in scatter("flat", flat, "x", "y")
    one = lines("one", [Series("a", ((0.0, 0.5),), 0)], "x", "y", log_y=True)
    assert "nan" not in one and "polyline" in one
    assert bars("none", [("g", [Bar("a", None)])], "x") == ""
    negative = bars("n", [("g", [Bar("a", -2.0, 0, (-3.0, -1.0)), Bar("b", 4.0)])], "x")
    assert negative.count("<rect") == 2


def test_ranks_break_where_there_is_no_figure() -> None:
    assert stretches([(0, 1), (1, 2), (3, 1), (5, 1), (6, 1)]) == [[(0, 1), (1, 2)], [(5, 1), (6, 1)]]
    series = [Series("a", ((0.0, 1.0), (1.0, 1.0), (4.0, 1.0)), 0)]
    names = ["coco detection", "pascal_context", "b", "c", "d"]
    text = ranking("ranks", names, series)
    assert text.count("<polyline") == 1 and text.count("<circle") == 3
    assert all(f">{name}</text>" in text for name in names)
