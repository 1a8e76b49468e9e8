"""Temporary folders that name who writes them, so that what a killed process left can be told from what is in use. Torch-free."""

from __future__ import annotations

import os
import platform
import re
import shutil
import tempfile
import time
from pathlib import Path

OWNER = "owner"
"""In a cell's workspace: the file that names the process which works there."""

_DAY_S, _MINUTE_S = 86400.0, 60.0
# ".<stem>.<host>.<pid>.<random>", with "-old" where data were moved aside; without an owner as older versions wrote it.
_NAMED = re.compile(r"^\..+\.(?P<owner>[\w-]+\.\d+)\.[a-z0-9_]{8}(-old)?$")
_UNNAMED = re.compile(r"^\.[\w-]+(\.old)?[.-][a-z0-9_]{8}(-old)?$")


def owner() -> str:
    """This process, as "host.pid"."""
    return f"{_host()}.{os.getpid()}"


def claim(workspace: Path) -> str | None:
    """Writes this process into `workspace` as its owner; the other's name instead, where one that lives has it.

    Raises:
        OSError: the disk refused.
    """
    path = workspace / OWNER
    for _ in range(3):
        try:
            with path.open("x", encoding="utf-8") as handle:
                handle.write(owner() + "\n")
            return None
        except FileExistsError:
            pass
        try:
            name = path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            continue
        if name == owner():
            return None
        if name and _in_use(name, workspace):
            return name
        path.unlink(missing_ok=True)
    return "unknown"


def scratch_folder(parent: Path, stem: str) -> Path:
    """A new hidden folder in `parent` that carries the name of this process."""
    return Path(tempfile.mkdtemp(prefix=f".{stem}.{owner()}.", dir=parent))


def sweep(runs: Path, embedded: Path) -> list[Path]:
    """Removes what killed processes left in the result store and among the embedded data; returns what was removed.

    Gone are half-written results and data, and workspaces that hold nothing to resume. What a living process of this
    machine owns stays; so does for a day what another machine owns, and for a minute what names no owner.
    """
    removed = [
        path for root in (runs, embedded) for path in sorted(root.glob("*/.*")) if path.is_dir() and _stale(path)
    ]
    removed += [path for path in sorted(runs.glob("*/*.work")) if _abandoned(path)]
    for path in removed:
        shutil.rmtree(path, ignore_errors=True)
    return removed


def _stale(folder: Path) -> bool:
    named = _NAMED.match(folder.name)
    if named:
        return not _in_use(named["owner"], folder)
    return bool(_UNNAMED.match(folder.name)) and _age_s(folder) > _MINUTE_S


def _abandoned(workspace: Path) -> bool:
    if (workspace / "resume.pt").exists():
        return False
    try:
        return not _in_use((workspace / OWNER).read_text(encoding="utf-8").strip(), workspace)
    except OSError:
        return _age_s(workspace) > _MINUTE_S


def _in_use(name: str, folder: Path) -> bool:
    """Whether the process "host.pid" lives; of another machine's nothing is known, so its folder's age decides."""
    host, _, pid = name.rpartition(".")
    if host != _host() or not pid.isdecimal() or os.name != "posix":
        return _age_s(folder) < _DAY_S
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


def _host() -> str:
    return re.sub(r"[^\w-]", "-", platform.node()) or "host"
