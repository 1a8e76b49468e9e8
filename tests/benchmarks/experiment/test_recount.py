"""Figures that were edited by hand are told by tables and gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from made_up import Runs, make

from benchmarks.analysis import gate
from benchmarks.analysis.compare import compare
from benchmarks.analysis.expected import tolerance_of
from benchmarks.analysis.frame import frame_of
from benchmarks.experiment.cell import Cell
from benchmarks.experiment.recount import altered, told
from benchmarks.experiment.suite import Suite
from benchmarks.store.store import Store, StoredCell
from benchmarks.tables.rows import entry, measured
from benchmarks.tables.uncertainty import cell_spread


def _edit(stored: StoredCell, change: Any) -> StoredCell:
    path = stored.folder / "cell.json"
    plain = json.loads(path.read_text())
    change(plain)
    path.write_text(json.dumps(plain))
    found = Store(stored.folder.parent.parent).load(stored.record.cell.task, stored.id)
    assert found is not None
    return found


def _raise(plain: dict[str, Any]) -> None:
    plain["figures"]["rate"]["value"] += 0.5


def _of_0_1_0(plain: dict[str, Any]) -> None:
    del plain["seal"]


@pytest.fixture
def cell() -> Cell:
    return make()


def test_a_result_as_it_was_written_is_not_altered(runs: Runs, cell: Cell) -> None:
    stored = runs.finish(cell)
    assert stored.record.seal and altered(stored) == () and told(stored) == ""
    assert altered(_edit(stored, _of_0_1_0)) == ()  # computed from the statistics


@pytest.mark.parametrize("old", [False, True])
def test_a_figure_that_was_raised_is_named(runs: Runs, cell: Cell, old: bool) -> None:
    stored = runs.finish(cell)
    if old:
        stored = _edit(stored, _of_0_1_0)
    stored = _edit(stored, _raise)
    assert altered(stored) == ("rate",) and "rate: not what the stored statistics give" in told(stored)


def test_figures_that_were_added_or_taken_away_are_named(runs: Runs, cell: Cell) -> None:
    stored = runs.finish(cell)
    found = _edit(stored, lambda plain: plain["figures"].update(AP=plain["figures"].pop("error")))
    assert altered(found) == ("AP", "error")


def test_without_statistics_a_broken_seal_is_told(runs: Runs, cell: Cell) -> None:
    stored = runs.finish(cell)
    (stored.folder / "stats.npz").unlink()
    assert altered(stored) == ()
    assert altered(_edit(stored, _raise)) == ("rate", "error")


def test_anything_else_of_the_record_is_told(runs: Runs, cell: Cell) -> None:
    stored = runs.finish(cell)
    path = stored.folder / "cell.json"
    path.write_text(json.dumps(dict(reversed(json.loads(path.read_text()).items()))))  # another layout changes nothing
    found = _edit(stored, lambda plain: None)
    assert not found.edited and told(found) == ""
    found = _edit(stored, lambda plain: plain.update(images_per_s=9999.0))
    assert found.edited and altered(found) == () and "cell.json: not as it was written" in told(found)


def test_other_statistics_are_told_and_nothing_is_computed_from_them(runs: Runs, cell: Cell) -> None:
    stored = runs.finish(cell)
    held = stored.stats()
    np.savez_compressed(stored.folder / "stats.npz", **(held | {"hits": held["people"]}))
    assert "stats.npz: not the statistics that were written" in told(stored)
    with pytest.raises(ValueError, match=r"stats\.npz: expected the statistics as they were written"):
        stored.stats()
    [pair] = compare(runs.store.root, runs.store.root).pairs
    assert pair.difference is None and "the file was edited" in pair.why
    old = Store(runs.store.root).remember(msgspec.structs.replace(stored.record, statistics=msgspec.UNSET))
    assert old.stats()["hits"].tolist() == held["people"].tolist()  # an older version wrote no digest


def test_an_edited_interval_is_told_and_one_without_a_seal_is_drawn_anew(runs: Runs, cell: Cell) -> None:
    stored = runs.finish(cell)
    path = stored.folder / "bootstrap.json"
    drawn = cell_spread(stored, ["rate"])["rate"]
    plain = json.loads(path.read_text())
    wrong = plain | {"intervals": {"rate": [99.0, 99.5]}}
    path.write_text(json.dumps(wrong))
    for intervals in ("kept", "bootstrap"):
        shown = entry(measured([cell], runs.store)[0], "rate", intervals)
        assert shown.spread is None and any("bootstrap.json" in note and "edited" in note for note in shown.footnotes)
    assert "edited" in frame_of([stored], "kept").reason[0]
    assert "was edited" in tolerance_of(cell, [stored], stored, 60.0)[1]
    del wrong["seal"]  # as version 0.1.0 wrote it
    path.write_text(json.dumps(wrong))
    assert cell_spread(stored, ["rate"], compute=False)["rate"] == drawn
    assert json.loads(path.read_text()) == plain


def test_rows_and_gate_say_it(runs: Runs, cell: Cell, tmp_path: Path) -> None:
    stored = runs.finish(cell)
    suite = Suite("made_up", (cell,), ())
    gate.update(suite, runs.store, tmp_path)
    assert gate.check(suite, runs.store, tmp_path).exit_status == 0
    _edit(stored, _raise)
    [row] = measured([cell], runs.store)
    assert any("the file was edited" in note for note in entry(row, "rate").footnotes)
    found = gate.check(suite, runs.store, tmp_path)
    assert found.exit_status == 1 and "the file was edited" in found.outcomes[0].reason
