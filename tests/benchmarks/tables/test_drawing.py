"""Intervals that are drawn side by side are those that are drawn one after the other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from made_up import Runs

from benchmarks.experiment.suite import Suite
from benchmarks.store.store import Store
from benchmarks.tables import drawing
from benchmarks.tables.rows import measured


def test_drawn_in_processes_and_kept(
    runs: Runs, two_task_suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Here:
        """The pool's calls, in this process, which knows the made-up tasks."""

        def __init__(self, jobs: int, mp_context: object, initializer: object) -> None:
            assert jobs == 2

        def __enter__(self) -> Here:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing to end."""

        map = staticmethod(map)

    for cell in two_task_suite.cells:
        runs.finish(cell)
    rows = measured(two_task_suite.cells, runs.store)
    assert drawing.draw_missing(rows, runs.store, 2) == 0  # too few to be worth a process
    monkeypatch.setattr(drawing, "FEW", 2)
    monkeypatch.setattr(drawing, "ProcessPoolExecutor", Here)
    shutil.copytree(runs.store.root, tmp_path / "other")
    assert drawing.draw_missing(rows, runs.store, 2) == len(rows) == 8
    assert drawing.draw_missing(rows, runs.store, 2) == 0
    other = Store(tmp_path / "other")
    for row in measured(two_task_suite.cells, other):
        metric = row.done[0].record.headline or ""
        low_high = drawing.cell_spread(row.done[0], [metric])[metric]
        kept = json.loads((runs.store.folder(row.cell.task, row.cell.id) / "bootstrap.json").read_text())
        assert kept["intervals"][metric] == [low_high.low, low_high.high]


def test_a_real_process_leaves_what_it_does_not_know(
    runs: Runs, two_task_suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cell in two_task_suite.cells[:2]:
        runs.finish(cell)
    monkeypatch.setattr(drawing, "FEW", 2)
    rows = measured(two_task_suite.cells[:2], runs.store)
    assert drawing.draw_missing(rows, runs.store, 2) == 2  # other processes have no made-up tasks
    assert not list(runs.store.root.rglob("bootstrap.json"))
