"""Claims of cells: of all processes that share a results folder, one runs a cell at a time.

A claim is a lock of the operating system on ``<runs>/.locks/<task>.<id>.lock``, which ends with its process, however that ends.
Beside it, the cell's workspace names the owner in a file whose time is renewed while the process lives (the heartbeat). It
decides where locks do not reach: on drives without them, and between machines that each keep their own.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from benchmarks.store.files import check_inside

LOCKS = ".locks"
OWNER = "owner"
"""In a cell's workspace: the file that names the process which works there, as "host.pid"."""
BEAT_S = 5.0
STALE_S = 30.0
"""A claim whose heartbeat is older has no owner that lives."""
WITHOUT_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)

_HELD: dict[Path, BaseFileLock] = {}
"""Workspaces that this process has claimed."""
_BEATING = threading.Lock()


class BusyError(ValueError):
    """Another process that lives runs the cell."""


def owner() -> str:
    """This process, as "host.pid"."""
    return f"{host()}.{os.getpid()}"


def host() -> str:
    """This machine's name, without characters that a file name cannot have."""
    return re.sub(r"[^\w-]", "-", platform.node()) or "host"


def lock_path(workspace: Path) -> Path:
    """The lock of the cell whose workspace is ``<runs>/<task>/<id>.work``."""
    return workspace.parent.parent / LOCKS / f"{workspace.parent.name}.{workspace.stem}.lock"


def claim(workspace: Path) -> None:
    """Claims a cell for this process and makes its workspace; again where it has it already.

    Raises:
        BusyError: another process runs the cell; the text names it, the file that says so, and what to do.
        ValueError: a link leads out of the results folder.
        OSError: the disk refused.
    """
    key = workspace.absolute()
    if key in _HELD:
        workspace.mkdir(parents=True, exist_ok=True)
        return
    lock = _locked(workspace)
    if lock is None:
        raise _busy(workspace)
    try:
        if _beats_elsewhere(workspace):
            raise _busy(workspace)
        workspace.mkdir(parents=True, exist_ok=True)
        (workspace / OWNER).write_text(owner() + "\n", encoding="utf-8")
    except BaseException:
        lock.release()
        raise
    _HELD[key] = lock
    _start_heartbeat()


def release(workspace: Path) -> None:
    """Gives a claim up; the workspace stays as it is."""
    lock = _HELD.pop(workspace.absolute(), None)
    if lock is None:
        return
    with contextlib.suppress(OSError):
        (workspace / OWNER).unlink(missing_ok=True)
    lock.release()


def is_held(workspace: Path) -> bool:
    """Whether this process has claimed the cell."""
    return workspace.absolute() in _HELD


@contextlib.contextmanager
def unclaimed(workspace: Path) -> Iterator[bool]:
    """Whether no process that lives, neither this nor another, runs the cell; none can begin to before the block ends."""
    lock = None if workspace.absolute() in _HELD else _locked(workspace)
    if lock is None:
        yield False
        return
    try:
        yield not _beats_elsewhere(workspace)
    finally:
        lock.release()


def _locked(workspace: Path) -> BaseFileLock | None:
    """The lock, taken; None where another process has it. ValueError where a link leads out of the results folder."""
    path = lock_path(workspace)
    for place in (path, path.with_suffix(".soft"), path.with_suffix(".breaking")):
        check_inside(place, path.parent.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock: BaseFileLock = FileLock(path, timeout=0, thread_local=False)
        lock.acquire()
        return lock
    except Timeout:
        return None
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in WITHOUT_LOCKS:
            raise
    return _softly_locked(path.with_suffix(".soft"), workspace)


def _softly_locked(path: Path, workspace: Path) -> BaseFileLock | None:
    """The same by a file that exists or not. One that a killed process left is removed when its heartbeat has stopped; a file
    of its own lets one process at a time do so."""
    lock = SoftFileLock(path, timeout=0, thread_local=False)
    with contextlib.suppress(Timeout):
        lock.acquire()
        return lock
    if not _stopped(path, workspace):
        return None
    breaking = SoftFileLock(path.with_suffix(".breaking"), timeout=0, thread_local=False)
    try:
        with breaking:
            if not _stopped(path, workspace):
                return None
            path.unlink(missing_ok=True)
            lock.acquire()
            return lock
    except Timeout:
        if _age_s(path.with_suffix(".breaking")) > 2 * STALE_S:  # killed in these few lines
            path.with_suffix(".breaking").unlink(missing_ok=True)
        return None


def _stopped(lock: Path, workspace: Path) -> bool:
    """Whether neither the lock's file nor the owner's has been renewed of late."""
    return min(_age_s(lock), _age_s(workspace / OWNER)) > STALE_S


def _beats_elsewhere(workspace: Path) -> bool:
    """Whether a process of another machine works there: its lock may be unknown here, its heartbeat is seen."""
    try:
        name = (workspace / OWNER).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return False
    return name.rpartition(".")[0] != host() and _age_s(workspace / OWNER) < STALE_S


def _busy(workspace: Path) -> BusyError:
    path = workspace / OWNER
    try:
        name = path.read_text(encoding="utf-8", errors="replace").strip() or "unknown"
    except OSError:
        name = "unknown"
    return BusyError(
        f"{workspace}: process {name} runs this cell (says {path}). Wait until it has ended, or choose another folder with "
        f"--out; where it was killed on another machine, this is known {STALE_S:.0f} s later."
    )


def _age_s(path: Path) -> float:
    """Seconds since a file was renewed, by this machine's clock; infinite where there is none."""
    try:
        return abs(time.time() - path.stat().st_mtime)
    except OSError:
        return float("inf")


def _start_heartbeat() -> None:
    if _BEATING.acquire(blocking=False):
        threading.Thread(target=_beat, name="claims", daemon=True).start()


def _beat() -> None:
    while True:
        time.sleep(BEAT_S)
        for workspace, lock in list(_HELD.items()):
            for path in (workspace / OWNER, Path(lock.lock_file)):
                with contextlib.suppress(OSError):
                    os.utime(path)
