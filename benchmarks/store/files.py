"""Folders that are written whole or not at all, and paths that stay inside a folder."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from pathlib import Path

from tasks.files.writing import sync_folder

LAST = "cell.json"
"""The file of a result that is written last: with it the result is complete."""


def new_folder(parent: Path, stem: str) -> Path:
    """A new folder in `parent`, its name `stem` with eight random characters, with the permissions that the umask leaves."""
    while True:
        path = parent / f"{stem}{secrets.token_hex(4)}"
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path


def put(fresh: Path, target: Path, aside: Path) -> None:
    """Puts the complete folder `fresh` into the place of `target`; a kill at any moment leaves the old or the new one.

    From its first rename on, `fresh` is the result (`waiting_place`); `settle` does the rest, here or in a later process.

    Args:
        aside: a folder where an old `target` waits for its deletion.

    Raises:
        OSError: the disk refused.
    """
    sync_tree(fresh)
    settle(target, aside)
    fresh.rename(waiting_place(target))
    settle(target, aside)


def settle(target: Path, aside: Path) -> None:
    """Ends a replacement of `target` that was interrupted; nothing to do where none was. What waits without `LAST`, or is a link,
    is no result (somebody copied a folder in part): it is removed."""
    waiting = waiting_place(target)
    if waiting.is_symlink():
        waiting.unlink()
    elif not (waiting / LAST).is_file():
        shutil.rmtree(waiting, ignore_errors=True)
    if not waiting.is_dir():
        return
    if os.path.lexists(target):
        aside.mkdir(exist_ok=True)
        target.rename(aside / secrets.token_hex(4))
    waiting.rename(target)
    sync_folder(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


def waiting_place(target: Path) -> Path:
    """Where a complete folder waits that is to replace `target`."""
    return target.with_name(f".{target.name}.new")


def sync_tree(folder: Path) -> None:
    """Puts the files of a folder and its sub-folders on the disk."""
    for path, _, names in os.walk(folder):
        for name in names:
            file = Path(path, name)
            if file.is_symlink():
                continue
            with file.open("rb") as handle:
                _sync(handle.fileno())
        sync_folder(Path(path))


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):  # a drive that cannot
            raise


def is_inside(path: Path, folder: Path) -> bool:
    """Whether `path`, with all links followed, lies in `folder` or is it."""
    held, whole = os.path.realpath(path), os.path.realpath(folder)
    return held == whole or held.startswith(whole.rstrip(os.sep) + os.sep)


def check_inside(path: Path, folder: Path) -> None:
    """Raises ValueError where a link would lead what is written to `path` out of `folder`."""
    if not is_inside(path, folder):
        raise ValueError(f"{path}: expected a place inside of {folder}, got a link that leads out; remove it")


def no_room(error: OSError, path: Path, what: str) -> OSError:
    """The error of a write that the disk refused: the file, and what to do: about room where that is what lacks, else about
    the folder."""
    place = path.parent
    while not os.access(place, os.F_OK):  # Path.exists raises where a folder may not be entered
        place = place.resolve().parent
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return OSError(
            error.errno,
            f"{path}: could not write {what} ({error.strerror or error}); {place} must be a writable folder: correct that, or "
            "choose another folder with --out, and run again: finished cells are kept",
        )
    return OSError(
        error.errno,
        f"{path}: could not write {what} ({error.strerror or error}); {shutil.disk_usage(place).free / 2**20:.0f} MiB are "
        "free there. Free space, or choose another folder with --out, and run again: finished cells are kept",
    )
