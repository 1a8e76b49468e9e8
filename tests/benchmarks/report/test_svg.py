"""Charts as SVG: gaps, text that is escaped, and data at the edge."""

from __future__ import annotations

import re

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


def test_long_ticks_leave_room_for_the_label_beside_them() -> None:
    low = Axis("training loss", 0.0712, 0.0724, ticks=(0.07125, 0.0715, 0.07225))
    for width in (400, 300):
        text = svg(
            Lines("loss", "", (Series("a", ((1.0, 0.072),), 0),), Axis("epoch", 0.5, 1.5, ticks=(1.0,)), low), width
        )
        ticks = re.findall(r'class="tick" x="([\d.]+)" y="[\d.]+" text-anchor="end">([\d.]+)<', text)
        assert [name for _, name in ticks] == ["0.07125", "0.0715", "0.07225"]
        assert min(float(x) - 6 * len(name) for x, name in ticks) >= 16  # the label's letters end at 15
        assert f'viewBox="0 0 {width} ' in text


def test_values_stand_beyond_their_bars() -> None:
    groups = (("left", (Bar("a", -206.2, 0, text="-206.2"),)), ("right", (Bar("a", 3.0, 0, text="3.0"),)))
    text = svg(Bars("MOTA", "", groups, "MOTA (%)"))
    bars = [(float(x), float(w)) for x, w in re.findall(r'<rect [^>]*?x="([\d.]+)" [^>]*?width="([\d.]+)"', text)]
    values = re.findall(r'class="value" x="([\d.]+)" y="[\d.]+" text-anchor="(\w+)"', text)
    assert values[0][1] == "end" and float(values[0][0]) < bars[0][0]
    assert values[1][1] == "start" and float(values[1][0]) > sum(bars[1])
    name = re.search(r'class="name" x="([\d.]+)"', text)
    assert name is not None and float(name[1]) < float(values[0][0]) - 5 * len("-206.2")
