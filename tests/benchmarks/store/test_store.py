"""The store: whole or not at all."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from made_up import Runs, make

from benchmarks.store import files as writing
from benchmarks.store import store as module
from benchmarks.store.store import Store
from benchmarks.store.workspace import sweep

ID = "abcabcabcabc"


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
    return {"id": ID, "name": "pose/coco/m", "status": "done", "cell": cell, **figures, **changes}


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
    assert [c.id for c in store.all()] == [ID]


def test_replacing_leaves_no_trace_of_the_old(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(_record(), {"image": np.array(["a"])})
    again = store.save(_record(status="failed", reason="why"))
    assert not again.done and again.stats() == {}
    assert [p.name for p in (tmp_path / "pose").iterdir()] == [ID]


def test_an_interrupted_save_leaves_the_old_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.save(_record())

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "_sync", full)
    with pytest.raises(OSError, match=r"MiB are free.*--out"):
        store.save(_record(figures={}))
    monkeypatch.undo()
    kept = store.load("pose", ID)
    assert kept is not None and kept.value("AP") == 1.5
    assert [p.name for p in (tmp_path / "pose").iterdir()] == [ID]


def test_what_cannot_be_written_is_remembered_for_the_tables(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save(_record())
    store.remember(_record(status="failed", reason="no room"))
    held = store.load("pose", ID)
    assert held is not None and not held.done and held.record.reason == "no room"
    other = Store(tmp_path).load("pose", ID)
    assert other is not None and other.done


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "scratch_folder", full)
    with pytest.raises(OSError, match=rf"{ID}: could not write the result.*MiB are free.*--out"):
        Store(tmp_path / "runs").save(_record())


def test_a_workspace_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "pose").write_text("a file where the folder would be")
    with pytest.raises(OSError, match=rf"{ID}\.work: could not write the workspace.*--out") as caught:
        Store(tmp_path).workspace("pose", ID)
    # Room is not what lacks.
    assert f"{tmp_path / 'pose'} must be a writable folder" in str(caught.value)
    assert "free" not in str(caught.value).lower()


def _written(root: Path, text: str | bytes, task: str = "pose", cell_id: str = ID) -> Path:
    path = root / task / cell_id / "cell.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "no valid json"),
        ("", "it is empty"),
        (json.dumps({"schema": 99}), "expected schema 1, got 99"),
        (b'{"schema": 1, "id": "\xff"}', "UTF-8"),
        (json.dumps({"schema": 1, "name": "x", "cell": {}}), "expected the field 'task'"),
        (
            json.dumps({"schema": 1, **{k: v for k, v in _record().items() if k != "headline"}}),
            "expected the field 'headline' of a finished cell",
        ),
        (json.dumps({"schema": 1, **_record(cell=[])}), "cell"),
        (json.dumps({"schema": 1, **_record(id="../../../../x")}), "id.*../../../../x"),
        (json.dumps({"schema": 1, **_record(id="b" * 12)}), f"expected cell {ID} of pose, got bbbbbbbbbbbb of pose"),
        (
            json.dumps({"schema": 1, **_record(cell={**_record()["cell"], "task": "landmarks"})}),
            f"expected cell {ID} of pose, got {ID} of landmarks",
        ),
        (
            json.dumps(
                {
                    "schema": 1,
                    **_record(
                        pictures=[
                            {
                                "kind": "best",
                                "index": 0,
                                "image": "a",
                                "score": 1,
                                "truth": "../../../etc/passwd",
                                "prediction": "pictures/0_prediction.jpg",
                            }
                        ]
                    ),
                }
            ),
            r"pictures\[0\]\.truth.*etc/passwd",
        ),
    ],
)
def test_a_result_that_cannot_be_used_is_a_failed_cell_with_its_reason(
    tmp_path: Path, text: str | bytes, reason: str
) -> None:
    _written(tmp_path, text)
    store = Store(tmp_path)
    store.save(_record(id="c" * 12))
    damaged, whole = store.all()
    assert whole.done and not damaged.done and damaged.id == ID and damaged.record.cell.task == "pose"
    assert re.search(rf"{ID}.cell\.json.*{reason}", damaged.damage) and damaged.record.reason == damaged.damage
    assert damaged.newer == ("99" in reason)
    assert store.save(_record()).done  # a run replaces it


def test_links_that_lead_out_of_the_results_are_not_followed(tmp_path: Path) -> None:
    store, outside = Store(tmp_path / "runs"), tmp_path / "outside"
    for place in ("cell", "file", "task"):
        folder = store.save(_record()).folder
        moved = {"cell": folder, "file": folder / "cell.json", "task": folder.parent}[place]
        outside.parent.mkdir(exist_ok=True)
        moved.rename(outside)
        moved.symlink_to(outside)
        stored = Store(store.root).load("pose", ID)
        assert stored is not None and not stored.done and "a link that leads out" in stored.damage, place
        if place == "task":
            assert list(store.all()) == []
        if place != "file":
            with pytest.raises(ValueError, match="a link that leads out"):
                store.save(_record())
        if place == "task":
            with pytest.raises(ValueError, match="a link that leads out"):
                store.workspace("pose", ID)
        sweep(tmp_path / "runs", tmp_path / "embedded")
        assert outside.exists()
        moved.unlink()
        if outside.is_dir():
            shutil.rmtree(outside)
        else:
            outside.unlink()


def test_links_inside_the_results_are_followed(tmp_path: Path) -> None:
    folder = Store(tmp_path).save(_record()).folder
    (tmp_path / "elsewhere").mkdir()
    folder.rename(tmp_path / "elsewhere" / ID)
    folder.symlink_to(tmp_path / "elsewhere" / ID)
    stored = Store(tmp_path).load("pose", ID)
    assert stored is not None and stored.done


def test_a_file_of_a_cell_is_in_its_folder(tmp_path: Path) -> None:
    stored = Store(tmp_path / "runs").save(_record())
    (tmp_path / "secret").write_text("x")
    (stored.folder / "pictures").mkdir()
    (stored.folder / "pictures" / "0_truth.jpg").symlink_to(tmp_path / "secret")
    assert stored.file("pictures/0_truth.jpg") is None and stored.file("nothing") is None
    assert stored.file("cell.json") == stored.folder / "cell.json"


def test_folders_and_files_have_the_umasks_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        stored = Store(tmp_path / "runs").save(_record(), {"image": np.array(["a"])})
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (stored.folder, *stored.folder.iterdir())}
    assert modes == {ID: 0o750, "cell.json": 0o640, "stats.npz": 0o640}


class _Killed(BaseException):
    """Stands for a kill: nothing but a test catches it."""


SYSTEM_CALLS = ("rename", "replace", "mkdir", "unlink", "rmdir", "fsync", "open")


def test_a_kill_at_any_system_call_of_a_save_leaves_the_old_or_the_new_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call that changes the disk is the last one once; the next process finds one whole result, and so does a run."""
    found = set()
    for step in itertools.count():
        root = tmp_path / str(step)
        killed = _save_killed_at(step, root, monkeypatch)
        for _ in range(2):
            stored = Store(root / "runs").load("pose", ID)
            assert stored is not None and stored.done
            assert stored.stats()["image"].tolist() == [{1: "old", 2: "new"}[stored.record.batch_size or 0]]
            assert (stored.folder / "weights.pt").exists() == (stored.record.batch_size == 2)
            assert [one.id for one in Store(root / "runs").all()] == [ID]
            sweep(root / "runs", root / "embedded")
            assert [path.name for path in (root / "runs" / "pose").iterdir()] == [ID]
        found.add(stored.record.batch_size)
        if not killed:
            break
    assert step > 15 and found == {1, 2}


def _save_killed_at(step: int, root: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Replaces a result; all ends before system call number `step` of it. False if it takes fewer."""
    Store(root / "runs").save(_record(batch_size=1), {"image": np.array(["old"])})
    files = root / "kept"
    files.mkdir()
    (files / "weights.pt").write_bytes(b"new")
    count = 0

    def stepping(call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count > step:
                raise _Killed
            return call(*arguments, **options)

        return stepped

    with monkeypatch.context() as patched:
        for name in SYSTEM_CALLS:
            patched.setattr(os, name, stepping(getattr(os, name)))
        try:
            Store(root / "runs").save(_record(batch_size=2), {"image": np.array(["new"])}, files)
        except _Killed:
            return True
    return False


@pytest.mark.parametrize("kind", ["empty", "without its last file", "link"])
def test_what_waits_and_is_no_result_replaces_none(tmp_path: Path, kind: str) -> None:
    """A results folder that was copied in part, in the middle of a replacement."""
    store = Store(tmp_path / "runs")
    folder = store.save(_record(batch_size=1), {"image": np.array(["old"])}).folder
    waiting = writing.waiting_place(folder)
    if kind == "link":
        waiting.symlink_to(folder)
    else:
        waiting.mkdir()
        if kind != "empty":
            shutil.copy(folder / "stats.npz", waiting)
    sweep(tmp_path / "runs", tmp_path / "embedded")
    stored = Store(tmp_path / "runs").load("pose", ID)
    assert stored is not None and stored.done and stored.stats()["image"].tolist() == ["old"]
    assert [path.name for path in folder.parent.iterdir()] == [ID]


@pytest.mark.parametrize("spoil", ["empty", "cut", "flipped"])
def test_spoilt_statistics_name_their_file(tmp_path: Path, spoil: str) -> None:
    stored = Store(tmp_path).save(_record(), {"image": np.array(["a", "b"]), "v": np.random.default_rng(0).random(200)})
    path = stored.folder / "stats.npz"
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes(255 - value for value in whole[middle : middle + 8]) + whole[middle + 8 :]
    path.write_bytes({"empty": b"", "cut": whole[:middle], "flipped": flipped}[spoil])
    with pytest.raises(ValueError, match=rf"{ID}/stats\.npz: expected statistics.*Run the cell again"):
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
