"""Cells that evaluate another cell's trained weights: planned after it, stale with it, and a table of their speed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import tasks
from benchmarks.experiment.cell import cell_from_identity, evaluation_of, make_cell
from benchmarks.experiment.paths import Places
from benchmarks.experiment.suite import Suite
from benchmarks.published.printed.speed import printed_speed
from benchmarks.running.plan import plan
from benchmarks.running.scheduler import jobs_of
from benchmarks.running.steps.kept import save_weights
from benchmarks.running.steps.starting import load_weights
from benchmarks.running.trial import run_cell
from benchmarks.store.store import Store
from benchmarks.suites import load_suite
from benchmarks.tables.rows import Measurements, measured
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

    record = msgspec.structs.replace(record, provenance=msgspec.structs.replace(record.provenance, threads=1))
    store.remember(msgspec.structs.replace(record, images_per_s=50.0, latency_ms=30.0, latency_quiet=True))
    faster = msgspec.structs.replace(
        record,
        id=COMPILED.id,
        cell=msgspec.structs.replace(record.cell, other_runtime="compiled"),
        images_per_s=125.0,
        peak_memory_gib=0.5,
    )
    store.remember(faster)
    table = SpeedTable("speed", "Speed", "landmarks", "300w", (EAGER.id, COMPILED.id), ("NME[inter_ocular]",))
    [filled] = table.fill(Measurements({cell.id: cell for cell in (EAGER, COMPILED)}, store, intervals="none"))
    text = filled.render("md")
    assert "2.50" in text and "compiled" in text and ", 1 thread, batch" in text
    assert text.count("other processes worked") == 1
    keyed = {column.key: column for column in filled.columns}
    assert [filled.entry(row, keyed["times"]).number for row in filled.rows] == [1, 2.5]
    assert [filled.entry(row, keyed["memory"]).number for row in filled.rows] == [None, 0.5]


def test_the_suite_reuses_what_the_default_run_trains() -> None:
    default = {cell.id for cell in load_suite("embedded").cells}
    suite = load_suite("speed")
    trained = [cell for cell in suite.cells if cell.recipe is not None]
    assert {cell.id for cell in trained} <= default and len(trained) == 6
    assert all(cell.weights_from in default for cell in suite.cells if cell.recipe is None)
    two = load_suite("speed", models="hrnet_micro_w8,resnet_micro")
    assert len(two.cells) == 2 * len(suite.cells) and len(two.tables) == len(suite.tables)
    assert {two.cells[0].model, two.cells[6].model} == {"hrnet_micro_w8", "resnet_micro"}


def test_a_cell_that_starts_from_anothers_weights_follows_it_through_seeds_and_changes(tmp_path: Path) -> None:
    coco = make_cell("pose", "coco", "hrnet_micro_w8", tier="embedded")
    track = make_cell("pose", "posetrack18", "hrnet_micro_w8", tier="embedded", recipe={"init_from": f"cell:{coco.id}"})
    assert track.weights_from == coco.id and track.sources == (coco.id,)
    suite = Suite("two", (track, coco), ()).with_seeds(3)  # in any order
    by_id = {cell.id: cell for cell in suite.cells}
    assert [(cell.dataset, cell.seed) for cell in suite.cells] == [
        (dataset, seed) for dataset in ("posetrack18", "coco") for seed in range(3)
    ]
    for cell in suite.cells:
        assert all(by_id[source].seed == cell.seed for source in cell.sources)
    assert track in suite.cells  # the first seed's cells are the suite's own
    rows = measured(suite.cells, Store(tmp_path / "runs"))
    assert [len(row.seeds) for row in rows] == [3, 3]  # one row a body, although each seed starts from another cell
    twice = measured((track, track.with_sources({coco.id: "0" * 12})), Store(tmp_path / "runs"))
    assert [len(row.seeds) for row in twice] == [1, 1]  # two starts under one seed are not two seeds
    assert track.with_sources({coco.id: "0" * 12}).weights_from == "0" * 12
    assert track.with_sources({"0" * 12: coco.id}) == track


def test_training_starts_from_the_body_of_the_other_cell(tmp_path: Path) -> None:
    """The note that outside weights get (what was left out) is not given: the suite's own recipe says so."""
    coco = make_cell("pose", "coco", "hrnet_micro_w8", tier="smoke")
    torch.manual_seed(0)
    network = tasks.build_model("pose", "hrnet_micro_w8", "coco")
    path = tmp_path / "weights.pt"
    save_weights(network, coco, path)
    cell = make_cell("pose", "posetrack18", "hrnet_micro_w8", tier="smoke", recipe={"init_from": f"cell:{coco.id}"})
    other = tasks.build_model("pose", "hrnet_micro_w8", "posetrack18")
    start = load_weights(other, cell, path)
    assert start.file.file == f"{coco.id}/weights.pt" and not start.notes
    for name, value in network.body.state_dict().items():
        assert torch.equal(value, other.body.state_dict()[name]), name


def test_printed_speeds_stand_beside_it(tmp_path: Path) -> None:
    suite, printed = load_suite("speed"), printed_speed()
    assert suite.tables[-len(printed) :] == printed and suite.with_seeds(3).tables[-1] == printed[-1]
    tables = [one for kind in printed for one in kind.fill(Measurements({}, Store(tmp_path)))]
    assert [table.title.rpartition(", ")[2] for table in tables[:3]] == ["Table 17", "Table 18", "Table 19"]
    assert "mmpose" in tables[-1].title and sum(len(table.rows) for table in tables) == 36
    shown = sum(1 for table in tables for row in table.rows for key in row.entries if "|" in key)
    assert shown == sum(len(kind.figures) for kind in printed) == 275  # no figure hides another
    assert "GTX 1660" in tables[-1].render("md") and "V100 x4" in tables[0].render("md")
