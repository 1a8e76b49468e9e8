"""Fixtures of the tests that stand on stored cells: made-up tasks, a store, a suite."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tasks
from benchmarks.experiment.cell import Cell
from benchmarks.experiment.suite import Suite
from benchmarks.store.store import Store
from benchmarks.tables.ablation_table import AblationTable, Variant
from benchmarks.tables.task_table import TaskTable

sys.path.insert(0, str(Path(__file__).parent))  # whatever pytest's import mode

from made_up import MadeUpTask, Runs, make


@pytest.fixture(autouse=True)
def _made_up_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"people": MadeUpTask("people", "rate"), "faces": MadeUpTask("faces", "error")}
    real = tasks.get_task
    monkeypatch.setattr(tasks, "get_task", lambda name: known[name] if name in known else real(name))


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(Store(tmp_path / "runs"), folder=tmp_path)


@pytest.fixture
def two_task_suite() -> Suite:
    """Three bodies on two tasks, and an ablation of one body."""
    cells = [make(task, model) for task in ("people", "faces") for model in ("net", "wide", "serial")]
    variants = [make(model="net", representation=kind, label=kind) for kind in ("V1h", "V2")]
    base = cells[0]
    specs = [
        TaskTable(
            f"{task}_street", f"{task} on street", task, "street", tuple(c.id for c in cells if c.task == task), columns
        )
        for task, columns in (("people", ("rate", "error")), ("faces", ("error",)))
    ]
    shown = tuple(Variant(cell.id) for cell in (base, *variants))
    ablation = AblationTable(
        "people_representation", "Representations", "people", "street", shown, ("rate",), "representation"
    )
    return Suite("made_up", (*cells, *variants), (*specs, ablation))


@pytest.fixture
def cell() -> Callable[..., Cell]:
    return make
