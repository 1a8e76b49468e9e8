"""Files are written whole or not at all: a temporary file beside the target, synced, and renamed into its place."""

from __future__ import annotations

import gzip
import os
import secrets
import stat
from pathlib import Path

LEVEL = 3
"""Of gzip: numbers shrink to 0.39 of their text; the highest levels reach 0.35 and take three times as long."""


def write_text(path: Path, text: str) -> None:
    """UTF-8 text as a file, whole or not at all; see `write_bytes`."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """`content` as a file, whole or not at all; its folder is made where it is missing.

    The file has the permissions that the umask leaves. A link is followed. A pipe or a device is written to as it is.

    Raises:
        OSError: the disk refused. Nothing is left behind, and what stood there stays.
    """
    path = Path(os.path.realpath(path))
    if _is_stream(path):
        with path.open("wb") as stream:
            stream.write(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def compress(path: Path) -> Path:
    """Puts a compressed file in a file's place, whose name gets .gz at its end; without a date: equal files stay equal."""
    packed = path.with_name(f"{path.name}.gz")
    write_bytes(packed, gzip.compress(path.read_bytes(), LEVEL, mtime=0))
    path.unlink()
    return packed


def sync_folder(path: Path) -> None:
    """Puts a folder's list of names on the disk. Windows, and some network drives, cannot: there it does nothing."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        return  # the names are right all the same; only a power failure could tell
    finally:
        os.close(descriptor)


def _is_stream(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
