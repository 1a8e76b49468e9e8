"""Plots of measured rows: every curve and every class is shown."""

from __future__ import annotations

import pytest
from made_up import MadeUpTask, Runs

from benchmarks.experiment.suite import Suite
from benchmarks.report.class_bars import class_bars
from benchmarks.report.curves import evaluation_plots
from benchmarks.report.looks import colours, looks
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
    assert len(evaluation_plots(rows, looks(rows, colour))) == 7
    bars = class_bars(rows, colour)
    assert [plot.title for plot in bars] == [
        f"AP by class, {part} of 45" for part in ("1 to 20", "21 to 40", "41 to 45")
    ]
    text = "".join(plot.svg for plot in bars)
    assert "0 (n=3)" in text and "44 (n=47)" in text and ">6<" in text  # n=9 is the headline's own


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
    [plot] = class_bars(rows, colours(rows))
    assert plot.title == "AP by class" and "car (n=2)" in plot.svg
