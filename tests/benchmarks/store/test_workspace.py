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


def test_links_are_left_alone(tmp_path: Path) -> None:
    runs, outside = tmp_path / "runs", tmp_path / "outside"
    kept = _folder(outside / ".0123456789ab.host.17.abcd_123", age_s=100_000)
    work = _folder(outside / "0123456789ab.work", age_s=100_000)
    runs.mkdir()
    (runs / "pose").symlink_to(outside)
    assert sweep(runs, tmp_path / "embedded") == [] and kept.exists() and work.exists()


def test_half_written_results_are_no_results(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    names = ("dataset", "split", "model", "tier")
    cell = {"task": "pose", "protocol": {}, "seed": 0} | dict.fromkeys(names, "any")
    store.save({"id": "abcabcabcabc", "name": "a", "status": "done", "cell": cell, "figures": {}, "headline": "AP"})
    for text in ("{", (store.folder("pose", "abcabcabcabc") / "cell.json").read_text()):
        (scratch_folder(tmp_path / "runs" / "pose", "abcabcabcabc") / "cell.json").write_text(text)
    assert [stored.folder.name for stored in store.all()] == ["abcabcabcabc"]
