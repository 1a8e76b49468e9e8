"""What killed processes leave is removed; what the living use stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.store.claims import owner
from benchmarks.store.store import Store
from benchmarks.store.workspace import scratch_folder, sweep


@pytest.fixture
def gone() -> str:
    """A process of this machine that has ended, as "host.pid"."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return f"{owner().rpartition('.')[0]}.{process.pid}"


def _folder(path: Path, age_s: float = 0.0) -> Path:
    path.mkdir(parents=True)
    (path / "cell.json").write_text("{")
    os.utime(path, (time.time() - age_s,) * 2)
    return path


def test_half_written_results_of_the_dead_go(tmp_path: Path, gone: str) -> None:
    runs, embedded = tmp_path / "runs", tmp_path / "embedded"
    (runs / "pose").mkdir(parents=True)
    dead = [
        _folder(runs / "pose" / f".0123456789ab.{gone}.abcd_123"),
        _folder(runs / "pose" / f".0123456789ab.old.{gone}.abcd_123"),
        _folder(embedded / "smoke" / f".coco.{gone}.abcd_123"),
        _folder(embedded / "smoke" / f".coco.{gone}.abcd_123-old"),
        _folder(embedded / "embedded" / ".coco-abcd_123", age_s=100),
        _folder(embedded / "smoke" / f".coco.{owner()}.abcd_456", age_s=100_000),  # a number that came again
        _folder(runs / "pose" / ".0123456789ab.abcd_123", age_s=100),
        # Nobody has claimed these cells, whatever the name says: a restart may have changed it.
        _folder(runs / "pose" / ".0123456789ab.before-the-restart.17.abcd_123"),
        scratch_folder(runs / "pose", "0123456789ab"),
    ]
    store = Store(runs)
    store.workspace("pose", "ba9876543210")
    living = [
        scratch_folder(runs / "pose", "ba9876543210"),
        _folder(runs / "pose" / ".0123456789ab.abcd_456"),
        _folder(runs / "pose" / "0123456789ab", age_s=100_000),
        _folder(runs / "pose" / ".notes", age_s=100_000),
        _folder(embedded / "smoke" / f".coco.{owner()}.abcd_123"),
        _folder(embedded / "smoke" / ".coco.another-machine.17.abcd_123"),
    ]
    assert set(sweep(runs, embedded)) == set(dead)
    assert not any(path.exists() for path in dead) and all(path.exists() for path in living)
    store.release("pose", "ba9876543210")


def test_workspaces_with_nothing_to_resume_go(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    mine, empty, resumable = (store.workspace("pose", digit * 12) for digit in "abc")
    for path in (empty, resumable):
        store.release("pose", path.stem)
    (resumable / "resume.pt").write_bytes(b"state")
    assert sweep(tmp_path / "runs", tmp_path / "embedded") == [empty]
    assert mine.exists() and resumable.exists() and not empty.exists()
    store.release("pose", "a" * 12)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "runs" / "pose" / "0123456789ab.work").mkdir(parents=True)
    (tmp_path / "runs" / ".locks").write_text("a file where the folder would be")
    with pytest.raises(OSError, match=r"ab\.work: could not write its lock .*writable folder.*--out"):
        sweep(tmp_path / "runs", tmp_path / "embedded")


def test_links_are_left_alone(tmp_path: Path) -> None:
    runs, outside = tmp_path / "runs", tmp_path / "outside"
    kept = _folder(outside / ".0123456789ab.host.17.abcd_123", age_s=100_000)
    work = _folder(outside / "0123456789ab.work", age_s=100_000)
    runs.mkdir()
    (runs / "pose").symlink_to(outside)
    assert sweep(runs, tmp_path / "embedded") == [] and kept.exists() and work.exists()


@pytest.mark.parametrize("what", ["owner", "keep", ".locks", "lock", "failure.json"])
def test_links_that_lead_out_are_not_written_through(tmp_path: Path, what: str) -> None:
    """A results folder from elsewhere may hold them where a run writes: nothing outside is written, moved or made."""
    runs, outside, cell_id = tmp_path / "runs", tmp_path / "outside", "0123456789ab"
    outside.mkdir()
    (outside / "kept").write_text("precious")
    store, work = Store(runs), runs / "pose" / f"{cell_id}.work"
    names = ("dataset", "split", "model", "tier")
    cell = {"task": "pose", "protocol": {}, "seed": 0} | dict.fromkeys(names, "any")
    record = {"id": cell_id, "name": "a", "status": "done", "cell": cell, "figures": {}, "headline": "AP"}
    folder = store.save(record).folder
    link, target = {
        "owner": (work / "owner", outside / "kept"),
        "keep": (work / "keep", outside),
        ".locks": (runs / ".locks", outside),
        "lock": (runs / ".locks" / f"pose.{cell_id}.lock", outside / "kept"),
        "failure.json": (folder / "last_failure" / "failure.json", outside / "kept"),
    }[what]
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
    if what == "failure.json":
        assert not store.save(record | {"status": "failed", "reason": "why"}).done
        assert "why" in link.read_text() and not link.is_symlink()
    else:
        with pytest.raises(ValueError, match=f"{link.name}.*a link that leads out; remove it"):
            store.workspace("pose", cell_id)
    assert [(path.name, path.read_text()) for path in outside.iterdir()] == [("kept", "precious")]


def test_half_written_results_are_no_results(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    names = ("dataset", "split", "model", "tier")
    cell = {"task": "pose", "protocol": {}, "seed": 0} | dict.fromkeys(names, "any")
    store.save({"id": "abcabcabcabc", "name": "a", "status": "done", "cell": cell, "figures": {}, "headline": "AP"})
    for text in ("{", (store.folder("pose", "abcabcabcabc") / "cell.json").read_text()):
        (scratch_folder(tmp_path / "runs" / "pose", "abcabcabcabc") / "cell.json").write_text(text)
    assert [stored.folder.name for stored in store.all()] == ["abcabcabcabc"]
