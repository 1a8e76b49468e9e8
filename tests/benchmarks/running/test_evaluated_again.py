"""Cells that evaluate another cell's trained weights: planned after it, stale with it, and a table of their speed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.experiment.cell import cell_from_identity, evaluation_of, make_cell
from benchmarks.experiment.paths import Places
from benchmarks.experiment.suite import Suite
from benchmarks.running.plan import plan
from benchmarks.running.scheduler import jobs_of
from benchmarks.running.trial import run_cell
from benchmarks.store.store import Store
from benchmarks.suites import load_suite
from benchmarks.tables.rows import Measurements
from benchmarks.tables.speed_table import SpeedTable

TRAINED = make_cell("landmarks", "300w", "resnet_micro_w10", tier="smoke")
EAGER, COMPILED = evaluation_of(TRAINED), evaluation_of(TRAINED, runtime="compiled")
SUITE = Suite("two", (TRAINED, EAGER), (), "")


def test_identity() -> None:
    assert EAGER.weights_from == TRAINED.id and EAGER.sources == (TRAINED.id,) and EAGER.recipe is None
    assert len({TRAINED.id, EAGER.id, COMPILED.id}) == 3
    assert cell_from_identity(COMPILED.identity()) == COMPILED


def test_planned_run_and_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(out=tmp_path / "runs", embedded=tmp_path / "embedded")
    assert [item.status for item in plan(Suite("alone", (EAGER,), ()), places)] == ["missing weights"]
    planned = plan(SUITE, places)
    assert [item.status for item in planned] == ["to run", "to run"]
    [job] = [job for job in jobs_of(planned, places) if job.cell == EAGER]
    assert TRAINED.id in job.needs
    trained = run_cell(TRAINED, places, lambda progress: None)
    again = run_cell(EAGER, places, lambda progress: None)
    assert again.done, again.record.reason
    assert again.record.figures == trained.record.figures
    assert [item.status for item in plan(SUITE, places)] == ["done", "done"]
    assert [item.status for item in plan(SUITE, places, rerun=["all"])][1] == "stale"
    other = plan(Suite("changed", (replace(TRAINED, seed=1), evaluation_of(replace(TRAINED, seed=1))), ()), places)
    assert [item.status for item in other] == ["to run", "to run"]


def test_the_table_of_speed(tmp_path: Path) -> None:
    places = Places(out=tmp_path / "runs", embedded=tmp_path / "embedded")
    for cell in (TRAINED, EAGER):
        run_cell(cell, places, lambda progress: None)
    store = Store(places.out)
    record = store.load("landmarks", EAGER.id).record  # type: ignore[union-attr]
    import msgspec

    store.remember(msgspec.structs.replace(record, images_per_s=50.0, latency_ms=30.0))
    faster = msgspec.structs.replace(
        record,
        id=COMPILED.id,
        cell=msgspec.structs.replace(record.cell, other_runtime="compiled"),
        images_per_s=125.0,
    )
    store.remember(faster)
    table = SpeedTable("speed", "Speed", "landmarks", "300w", (EAGER.id, COMPILED.id), ("NME[inter_ocular]",))
    [filled] = table.fill(Measurements({cell.id: cell for cell in (EAGER, COMPILED)}, store, intervals="none"))
    text = filled.render("md")
    assert "2.50" in text and "compiled" in text and "threads, batch" in text
    assert [filled.entry(row, next(c for c in filled.columns if c.key == "times")).number for row in filled.rows] == [
        1,
        2.5,
    ]


def test_the_suite_reuses_what_the_default_run_trains() -> None:
    default = {cell.id for cell in load_suite("embedded").cells}
    suite = load_suite("speed")
    trained = [cell for cell in suite.cells if cell.recipe is not None]
    assert {cell.id for cell in trained} <= default and len(trained) == 6
    assert all(cell.weights_from in default for cell in suite.cells if cell.recipe is None)
