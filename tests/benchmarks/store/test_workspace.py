"""What killed processes leave is removed; what the living use stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.store.store import Store
from benchmarks.store.workspace import OWNER, owner, scratch_folder, sweep


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
    dead = [
        _folder(runs / "pose" / f".0123456789ab.{gone}.abcd_123"),
        _folder(runs / "pose" / f".0123456789ab.old.{gone}.abcd_123"),
        _folder(embedded / "smoke" / f".coco.{gone}.abcd_123"),
        _folder(embedded / "smoke" / f".coco.{gone}.abcd_123-old"),
        _folder(embedded / "embedded" / ".coco-abcd_123", age_s=100),
        _folder(runs / "pose" / ".0123456789ab.abcd_123", age_s=100),
        _folder(runs / "pose" / ".0123456789ab.other-host.17.abcd_123", age_s=100_000),
    ]
    (runs / "pose").mkdir(exist_ok=True)
    living = [
        scratch_folder(runs / "pose", "0123456789ab"),
        _folder(runs / "pose" / ".0123456789ab.abcd_456"),
        _folder(runs / "pose" / ".0123456789ab.other-host.17.abcd_456", age_s=100),
        _folder(runs / "pose" / "0123456789ab", age_s=100_000),
        _folder(runs / "pose" / ".notes", age_s=100_000),
    ]
    assert set(sweep(runs, embedded)) == set(dead)
    assert not any(path.exists() for path in dead) and all(path.exists() for path in living)


def test_workspaces_with_nothing_to_resume_go(tmp_path: Path, gone: str) -> None:
    store = Store(tmp_path / "runs")
    mine, empty, resumable = (store.workspace("pose", name) for name in ("mine", "empty", "resumable"))
    for path in (empty, resumable):
        (path / OWNER).write_text(gone)
    (resumable / "resume.pt").write_bytes(b"state")
    assert sweep(tmp_path / "runs", tmp_path / "embedded") == [empty]
    assert mine.exists() and resumable.exists() and not empty.exists()


def test_half_written_results_are_no_results(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    names = ("dataset", "split", "model", "tier")
    cell = {"task": "pose", "protocol": {}, "seed": 0} | dict.fromkeys(names, "any")
    store.save({"id": "abc", "name": "a", "status": "done", "cell": cell, "figures": {}, "headline": "AP"})
    for text in ("{", (store.folder("pose", "abc") / "cell.json").read_text()):
        (scratch_folder(tmp_path / "runs" / "pose", "abc") / "cell.json").write_text(text)
    assert [stored.folder.name for stored in store.all()] == ["abc"]
