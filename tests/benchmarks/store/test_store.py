"""The store: whole or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from made_up import Runs, make

from benchmarks.store import store as module
from benchmarks.store.store import BusyError, Store
from benchmarks.store.workspace import OWNER, owner


def _record(**changes: object) -> dict:
    cell = {
        "task": "pose",
        "dataset": "coco",
        "split": "val2017",
        "model": "m",
        "protocol": {},
        "seed": 0,
        "tier": "smoke",
    }
    figures = {"figures": {"AP": {"value": 1.5, "unit": "%", "higher_is_better": True}}, "headline": "AP"}
    return {"id": "abc", "name": "pose/coco/m", "status": "done", "cell": cell, **figures, **changes}


def test_saved_and_read_back(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "weights.pt").write_bytes(b"w")
    store = Store(tmp_path / "runs")
    stored = store.save(_record(latency_ms=float("nan")), {"image": np.array(["a", "b"]), "v": np.arange(2)}, files)
    assert stored.value("AP") == 1.5 and stored.value("AR") is None
    assert stored.record.latency_ms is None
    assert stored.stats()["image"].tolist() == ["a", "b"]
    assert (stored.folder / "weights.pt").read_bytes() == b"w"
    assert [c.id for c in store.all()] == ["abc"]


def test_replacing_leaves_no_trace_of_the_old(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(_record(), {"image": np.array(["a"])})
    again = store.save(_record(status="failed", reason="why"))
    assert not again.done and again.stats() == {}
    assert [p.name for p in (tmp_path / "pose").iterdir()] == ["abc"]


def test_an_interrupted_save_leaves_the_old_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.save(_record())

    def full(handle: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_sync", full)
    with pytest.raises(OSError, match=r"MiB are free.*--out"):
        store.save(_record(figures={}))
    monkeypatch.undo()
    kept = store.load("pose", "abc")
    assert kept is not None and kept.value("AP") == 1.5
    assert [p.name for p in (tmp_path / "pose").iterdir()] == ["abc"]


def test_what_cannot_be_written_is_remembered_for_the_tables(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(_record())
    store.remember(_record(status="failed", reason="no room"))
    held = store.load("pose", "abc")
    assert held is not None and not held.done and held.record.reason == "no room"
    other = Store(tmp_path).load("pose", "abc")
    assert other is not None and other.done


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "scratch_folder", full)
    with pytest.raises(OSError, match=r"abc: could not write the result.*MiB are free.*--out"):
        Store(tmp_path / "runs").save(_record())


def test_a_workspace_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "pose").write_text("a file where the folder would be")
    with pytest.raises(OSError, match=r"abc\.work: could not write the workspace.*--out") as caught:
        Store(tmp_path).workspace("pose", "abc")
    # Room is not what lacks.
    assert f"{tmp_path / 'pose'} must be a writable folder" in str(caught.value)
    assert "free" not in str(caught.value).lower()


def test_a_spoilt_result_names_its_file(tmp_path: Path) -> None:
    store = Store(tmp_path)
    folder = store.save(_record()).folder
    (folder / "cell.json").write_text("{")
    with pytest.raises(ValueError, match=r"cell\.json.*run again"):
        store.load("pose", "abc")
    (folder / "cell.json").write_text(json.dumps({"schema": 99}))
    with pytest.raises(ValueError, match="schema"):
        store.load("pose", "abc")
    (folder / "cell.json").write_bytes(b'{"schema": "\xff"}')
    with pytest.raises(ValueError, match=r"cell\.json.*run again"):
        store.load("pose", "abc")


@pytest.mark.parametrize(
    ("record", "missing"),
    [
        ({"name": "x", "cell": {}}, "expected the field 'task'"),
        ({k: v for k, v in _record().items() if k != "headline"}, "expected the field 'headline' of a finished cell"),
        (_record(cell=[]), r"cell .*expected an object \{\.\.\.\}, got \[\]"),
        (
            _record(figures={"AP": {"value": "12", "unit": "%", "higher_is_better": True}}),
            "figures.*expected a number or null",
        ),
    ],
)
def test_a_result_without_a_field_names_file_and_field(tmp_path: Path, record: dict, missing: str) -> None:
    folder = tmp_path / "pose" / "abc"
    folder.mkdir(parents=True)
    (folder / "cell.json").write_text(json.dumps({"schema": 1, **record}))
    with pytest.raises(ValueError, match=rf"abc/cell\.json.*{missing}.*run again"):
        list(Store(tmp_path).all())


@pytest.mark.parametrize("spoil", ["empty", "cut", "flipped"])
def test_spoilt_statistics_name_their_file(tmp_path: Path, spoil: str) -> None:
    stored = Store(tmp_path).save(_record(), {"image": np.array(["a", "b"]), "v": np.random.default_rng(0).random(200)})
    path = stored.folder / "stats.npz"
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes(255 - value for value in whole[middle : middle + 8]) + whole[middle + 8 :]
    path.write_bytes({"empty": b"", "cut": whole[:middle], "flipped": flipped}[spoil])
    with pytest.raises(ValueError, match=r"abc/stats\.npz: expected statistics.*Run the cell again"):
        stored.stats()


def test_a_failure_lies_beside_a_finished_result(runs: Runs, tmp_path: Path) -> None:
    cell = make()
    done = runs.finish(cell)
    (done.folder / "weights.pt").write_bytes(b"days of training")
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "traceback.txt").write_text("Traceback ...")
    record = msgspec.structs.replace(done.record, status="failed", reason="out of memory", figures={})
    failed = runs.store.save(record, files=kept)
    assert not failed.done and (failed.folder / "traceback.txt").exists()
    assert json.loads((failed.folder / "failure.json").read_text())["reason"] == "out of memory"
    assert (done.folder / "weights.pt").exists()
    # This run's tables show the failure; the next process finds the result, and one that succeeds replaces both.
    assert runs.store.load(cell.task, cell.id) is failed
    fresh = Store(runs.store.root)
    found = fresh.load(cell.task, cell.id)
    assert found is not None and found.done and [stored.id for stored in fresh.all()] == [cell.id]
    again = runs.finish(cell, 0.7)
    assert again.done and runs.store.load(cell.task, cell.id) == again and not failed.folder.exists()


def test_a_workspace_has_one_owner_that_lives(runs: Runs) -> None:
    path = runs.store.workspace("people", "one")
    assert runs.store.workspace("people", "one") == path  # this process again
    host, _, _ = owner().rpartition(".")
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        (path / OWNER).write_text(f"{host}.{other.pid}\n")
        with pytest.raises(BusyError, match=rf"one\.work: process {host}\.{other.pid} runs this cell.*--out"):
            runs.store.workspace("people", "one")
    finally:
        other.communicate()
    assert runs.store.workspace("people", "one") == path  # it has ended
    runs.store.release("people", "one")
    assert path.is_dir() and not (path / OWNER).exists()
