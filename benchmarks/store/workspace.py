"""Temporary folders that name who writes them, so that what a killed process left can be told from what is in use."""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path

from benchmarks.store.claims import host, owner, unclaimed
from benchmarks.store.files import is_inside, new_folder, no_room, settle

_DAY_S, _MINUTE_S = 86400.0, 60.0
# ".<stem>.<host>.<pid>.<random>", with "-old" where data were moved aside; without an owner as older versions wrote it.
_NAMED = re.compile(r"^\.(?P<stem>.+?)(\.old)?\.(?P<owner>[\w-]+\.\d+)\.[a-z0-9_]{8}(-old)?$")
_UNNAMED = re.compile(r"^\.[\w-]+(\.old)?[.-][a-z0-9_]{8}(-old)?$")
_WAITING = re.compile(r"^\.(?P<id>[0-9a-f]{12})\.new$")


def scratch_folder(parent: Path, stem: str) -> Path:
    """A new hidden folder in `parent` that carries the name of this process."""
    return new_folder(parent, f".{stem}.{owner()}.")


def sweep(runs: Path, embedded: Path) -> list[Path]:
    """Removes what killed processes left in the result store and among the embedded data; returns what was removed.

    Gone are half-written results and data, and workspaces that hold nothing to resume; a result that was complete takes its
    place. What a living process has stays: of results that is who has claimed the cell, of data a process of this machine for
    a day; so does for a day what another machine's data are, and for a minute what names no owner. Links are left alone.

    Raises:
        OSError: the folder cannot be written. ValueError: its locks are links that lead out.
    """
    removed = [path for path in _hidden(embedded) if _left_by_a_writer(path)]
    for path in removed:
        shutil.rmtree(path, ignore_errors=True)
    for path in [*_hidden(runs), *(path for path in sorted(runs.glob("*/*.work")) if is_inside(path, runs))]:
        try:
            removed += _swept(path)
        except OSError as error:
            raise no_room(error, path, "its lock") from error
    return removed


def _swept(path: Path) -> list[Path]:
    """Settles or removes a folder of the result store that no process needs."""
    waiting, named = _WAITING.match(path.name), _NAMED.match(path.name)
    cell_id = waiting["id"] if waiting else named["stem"] if named else path.stem
    with unclaimed(path.with_name(f"{cell_id}.work")) as free:
        if not free:
            return []
        if waiting:
            settle(path.with_name(cell_id), scratch_name(path.parent, f"{cell_id}.old"))
            return []
        old = bool(_UNNAMED.match(path.name)) and _age_s(path) > _MINUTE_S
        abandoned = path.suffix == ".work" and not (path / "resume.pt").exists()
        if not (named or old or abandoned):
            return []
        shutil.rmtree(path, ignore_errors=True)
        return [path]


def _hidden(root: Path) -> list[Path]:
    return [path for path in sorted(root.glob("*/.*")) if path.is_dir() and is_inside(path, root)]


def scratch_name(parent: Path, stem: str) -> Path:
    """The name of a hidden folder of this process that need not exist."""
    return parent / f".{stem}.{owner()}.{'0' * 8}"


def _left_by_a_writer(folder: Path) -> bool:
    named = _NAMED.match(folder.name)
    if named:
        return not _in_use(named["owner"], folder)
    return bool(_UNNAMED.match(folder.name)) and _age_s(folder) > _MINUTE_S


def _in_use(name: str, folder: Path) -> bool:
    """Whether the process "host.pid" may still write there; for a day at most, since a number may come again."""
    if _age_s(folder) > _DAY_S:
        return False
    machine, _, pid = name.rpartition(".")
    if machine != host() or not pid.isdecimal() or os.name != "posix":
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _age_s(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0
