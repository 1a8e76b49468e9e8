"""The gate passes on what it was made from and fails with exactly the cell that was altered or deleted."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from made_up import Runs, make

from benchmarks.analysis import gate as regression
from benchmarks.cli import entry
from benchmarks.experiment.suite import Suite
from benchmarks.store.record import encode, record_of, sealed


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


def test_a_cell_that_nobody_held_is_missed_too(runs: Runs, two_task_suite: Suite, held: Path) -> None:
    """The whole suite is expected: a cell with neither result nor expected value is named, and fails the gate."""
    absent, broken, undefined = make(model="absent"), make(model="broken"), make("faces", model="undefined")
    runs.fail(broken)
    figures = {"error": {"value": None, "unit": "px", "higher_is_better": False, "decimals": 1, "n": 60}}
    runs.finish(undefined, figures=figures)
    suite = Suite("made_up", (*two_task_suite.cells, absent, broken, undefined), ())
    gate = regression.check(suite, runs.store, held)
    missing = {outcome.name: outcome for outcome in gate.outcomes if outcome.fails}
    names = [f"embedded: {cell.name}" for cell in (absent, broken, undefined)]
    assert gate.exit_status == 1 and list(missing) == names
    assert {outcome.status for outcome in missing.values()} == {"missing"}
    for name, reason in zip(names, ("not in the store", "out of memory", "error is undefined"), strict=True):
        assert reason in missing[name].reason
    assert missing[names[0]].metric == "rate" and missing[names[0]].better == "higher"
    assert gate.markdown().count("embedded: ") == 11 and 'failures="3"' in gate.junit()


def test_a_held_cell_without_a_number_is_missing_and_stays_held(runs: Runs, two_task_suite: Suite, held: Path) -> None:
    cell = two_task_suite.cells[0]
    path = runs.store.folder(cell.task, cell.id) / "cell.json"
    record = json.loads(path.read_text())
    record["figures"]["rate"]["value"] = None
    path.write_bytes(encode(sealed(record_of(record))))
    [failure] = [o for o in regression.check(two_task_suite, runs.store, held).outcomes if o.fails]
    assert (failure.name, failure.status) == (f"embedded: {cell.name}", "missing") and "undefined" in failure.reason
    assert not regression.update(two_task_suite, runs.store, held).rows
    assert cell.id in regression.load_expected("made_up", held)


def test_numbers_of_the_gate_have_unit_direction_and_n(runs: Runs, two_task_suite: Suite, held: Path) -> None:
    gate = regression.check(two_task_suite, runs.store, held)
    for row in gate.table().rows:
        people = "people" in str(row.entries["cell"].value)
        assert row.entries["metric"].value == ("rate (%)" if people else "error (px)")
        assert row.entries["better"].value == ("higher" if people else "lower")
        assert isinstance(row.entries["n"].value, int)


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


def test_a_small_deviation_by_chance_is_widened_to_the_usual_one(runs: Runs, tmp_path: Path) -> None:
    """Of three cells' seeds, one agree far better than the others': its tolerance is that of the median cell."""
    families = {model: [make(model=model, seed=seed) for seed in range(3)] for model in ("calm", "usual", "wild")}
    for step, cells in zip((0.01, 1.0, 4.0), families.values()):
        for cell in cells:
            stored = runs.finish(cell)
            path = stored.folder / "cell.json"
            record = json.loads(path.read_text())
            record["figures"]["rate"]["value"] = 50 + step * (cell.seed - 1)
            path.write_text(json.dumps(record))
    suite = Suite("families", tuple(cells[0] for cells in families.values()), ())
    regression.update(suite, runs.store, tmp_path)
    held = {value.name.split("/")[-1]: value for value in regression.load_expected("families", tmp_path).values()}
    usual = 1.0 / 50  # standard deviation over the mean of the middle cell
    assert held["calm"].tolerance == pytest.approx(3 * usual * held["calm"].value)
    assert "median of this task's cells (2.0%" in held["calm"].basis
    assert held["usual"].tolerance == pytest.approx(3 * 1.0) and held["wild"].tolerance == pytest.approx(3 * 4.0)
    assert "median" not in held["wild"].basis and held["wild"].sd == pytest.approx(4.0)


def test_check_prints_what_is_not_ok_and_the_counts(
    runs: Runs, two_task_suite: Suite, held: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.commands.arguments.load_suite", lambda name, **_: two_task_suite)
    words = ["check", "--out", str(runs.store.root.parent), "--expected", str(held)]
    assert entry(words) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Gate of suite made_up: ") and " ok" in shown.splitlines()[0] and "|" not in shown
    gone = two_task_suite.cells[0]
    shutil.rmtree(runs.store.folder(gone.task, gone.id))
    assert entry(words) == 1
    shown = capsys.readouterr().out
    rows = [line for line in shown.splitlines() if line.startswith("| embedded: ")]
    assert len(rows) == 1 and "missing" in rows[0] and "1 missing" in shown
    assert entry([*words, "--all"]) == 1
    assert capsys.readouterr().out.count("| ok") > 3


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


ENTRY = {
    "name": "embedded: a/b/c", "tier": "embedded", "metric": "rate", "value": 1.0, "tolerance": 0.1, "direction": "higher",
    "unit": "%", "n": 5, "basis": "a guess",
}  # fmt: skip


@pytest.mark.parametrize(("field", "value"), [
    ("value", None), ("value", "12"), ("value", float("nan")), ("value", True), ("tolerance", float("inf")),
    ("tolerance", True), ("tolerance", -1), ("tolerance", None), ("direction", "up"), ("direction", None), ("unit", None),
    ("n", -1), ("n", 1.5), ("n", True), ("name", ""), ("metric", 3), ("basis", None), ("tier", []),
])  # fmt: skip
def test_every_field_of_an_expected_value_is_checked(tmp_path: Path, field: str, value: object) -> None:
    path = regression.expected_path("s", tmp_path)
    path.write_text(json.dumps({"schema": 1, "cells": {"abc": ENTRY}}))
    assert regression.load_expected("s", tmp_path)["abc"].value == 1.0
    path.write_text(json.dumps({"schema": 1, "cells": {"abc": ENTRY | {field: value}}}))
    with pytest.raises(ValueError, match=rf"s\.json: cell abc: expected {field} to be .*correct it"):
        regression.load_expected("s", tmp_path)


@pytest.mark.parametrize(
    "content", [[], 3, None, {"schema": 1}, {"schema": 1, "cells": []}, {"schema": 1, "cells": None}]
)
def test_a_file_of_another_form_is_named(tmp_path: Path, content: object) -> None:
    regression.expected_path("s", tmp_path).write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"s\.json: expected an object"):
        regression.load_expected("s", tmp_path)


@pytest.mark.parametrize("record", [None, [], "x", {}])
def test_an_entry_of_another_form_is_named(tmp_path: Path, record: object) -> None:
    regression.expected_path("s", tmp_path).write_text(json.dumps({"schema": 1, "cells": {"abc": record}}))
    with pytest.raises(ValueError, match=r"s\.json: cell abc: expected the fields"):
        regression.load_expected("s", tmp_path)


def test_a_suite_without_expected_values_fails(runs: Runs, two_task_suite: Suite, tmp_path: Path) -> None:
    for cell in two_task_suite.cells:
        runs.finish(cell)
    gate = regression.check(two_task_suite, runs.store, tmp_path / "nothing")
    assert gate.exit_status == 1 and "check --update" in gate.markdown()


def test_a_figure_over_other_data_is_told_from_a_loss(runs: Runs, two_task_suite: Suite, held: Path) -> None:
    cell = two_task_suite.cells[0]
    path = runs.store.folder(cell.task, cell.id) / "cell.json"
    record = json.loads(path.read_text())
    record["figures"][record["headline"]]["n"] -= 1
    path.write_bytes(encode(sealed(record_of(record))))
    gate = regression.check(two_task_suite, runs.store, held)
    [failure] = [outcome for outcome in gate.outcomes if outcome.fails]
    assert failure.status == "other n" and "is expected: other data" in failure.reason and gate.exit_status == 1


def test_a_miss_says_what_changed_since(runs: Runs, two_task_suite: Suite, tmp_path: Path) -> None:
    made = {
        "git": {"commit": "a" * 40},
        "hardware": {"cpu": "old processor"},
        "packages": {"torch": "2.8"},
        "key_parts": {"data": "d", "code": "1"},
    }
    for cell in two_task_suite.cells:
        runs.finish(cell, provenance=made)
    regression.update(two_task_suite, runs.store, tmp_path)
    now = {**made, "hardware": {"cpu": "new processor"}, "key_parts": {"data": "d", "code": "2"}}
    runs.finish(two_task_suite.cells[0], quality=0.01, provenance=now)
    [failure] = [o for o in regression.check(two_task_suite, runs.store, tmp_path).outcomes if o.fails]
    assert "parts of the key that changed since: code" in failure.reason
    assert "cpu old processor then, new processor now" in failure.reason and "torch" not in failure.reason
