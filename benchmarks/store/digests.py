"""Digests of files and of plain data, by which a change to what was written is seen."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import msgspec


@cache  # a split has tens of thousands of label maps, and every cell of it asks for all
def _file_digest(path: str, size: int, modified_ns: int) -> str:
    hasher = hashlib.sha256()
    with Path(path).open("rb") as handle:
        while block := handle.read(2**20):
            hasher.update(block)
    return hasher.hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file; remembered until its size or time changes."""
    status = path.stat()
    return _file_digest(str(path.resolve()), status.st_size, status.st_mtime_ns)


def plain_digest(plain: Any) -> str:
    """32 hexadecimal digits over plain data, as JSON with sorted names: layout and order of a file do not count."""
    return hashlib.sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()[:32]
