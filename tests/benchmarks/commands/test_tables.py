"""What `tables`, `compare` and the end of a run print: fitted on a terminal, the same markdown as ever elsewhere."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from made_up import Runs

from benchmarks.cli import entry
from benchmarks.commands.tables import show
from benchmarks.experiment.suite import Suite
from benchmarks.tables.filling import fill
from benchmarks.tables.table import render_all


@pytest.fixture
def made(runs: Runs, two_task_suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Suite:
    for index, cell in enumerate(two_task_suite.cells):
        runs.finish(cell, 0.5 + 0.03 * index)
    monkeypatch.setattr("benchmarks.commands.arguments.load_suite", lambda name, **_: two_task_suite)
    return two_task_suite


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("NO_COLOR", "1")


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_gets_the_table_across_tasks_first_and_fitted(
    made: Suite, runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    on_a_terminal(monkeypatch, columns)
    assert entry(["tables", "--out", str(runs.folder)]) == 0
    first = plain(capsys.readouterr().out)
    assert "people on street" not in first and "3 more tables by name (or: all): run_all.py tables --suite" in first
    assert entry(["tables", "all", "--out", str(runs.folder)]) == 0
    lines = plain(capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= columns and not any(line.startswith("|") for line in lines)
    assert lines[0].startswith("Across tasks") and any(line.startswith("STREET rate (%)") for line in lines)
    titles = [line for line in lines if line.startswith(("Across tasks", "people on street", "faces on street"))]
    assert len(titles) == 3 and titles[0].startswith("Across")


def test_a_run_ends_with_the_table_across_tasks_and_the_names_of_the_others(
    made: Suite, runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show(made, runs.store, runs.folder, write=True)
    piped = capsys.readouterr().out
    assert render_all(fill(made, runs.store), "md") in piped
    on_a_terminal(monkeypatch, 100)
    show(made, runs.store, runs.folder, write=True)
    shown = plain(capsys.readouterr().out)
    assert "Across tasks" in shown and "people on street" not in shown and "[" in shown
    assert "3 more tables by name (or: all): run_all.py tables --suite made_up NAME" in shown
    assert "people_street, faces_street, people_representation" in shown
    assert (runs.folder / "tables" / "made_up.csv").exists()


def test_compare_is_fitted_too(
    made: Suite, runs: Runs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["compare", str(runs.folder), str(runs.folder), "--draws", "20"]
    assert entry(words) == 0
    assert capsys.readouterr().out.count("\n| ") > 8
    on_a_terminal(monkeypatch, 80)
    assert entry(words) == 0
    shown = plain(capsys.readouterr().out)
    assert max(map(len, shown.splitlines())) <= 80 and "| " not in shown


def test_a_cells_line_has_its_figure(runs: Runs, two_task_suite: Suite, capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks.commands.run import _figure
    from benchmarks.running.progress import Watcher
    from benchmarks.running.scheduler import Event

    good, bad = two_task_suite.cells[:2]
    stored = runs.finish(good)
    with Watcher([good, bad], lambda cell: _figure(cell, runs.store)) as watcher:
        watcher(Event("done", good.id, good, seconds=3.0))
        watcher(Event("failed", bad.id, bad, reason="no memory", seconds=1.0))
    done, failed = capsys.readouterr().err.splitlines()
    assert done == f"[1/2]   {good.name}  done  rate {stored.value('rate'):.1f} %  (3.0 s)"
    assert failed == f"[2/2]   {bad.name}  FAILED: no memory  (1.0 s)"
    assert Path(runs.folder).is_dir()


def test_a_terminal_breaks_lines_between_words_and_a_pipe_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = (["--help"], ["plan", "--suite", "published"], ["doctor"])
    piped = []
    for words in calls:
        assert entry(words) == 0
        piped.append(capsys.readouterr().out.split())
    on_a_terminal(monkeypatch, 80)
    for words, plain_words in zip(calls, piped, strict=True):
        assert entry(words) == 0
        shown = capsys.readouterr().out
        assert max(map(len, shown.splitlines())) <= 80 and len(shown.splitlines()) < 50
        if words != ["plan", "--suite", "published"]:  # there, headings are two lines and titles left out
            assert shown.split() == plain_words
