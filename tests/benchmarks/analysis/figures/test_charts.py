"""Charts of measured rows: every curve and every class is shown, on round ticks, whole epochs and axes that say what they are."""

from __future__ import annotations

import pytest
from made_up import MadeUpTask, Runs

from benchmarks.analysis.figures.axes import Axis, axis, epochs, log_ticks, nice_ticks, whole_ticks
from benchmarks.analysis.figures.by_class import class_charts
from benchmarks.analysis.figures.charts import Bar, Bars, Points, Series, pareto, stretches
from benchmarks.analysis.figures.curves import cost_charts, evaluation_charts, training_charts
from benchmarks.analysis.figures.groups import chart_groups
from benchmarks.analysis.figures.looks import colours, looks
from benchmarks.experiment.suite import Suite
from benchmarks.tables.rows import measured


def test_all_curves_and_all_classes_are_shown(runs: Runs, two_task_suite: Suite) -> None:
    figures = {
        f"AP/{k}": {"value": 1.0 + k, "unit": "%", "higher_is_better": True, "decimals": 1, "n": 3 + k}
        for k in range(45)
    }
    curves = {"training": [], "evaluation": {f"curve {k}": [[0, 0], [1, k]] for k in range(7)}}
    cells = two_task_suite.cells[:1]
    rate = {"rate": {"value": 1.0, "unit": "%", "higher_is_better": True, "decimals": 1, "n": 9}}
    runs.finish(cells[0], figures=figures | rate, curves=curves)
    rows = measured(cells, runs.store)
    colour = colours(rows)
    assert len(evaluation_charts(rows, looks(rows, colour))) == 7
    bars = class_charts(rows, colour)
    assert [plot.title for plot in bars] == [
        f"AP by class, {part} of 45" for part in ("1 to 15", "16 to 30", "31 to 45")
    ]
    names = [name for chart in bars for name, _ in chart.groups]
    assert names[0] == "0 (n=3)" and names[-1] == "44 (n=47)" and names[6] == "6"  # n=9 is the headline's own


def test_classes_that_a_task_makes_when_asked_become_bars(
    runs: Runs, two_task_suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(self: MadeUpTask, dataset: str, stats: object) -> dict[str, object]:
        return {
            f"AP/{k}": {"value": 5.0, "unit": "%", "higher_is_better": True, "decimals": 1, "n": 2}
            for k in ("car", "cat")
        }

    monkeypatch.setattr(MadeUpTask, "class_figures", made, raising=False)
    cells = two_task_suite.cells[:1]
    runs.finish(cells[0])
    rows = measured(cells, runs.store)
    [plot] = class_charts(rows, colours(rows))
    assert plot.title == "AP by class" and [name for name, _ in plot.groups] == ["car (n=2)", "cat (n=2)"]


def test_charts_of_one_seed_say_so_where_the_table_holds_several(runs: Runs, two_task_suite: Suite) -> None:
    suite = two_task_suite.with_seeds(2)
    for cell in suite.cells:
        runs.finish(cell)
    groups = {group.name: group for group in chart_groups(suite, runs.store)}
    notes = {chart.title: chart.note for chart in groups["people_street"].charts}
    assert notes["Training: loss"] == "Mean of each epoch. Of the first seed."
    assert notes["Cumulative error"] == "Of the first seed."


def test_ticks_are_round_and_inside() -> None:
    assert nice_ticks(0, 1) == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert log_ticks(0.03, 3) == (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
    for low, high in ((0.0, 97.3), (55.1, 60.2), (-3, 4), (1e-4, 2e-4)):
        ticks = nice_ticks(low, high)
        assert 3 <= len(ticks) <= 8 and min(ticks) >= low - 1e-12 and max(ticks) <= high + 1e-12
    assert len(log_ticks(0.021, 0.045)) >= 2 and len(log_ticks(5.2, 6.3)) >= 2


def test_epochs_are_whole() -> None:
    assert epochs([1.0]) == Axis("epoch", 0.5, 1.5, ticks=(1.0,)) and epochs([1, 2, 3]).ticks == (1.0, 2.0, 3.0)
    for last in range(2, 300):
        ticks = whole_ticks(1, last)
        assert len(ticks) >= 2 and all(tick == int(tick) and 1 <= tick <= last for tick in ticks)


def test_a_logarithmic_axis_says_so_and_bars_begin_at_zero() -> None:
    assert axis("loss", [0.1, 5.0], log=True).label == "loss, log scale"
    shown = axis("share", [0.4, 0.6], zero=True)
    assert shown.low == 0 and shown.high > 0.6 and shown.label == "share"
    bars = Bars("b", "", (("g", (Bar("a", 55.0), Bar("b", 60.0, interval=(58.0, 63.0)))),), "AP (%)")
    assert bars.axis().low == 0 and bars.axis().high == 63.0
    below = Bars("b", "", (("g", (Bar("a", -2.0, interval=(-3.0, -1.0)),)),), "MOTA (%)").axis()
    assert (below.low, below.high) == (-3.0, 0.0)


def test_pareto_front() -> None:
    points = [(1.0, 50.0), (2.0, 40.0), (3.0, 60.0), (2.5, 55.0), (3.0, 58.0)]
    assert pareto(points, True) == [0, 3, 2]
    assert pareto(points, False) == [0, 1]
    series = tuple(Series(str(k), (point,)) for k, point in enumerate(points))
    assert Points("p", "", series, "G", "AP").front() == [points[0], points[3], points[2]]


def test_ranks_break_where_there_is_no_figure() -> None:
    assert stretches([(0, 1), (1, 2), (3, 1), (5, 1), (6, 1)]) == [[(0, 1), (1, 2)], [(5, 1), (6, 1)]]


def test_charts_say_what_they_show(runs: Runs, two_task_suite: Suite) -> None:
    """Quantities have names and units, an interval is explained, and a latency that was not measured alone is not shown."""
    for index, cell in enumerate(two_task_suite.cells):
        runs.finish(cell, 0.5 + 0.02 * index, latency_ms=3.0 + index, latency_quiet=index < 3)
    groups = {group.name: group for group in chart_groups(two_task_suite, runs.store)}
    assert set(groups) == {"across", "people_street", "faces_street", "people_representation"}
    people = {chart.title: chart for chart in groups["people_street"].charts}
    assert list(people) == ["rate over multiply-adds", "rate over latency", "Training: loss", "Cumulative error"]
    assert "error over latency" not in {chart.title for chart in groups["faces_street"].charts}
    cost = people["rate over multiply-adds"]
    assert isinstance(cost, Points) and cost.y_label == "rate (%)" and cost.x_label == "multiply-adds (G)"
    assert cost.note.startswith("Higher is better")
    loss = people["Training: loss"]
    assert loss.x_axis.label == "epoch" and loss.y_axis.label == "training loss"
    share = people["Cumulative error"]
    assert share.y_axis == Axis("share within the error", 0.0, 1.0, ticks=nice_ticks(0, 1))
    assert [name for name, _ in groups["people_representation"].legend] == ["V1", "V1h", "V2"]
    rows = measured(two_task_suite.cells[:3], runs.store)
    assert len(cost_charts(rows, "rate", colours(rows))) == 2 and training_charts(rows, looks(rows, colours(rows)))
