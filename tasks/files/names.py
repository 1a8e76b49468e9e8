"""Names of pictures that stay apart: the stem where that tells them, else as much of the path as it takes."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from pathlib import PurePosixPath

LONGEST, LONGEST_PART = 1000, 255
"""Characters of a path, bytes of one of its parts: what file systems take."""


def as_posix(name: str) -> str:
    """A path as lists and csv files state it, with "/" between its parts, whichever system wrote it."""
    return name.replace("\\", "/")


def leaves_root(name: str) -> bool:
    """Whether a path may not stand below a data root: empty, absolute, with `..` beyond it, or no name that a disk takes."""
    plain = as_posix(name)
    normal = posixpath.normpath(plain)
    if not plain or "\0" in plain or plain.startswith("/") or normal == ".." or normal.startswith("../"):
        return True
    try:
        return len(plain) > LONGEST or any(len(os.fsencode(part)) > LONGEST_PART for part in plain.split("/"))
    except UnicodeEncodeError:  # half a character, as damaged json may hold
        return True


def picture_name(text: str, where: str) -> str:
    """A picture's path below the data root as a file states it, with "/" between its parts.

    Raises:
        ValueError: it leaves the root, or is no name; the text begins with `where`.
    """
    if leaves_root(text):
        raise ValueError(f"{where}: expected a picture path inside the data root, got {text[:60]!r}; correct it")
    return as_posix(text)


def distinct_names(paths: Sequence[str]) -> list[str]:
    """A name for every path, in order: all stems where these differ, else all paths below their common folder.

    The ending is left out unless two paths differ in nothing else. Equal paths get equal names.

    >>> distinct_names(["val/a/0.jpg", "val/b/0.jpg"])
    ['a/0', 'b/0']
    """
    stems = [PurePosixPath(path).stem for path in paths]
    number = len(set(paths))
    if len(set(stems)) == number:
        return stems
    folder = os.path.commonpath([PurePosixPath(path).parent for path in paths])
    below = [str(PurePosixPath(path).relative_to(folder)) for path in paths]
    bare = [str(PurePosixPath(name).with_suffix("")) for name in below]
    return bare if len(set(bare)) == number else below


def first_repeated(names: Sequence[str]) -> tuple[int, int] | None:
    """The places of the first name that comes twice; None where none does."""
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        if name in seen:
            return seen[name], place
        seen[name] = place
    return None
