"""Figures of earlier commits stay in the history of a report, and are drawn over commits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_up import Runs, make

from benchmarks.experiment.suite import Suite
from benchmarks.report import history
from benchmarks.report.page import write


def made(commit: str, day: int, dirty: str | None = None) -> dict[str, Any]:
    return {
        "provenance": {"git": {"commit": commit * 10, "dirty": dirty}, "ended": f"2026-01-{day:02d}T00:00:00+00:00"}
    }


def test_each_commit_is_a_column_and_a_place_on_the_line(runs: Runs, two_task_suite: Suite, tmp_path: Path) -> None:
    cell = two_task_suite.cells[0]
    values = []
    for day, commit in enumerate(("b", "a", "c"), 1):
        stored = runs.finish(cell, 0.5 + 0.1 * day, **made(commit, day))
        values.append(stored.value("rate"))
        page = write(two_task_suite, runs.store, tmp_path / "report")
    points = history.remember([], tmp_path / "report")
    assert [point.value for point in points] == values and history.commits(points) == ["b" * 9, "a" * 9, "c" * 9]
    table = history.table(points, [cell.id])
    [row] = table.rows
    assert [row.entries[commit].value for commit in history.commits(points)] == values
    change = row.entries["change"].value
    assert isinstance(change, float) and change == pytest.approx(values[2] - values[1])
    [chart] = history.charts(points, [cell.id], {cell.id: ("net", 0)})
    assert [y for _, y in chart.series[0].points] == values and chart.x_axis.names == ("b" * 9, "a" * 9, "c" * 9)
    text = (page.parent / "made_up-history.html").read_text(encoding="utf-8")
    assert "at 3 commits" in text and text.count("<polyline") == 1 and "a" * 9 in text


def test_uncommitted_changes_are_marked_and_failures_left_out(runs: Runs, tmp_path: Path) -> None:
    tmp_path.joinpath("h").mkdir()
    stored = runs.finish(make(), **made("d", 1, dirty="abc"))
    failed = runs.fail(make(model="wide"))
    [point] = history.remember([stored, failed], tmp_path / "h")
    assert point.commit == "d" * 9 + "+"


def test_a_broken_history_is_named(tmp_path: Path) -> None:
    (tmp_path / "history.json").write_text('[{"id": 3}]')
    with pytest.raises(ValueError, match=r"history\.json"):
        history.remember([], tmp_path)


def test_an_edited_figure_is_named_and_an_old_one_without_a_seal_is_read(runs: Runs, tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    [point] = history.remember([runs.finish(make(), **made("d", 1))], tmp_path)
    assert point.seal and history.remember([], tmp_path) == [point]
    text = path.read_text()
    plain = json.loads(text)
    plain[0]["value"] += 1
    path.write_text(json.dumps(plain))
    with pytest.raises(ValueError, match=r"history\.json.*the file was edited"):
        history.remember([], tmp_path)
    del plain[0]["seal"]
    path.write_text(json.dumps(plain))
    [old] = history.remember([], tmp_path)
    assert old.value == point.value + 1 and not old.seal
