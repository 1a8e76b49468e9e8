"""The gate passes on what it was made from and fails with exactly the cell that was altered or deleted."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from made_up import Runs, make

from benchmarks import regression
from benchmarks.cells import Suite


@pytest.fixture
def held(runs: Runs, two_task_suite: Suite, tmp_path: Path) -> Path:
    for cell in two_task_suite.cells:
        runs.finish(cell)
    root = tmp_path / "expected"
    changes = regression.update(two_task_suite, runs.store, root)
    assert len(changes.rows) == 8
    return root


def test_gate_opens_on_what_it_was_made_from(runs: Runs, two_task_suite: Suite, held: Path) -> None:
    gate = regression.check(two_task_suite, runs.store, held)
    assert gate.exit_status == 0 and {outcome.status for outcome in gate.outcomes} == {"ok"}
    assert "8 ok" in gate.markdown()
    assert not regression.update(two_task_suite, runs.store, held).rows


@pytest.mark.parametrize(("task", "shift", "status"), [
    ("people", +1, "worse"), ("people", -1, "suspiciously better"),
    ("faces", +1, "suspiciously better"), ("faces", -1, "worse"),
])  # fmt: skip
def test_altered_expectation_is_named(
    runs: Runs, two_task_suite: Suite, held: Path, task: str, shift: int, status: str
) -> None:
    path = regression.expected_path("made_up", held)
    content = json.loads(path.read_text())
    cell = next(cell for cell in two_task_suite.cells if cell.task == task)
    entry = content["cells"][cell.id]
    entry["value"] += shift * 1.01 * entry["tolerance"]
    path.write_text(json.dumps(content))
    gate = regression.check(two_task_suite, runs.store, held)
    [failure] = [outcome for outcome in gate.outcomes if outcome.fails]
    assert gate.exit_status == 1 and (failure.name, failure.status) == (f"embedded: {cell.name}", status)
    entry["value"] -= shift * 0.02 * entry["tolerance"]
    path.write_text(json.dumps(content))
    assert regression.check(two_task_suite, runs.store, held).exit_status == 0


def test_deleted_failed_and_changed_cells_are_missing(runs: Runs, two_task_suite: Suite, held: Path) -> None:
    gone, broken = two_task_suite.cells[:2]
    shutil.rmtree(runs.store.folder(gone.task, gone.id))
    runs.fail(broken)
    gate = regression.check(two_task_suite, runs.store, held)
    failures = {outcome.name: outcome for outcome in gate.outcomes if outcome.fails}
    assert set(failures) == {f"embedded: {gone.name}", f"embedded: {broken.name}"}
    assert {outcome.status for outcome in failures.values()} == {"missing"}
    assert "out of memory" in failures[f"embedded: {broken.name}"].reason
    smaller = Suite("made_up", two_task_suite.cells[2:], ())
    names = [o.name for o in regression.check(smaller, runs.store, held).outcomes if o.status == "missing"]
    assert sorted(names) == sorted(failures)


def test_new_cell_is_reported_and_does_not_fail(runs: Runs, two_task_suite: Suite, held: Path) -> None:
    extra = make(model="newcomer")
    runs.finish(extra)
    gate = regression.check(Suite("made_up", (*two_task_suite.cells, extra), ()), runs.store, held)
    assert gate.exit_status == 0 and [o.name for o in gate.outcomes if o.status == "new"] == [f"embedded: {extra.name}"]


def test_tolerance_comes_from_seeds_and_stays(runs: Runs, tmp_path: Path) -> None:
    cells = [make(seed=seed) for seed in range(4)]
    for cell in cells:
        runs.finish(cell)
    suite = Suite("seeds", (cells[0],), ())
    regression.update(suite, runs.store, tmp_path)
    [value] = regression.load_expected("seeds", tmp_path).values()
    assert "3 sd over 4 seeds" in value.basis and value.tolerance > 0
    for cell in cells[1:]:
        shutil.rmtree(runs.store.folder(cell.task, cell.id))
    runs.finish(cells[0], 0.65)
    changes = regression.update(suite, runs.store, tmp_path)
    [after] = regression.load_expected("seeds", tmp_path).values()
    assert after.tolerance == value.tolerance and after.value != value.value
    assert changes.rows[0].entries["before"].value == value.value


def test_junit_and_summary(
    runs: Runs, two_task_suite: Suite, held: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = two_task_suite.cells[0]
    shutil.rmtree(runs.store.folder(cell.task, cell.id))
    gate = regression.check(two_task_suite, runs.store, held)
    step = tmp_path / "step.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(step))
    regression.write_reports(gate, tmp_path / "out" / "summary.md", tmp_path / "out" / "junit.xml")
    assert step.read_text() == (tmp_path / "out" / "summary.md").read_text() == gate.markdown()
    root = ElementTree.parse(tmp_path / "out" / "junit.xml").getroot()
    assert root.attrib["tests"] == "8" and root.attrib["failures"] == "1"
    [failure] = [case for case in root if case.find("failure") is not None]
    assert failure.attrib["name"] == f"embedded: {cell.name}"


def test_bad_expected_file_is_named(tmp_path: Path) -> None:
    path = regression.expected_path("s", tmp_path)
    path.write_text("{")
    with pytest.raises(ValueError, match=r"s\.json: expected JSON"):
        regression.load_expected("s", tmp_path)
    path.write_text(json.dumps({"schema": 1, "cells": {"abc": {"value": 1}}}))
    with pytest.raises(ValueError, match="cell abc: expected the fields"):
        regression.load_expected("s", tmp_path)
    assert regression.load_expected("other", tmp_path) == {}
