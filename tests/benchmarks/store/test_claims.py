"""One process at a time runs a cell; what a killed process claimed is free at once."""

from __future__ import annotations

import errno
import multiprocessing
import os
import subprocess
import sys
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from benchmarks.store import claims
from benchmarks.store.claims import BusyError, claim, is_held, release, unclaimed
from benchmarks.store.store import Store

ID = "0123456789ab"
HOLD = """
import sys
from pathlib import Path
from benchmarks.store.claims import claim
claim(Path(sys.argv[1]))
print("claimed", flush=True)
sys.stdin.read()
"""


def _holder(workspace: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workspace)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "claimed\n"
    return process


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_claim_is_refused_while_its_process_lives_and_free_when_it_was_killed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    workspace = store.work_folder("pose", ID)
    process = _holder(workspace)
    try:
        text = rf"{ID}\.work: process [\w-]+\.{process.pid} runs this cell \(says .*owner\).*--out"
        with pytest.raises(BusyError, match=text):
            store.workspace("pose", ID)
        with unclaimed(workspace) as free:
            assert not free
    finally:
        _end(process)
    assert store.workspace("pose", ID) == workspace == store.workspace("pose", ID)  # this process has it
    assert is_held(workspace)
    with unclaimed(workspace) as free:
        assert not free
    store.release("pose", ID)
    with unclaimed(workspace) as free:
        assert free
    assert workspace.is_dir() and not (workspace / claims.OWNER).exists()


def test_a_number_that_came_again_is_no_owner(tmp_path: Path) -> None:
    """The pid in the file lives, but it is another process; older versions refused that for a day."""
    workspace = tmp_path / "runs" / "pose" / f"{ID}.work"
    workspace.mkdir(parents=True)
    (workspace / claims.OWNER).write_text(f"{claims.host()}.1\n")
    claim(workspace)
    release(workspace)


def test_an_owner_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    workspace = tmp_path / "runs" / "pose" / f"{ID}.work"
    workspace.mkdir(parents=True)
    (workspace / claims.OWNER).write_bytes(b"\xff\xfe\x00.17")
    with pytest.raises(BusyError):
        claim(workspace)
    os.utime(workspace / claims.OWNER, (1, 1))
    claim(workspace)
    release(workspace)


def test_another_machines_claim_holds_while_its_heart_beats(tmp_path: Path) -> None:
    workspace = tmp_path / "runs" / "pose" / f"{ID}.work"
    workspace.mkdir(parents=True)
    path = workspace / claims.OWNER
    path.write_text("before-the-restart.17\n")
    with pytest.raises(BusyError, match=r"before-the-restart\.17.*30 s later"):
        claim(workspace)
    os.utime(path, (time.time() - 2 * claims.STALE_S,) * 2)
    claim(workspace)
    release(workspace)


def test_a_claim_beats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "BEAT_S", 0.05)
    workspace = tmp_path / "runs" / "pose" / f"{ID}.work"
    claim(workspace)
    try:
        os.utime(workspace / claims.OWNER, (1, 1))
        deadline = time.monotonic() + 10  # a thread of an earlier test may still be in a pause of five seconds
        while (workspace / claims.OWNER).stat().st_mtime < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (workspace / claims.OWNER).stat().st_mtime > 2
    finally:
        release(workspace)


def _try(workspace: Path, soft: bool, start: float, answers: multiprocessing.Queue[str], over: Event) -> None:
    if soft:
        _without_locks()
    time.sleep(max(0.0, start - time.time()))
    try:
        claim(workspace)
        answers.put("mine")
        over.wait(30)
    except BusyError:
        answers.put("busy")


def _without_locks() -> None:
    class Refused:
        def __init__(self, *_: object, **__: object) -> None:
            return

        def acquire(self) -> None:
            raise OSError(errno.ENOSYS, "Function not implemented")

    claims.FileLock = Refused  # type: ignore[assignment,misc]


@pytest.mark.parametrize("soft", [False, True])
def test_of_many_processes_one_takes_a_stale_claim(tmp_path: Path, soft: bool) -> None:
    context = multiprocessing.get_context("fork")
    for turn in range(3):
        workspace = tmp_path / str(turn) / "runs" / "pose" / f"{ID}.work"
        workspace.mkdir(parents=True)
        (workspace / claims.OWNER).write_text("gone.17\n")
        left = [claims.lock_path(workspace), claims.lock_path(workspace).with_suffix(".soft"), workspace / claims.OWNER]
        left[0].parent.mkdir()
        for path in left:
            path.touch()
            os.utime(path, (time.time() - 100,) * 2)
        answers: multiprocessing.Queue[str] = context.Queue()
        start, over = time.time() + 0.3, context.Event()
        processes = [context.Process(target=_try, args=(workspace, soft, start, answers, over)) for _ in range(6)]
        for process in processes:
            process.start()
        found = [answers.get(timeout=20) for _ in processes]
        over.set()
        for process in processes:
            process.join(20)
        assert sorted(found) == ["busy"] * 5 + ["mine"]


def test_where_there_are_no_locks_the_heartbeat_of_another_machine_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tmp_path / "runs" / "pose" / f"{ID}.work"
    soft = claims.lock_path(workspace).with_suffix(".soft")
    soft.parent.mkdir(parents=True)
    soft.write_text("17\nanother-machine\n")
    monkeypatch.setattr(claims, "FileLock", claims.FileLock)  # so that it is put back
    _without_locks()
    with pytest.raises(BusyError):
        claim(workspace)
    os.utime(soft, (time.time() - 2 * claims.STALE_S,) * 2)
    claim(workspace)
    release(workspace)
    assert not soft.exists()
