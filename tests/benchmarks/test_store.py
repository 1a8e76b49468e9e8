"""The store: whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import store as module
from benchmarks.store import Store, without_nan


def _record(**changes: object) -> dict:
    return {"id": "abc", "status": "done", "cell": {"task": "pose"}, "figures": {"AP": {"value": 1.5}}, **changes}


def test_saved_and_read_back(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "weights.pt").write_bytes(b"w")
    store = Store(tmp_path / "runs")
    stored = store.save(_record(loss=float("nan")), {"image": np.array(["a", "b"]), "v": np.arange(2)}, files)
    assert stored.value("AP") == 1.5 and stored.value("AR") is None
    assert stored.record["loss"] is None
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
    assert held is not None and not held.done and held.record["reason"] == "no room"
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
    with pytest.raises(OSError, match=r"abc\.work: could not write the workspace.*--out"):
        Store(tmp_path).workspace("pose", "abc")


def test_a_spoilt_result_names_its_file(tmp_path: Path) -> None:
    store = Store(tmp_path)
    folder = store.save(_record()).folder
    (folder / "cell.json").write_text("{")
    with pytest.raises(ValueError, match=r"cell\.json.*run again"):
        store.load("pose", "abc")
    (folder / "cell.json").write_text(json.dumps({"schema": 99}))
    with pytest.raises(ValueError, match="schema"):
        store.load("pose", "abc")


def test_plain_data_without_nan() -> None:
    assert without_nan({"a": [np.float32(1), np.nan], "b": np.array([1, 2])}) == {"a": [1.0, None], "b": [1, 2]}
