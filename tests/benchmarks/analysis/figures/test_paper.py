"""Figures for a paper: in its widths, letters embedded, the same bytes each time, one file per plot of the report."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from made_up import Runs

from benchmarks.analysis.figures import paper
from benchmarks.analysis.figures.axes import Axis, axis, epochs
from benchmarks.analysis.figures.charts import Bar, Bars, Chart, Lines, Points, Ranks, Series
from benchmarks.analysis.figures.groups import chart_groups
from benchmarks.cli import entry
from benchmarks.experiment.suite import Suite
from benchmarks.report.pictures import picture_size

SERIES = (
    Series("hrnet_micro", ((1.0, 5.0), (2.0, 1.0), (3.0, 0.2)), 0, ((4.0, 6.0),)),
    Series("serial", ((1.0, 4.0), (2.0, 2.0), (3.0, 1.5)), 1, (None,)),
)
CHARTS: list[Chart] = [
    Points("AP over cost", "", SERIES, "multiply-adds (G)", "AP (%)"),
    Lines("Training: loss", "", SERIES, epochs([1, 3]), axis("training loss", [0.2, 5.0], True)),
    Ranks("Who leads where", "", (Series("a", ((0.0, 1.0), (1.0, 2.0)), 0), Series("b", ((0.0, 2.0),), 1)), ("x", "y")),
    Bars("IoU by class", "", (("road", (Bar("a", 90.0, 0, (88.0, 91.0), "90.0"), Bar("b", None, 1))),), "IoU (%)"),
]


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: type(chart).__name__)
def test_drawn_with_the_charts_own_axes(chart: Chart) -> None:
    with paper.style():
        figure = paper.draw(chart, "column")
        figure.draw_without_rendering()
    [axes] = figure.axes
    if isinstance(chart, Bars):
        x_axis, y_axis = chart.axis(), None
    else:
        x_axis, y_axis = (chart.x_axis, chart.y_axis) if isinstance(chart, Lines) else chart.axes()
    assert tuple(axes.get_xlim()) == pytest.approx((x_axis.low, x_axis.high))
    assert (
        tuple(text.get_text() for text in axes.get_xticklabels()) == x_axis.texts and axes.get_xlabel() == x_axis.label
    )
    if y_axis is not None:
        bounds = (y_axis.high, y_axis.low) if y_axis.reverse else (y_axis.low, y_axis.high)
        assert tuple(axes.get_ylim()) == pytest.approx(bounds) and axes.get_ylabel() == y_axis.label
    assert (axes.get_yscale() == "log") == isinstance(chart, Lines)


def test_letters_are_embedded_and_bytes_stay_the_same(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        paper.save(CHARTS[1], tmp_path / folder, "loss", "column")
    for form in paper.FORMATS:
        name = f"loss.column.{form}"
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    pdf = (tmp_path / "a" / "loss.column.pdf").read_bytes()
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf  # TrueType, embedded
    svg = (tmp_path / "a" / "loss.column.svg").read_text(encoding="utf-8")
    assert "<text" not in svg  # letters as outlines
    assert picture_size(tmp_path / "a" / "loss.column.png")[0] == round(3.25 * 300)
    if shutil.which("pdffonts"):
        told = subprocess.run(
            ["pdffonts", tmp_path / "a" / "loss.column.pdf"], capture_output=True, text=True, check=True
        )
        rows = told.stdout.splitlines()[2:]
        assert rows and all(re.search(r"TrueType.*\byes\b", row) for row in rows)


def test_every_plot_of_the_report_is_drawn(runs: Runs, two_task_suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    for index, cell in enumerate(two_task_suite.cells):
        runs.finish(cell, 0.5 + 0.02 * index)
    monkeypatch.setattr("benchmarks.commands.arguments.load_suite", lambda name, **_: two_task_suite)
    assert entry(["figures", "--out", str(runs.folder), "--format", "pdf", "--width", "page"]) == 0
    names = {path.name for path in (runs.folder / "figures").iterdir()}
    charts = [(group.name, chart) for group in chart_groups(two_task_suite, runs.store) for chart in group.charts]
    assert names == {f"{group}-{chart.slug}.page.pdf" for group, chart in charts} and len(names) == len(charts) == 10


def test_without_results_the_verb_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry(["figures", "--out", str(tmp_path / "new"), "--results", str(tmp_path)]) == 2
    assert "expected a folder of results with runs/" in capsys.readouterr().err
    assert Axis("x", 0, 1).texts == ()
