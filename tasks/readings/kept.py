"""Keeps what reading a large annotation file gave, and gives it again while file and code are the same.

An entry is found by the SHA-256 of the file's whole content, its name (notes say it), what was asked of the reading, and the
code and packages that read it: neither a time nor a size is believed. Files that are refused leave no entry. Where the folder
cannot be written, is full, or an entry is damaged, the file is read as ever.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_dir

from tasks.readings.array_file import BLOCK, packed, read_arrays, with_digest

T = TypeVar("T")
Parts = tuple[Any, dict[str, NDArray[Any]]]
"""Plain data and arrays."""

VARIABLE = "HRNET_BENCHMARK_CACHE"
"""Of the environment: another folder, or "off"."""
LEAST_BYTES = 50_000_000
"""Smaller files are read at once, in a second or less."""
MOST_BYTES = 4 * 2**30
"""Of all entries together; those that were not used for longest go."""
SPARE_BYTES = 2**30
"""What has to be left free on the disk."""
SUFFIX, UNFINISHED = ".arrays", ".tmp"
DAY_S = 24 * 3600
_READ_BY = ("coco", "files", "readings")
"""Folders of `tasks/` whose code makes what is kept."""

_anew: ContextVar[bool] = ContextVar("reading anew", default=False)


@contextlib.contextmanager
def reading_anew() -> Iterator[None]:
    """Within it every file is read itself, and nothing is kept."""
    token = _anew.set(True)
    try:
        yield
    finally:
        _anew.reset(token)


def folder() -> Path | None:
    """Where entries lie; None where the user wants none."""
    named = os.environ.get(VARIABLE, "")
    if named.strip().lower() == "off":
        return None
    return Path(named or user_cache_dir("hrnet-benchmark", appauthor=False)).expanduser() / "annotations"


def through_cache(
    path: Path,
    asked: Mapping[str, Any],
    read: Callable[[bytes | None], T],
    content_of: Callable[[], bytes],
    apart: Callable[[T], Parts],
    together: Callable[[Any, Mapping[str, NDArray[Any]]], T],
) -> T:
    """What `read` gives, from the cache where it has it.

    Args:
        path: the file. asked: json's types; all that decides what `read` makes of the file, beside its content and name.
        read: from the file's content, or from the disk where that is None. content_of: the content, or raises what `read` would.
        apart, together: what was read as plain data and arrays, and back.
    """
    place = None if _anew.get() else folder()
    start = _start(path, asked) if place is not None and _bytes(path) >= LEAST_BYTES else None
    if place is None or start is None:
        return read(None)
    found = _found(place, start, path)
    if found is not None:
        entry, parts = found
        try:
            return together(*parts)
        except (KeyError, TypeError, ValueError, AttributeError):  # no reading of ours, whoever wrote it
            _remove(entry)
    content = content_of()
    digest = hashlib.sha256(content).hexdigest()
    made = read(content)
    del content
    with contextlib.suppress(OSError, TypeError, ValueError, OverflowError):
        _keep(place, f"{start}-{digest}", *apart(made))
    return made


def empty() -> tuple[int, int]:
    """Removes every entry; returns how many there were, and their bytes."""
    place = folder()
    removed = [_remove(entry) for entry, _, _ in _entries(place)] if place is not None else []
    return len(removed), sum(removed)


def held() -> tuple[int, int]:
    """How many entries there are, and their bytes."""
    place = folder()
    sizes = [size for _, _, size in _entries(place)] if place is not None else []
    return len(sizes), sum(sizes)


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except (OSError, ValueError):
        return 0


def _start(path: Path, asked: Mapping[str, Any]) -> str | None:
    """How the names of entries begin: everything but the content; None where the code cannot be told."""
    code = _code()
    if code is None:
        return None
    parts = [code, sys.byteorder, path.name, dict(asked)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


@lru_cache(maxsize=1)
def _code() -> str | None:
    """The source files and the packages that read; None where they cannot be told."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        packages = [msgspec.__version__, np.__version__, version("pycocotools")]
    except PackageNotFoundError:
        return None
    return None if _SOURCES is None else "\0".join([_SOURCES, *packages])


def _digest_of_sources() -> str | None:
    digest, above = hashlib.sha256(), Path(__file__).resolve().parents[1]
    try:
        for source in sorted(file for name in _READ_BY for file in (above / name).rglob("*.py")):
            digest.update(source.relative_to(above).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
    except OSError:
        return None
    return digest.hexdigest()


_SOURCES = _digest_of_sources()
"""Taken when the code is loaded: what is edited later is not what this process reads with."""


def _found(place: Path, start: str, path: Path) -> tuple[Path, Parts] | None:
    """The entry of the file as it is now, with its parts; None where there is none that can be used."""
    entries = sorted(entry for entry, _, _ in _entries(place) if entry.name.startswith(f"{start}-"))
    if not entries:
        return None
    with ThreadPoolExecutor(1) as beside:  # digests are taken without Python's lock: both at once on two cores
        digest = beside.submit(_digest, path)
        ahead = _read(entries[0]) if len(entries) == 1 else None
    entry = place / f"{start}-{digest.result()}{SUFFIX}"
    if entry not in entries:
        return None
    parts = ahead if len(entries) == 1 else _read(entry)
    if parts is None:
        return None
    with contextlib.suppress(OSError):
        os.utime(entry)
    return entry, parts


def _read(entry: Path) -> Parts | None:
    """The parts of an entry; of one that is damaged, or was renamed, nothing is left."""
    try:
        plain, arrays = read_arrays(entry)
        if isinstance(plain, dict) and plain.get("name") == entry.stem:
            return plain["kept"], arrays
    except OSError:
        return None
    except (ValueError, MemoryError, KeyError):
        pass
    _remove(entry)
    return None


def _digest(path: Path) -> str | None:
    digest, block = hashlib.sha256(), memoryview(bytearray(BLOCK))
    try:
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(block):
                digest.update(block[:count])
    except OSError:
        return None
    return digest.hexdigest()


def _keep(place: Path, name: str, plain: Any, arrays: dict[str, NDArray[Any]]) -> None:
    """Writes an entry, whole or not at all. It is not waited for the disk: what a power failure leaves has another digest."""
    parts = packed({"name": name, "kept": plain}, arrays)
    size = sum(memoryview(part).nbytes for part in parts)
    if size > MOST_BYTES or (place / f"{name}{SUFFIX}").exists():
        return
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    _make_room(place, size)
    if shutil.disk_usage(place).free < size + SPARE_BYTES:
        return
    unfinished = place / f"{name[:40]}.{os.getpid()}.{secrets.token_hex(4)}{UNFINISHED}"
    try:
        with unfinished.open("xb") as file:
            file.writelines(with_digest(parts))
        unfinished.replace(place / f"{name}{SUFFIX}")
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _make_room(place: Path, size: int) -> None:
    """Removes what was not used for longest until so many bytes have room, and what killed processes left unfinished."""
    for left in place.glob(f"*{UNFINISHED}"):
        with contextlib.suppress(OSError):
            if left.stat().st_mtime < time.time() - DAY_S:
                left.unlink()
    entries = sorted(_entries(place), key=lambda entry: entry[1])
    total = size + sum(held for _, _, held in entries)
    for entry, _, held in entries:
        if total <= MOST_BYTES:
            break
        _remove(entry)
        total -= held


def _entries(place: Path) -> list[tuple[Path, float, int]]:
    """Entries, when each was used last, and their bytes."""
    found = []
    with contextlib.suppress(OSError):
        for entry in place.glob(f"*{SUFFIX}"):
            with contextlib.suppress(OSError):
                status = entry.stat()
                found.append((entry, status.st_mtime, status.st_size))
    return found


def _remove(entry: Path) -> int:
    """Removes an entry where that is allowed; its bytes."""
    with contextlib.suppress(OSError):
        size = entry.stat().st_size
        entry.unlink()
        return size
    return 0
