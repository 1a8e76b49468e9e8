"""What a run prints while it goes on: tables as soon as they are worth reading."""

from __future__ import annotations

import pytest
from made_up import Runs

from benchmarks.commands.early_tables import EarlyTables, first_table
from benchmarks.experiment.suite import Suite
from benchmarks.running.scheduler import Event
from benchmarks.suites import load_suite


def test_a_table_is_printed_when_its_last_body_is_there(
    runs: Runs, two_task_suite: Suite, capsys: pytest.CaptureFixture[str]
) -> None:
    early, seen = EarlyTables(two_task_suite, runs.store, two_task_suite.cells), list[Event]()
    watch = early.after(seen.append)
    people = [cell for cell in two_task_suite.cells if cell.task == "people" and not cell.label]
    for number, cell in enumerate(people, start=1):
        runs.finish(cell) if number > 1 else runs.fail(cell)
        watch(Event("failed" if number == 1 else "done", cell.id, cell))
        printed = capsys.readouterr().out
        assert ("people on street" in printed) == (number == len(people) == 3)
    assert len(seen) == 3 and "failed: RuntimeError: out of memory" in printed and "faces on street" not in printed
    assert printed.count("\n| ") == 5  # the heading, its rule and three rows


def test_of_four_bodies_three_are_a_first_table(
    runs: Runs, two_task_suite: Suite, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = [cell for cell in two_task_suite.cells if cell.task == "people"][:4]
    table = two_task_suite.tables[0].with_cells({two_task_suite.tables[0].cells[0]: [cell.id for cell in chosen]})
    suite = Suite("four", two_task_suite.cells, (table, *two_task_suite.tables[1:]))
    watch, rows = EarlyTables(suite, runs.store, suite.cells).after(lambda event: None), []
    for cell in chosen:
        runs.finish(cell)
        watch(Event("done", cell.id, cell))
        rows.append(capsys.readouterr().out.split("people on street")[-1].count("| V"))
    assert rows == [0, 0, 3, 4]


def test_a_suite_of_one_table_prints_it_at_its_end_alone(runs: Runs, two_task_suite: Suite) -> None:
    one = Suite("one", two_task_suite.cells, two_task_suite.tables[:1])
    assert EarlyTables(one, runs.store, one.cells).tables == () == first_table(one)


def test_the_default_run_begins_with_pose() -> None:
    suite = load_suite("embedded")
    first = first_table(suite)
    cells = [cell for cell in suite.cells if cell.id in first]
    assert len(cells) == 4 and {(cell.task, cell.dataset) for cell in cells} == {("pose", "coco")}
