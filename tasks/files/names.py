"""Names of pictures that stay apart: the stem where that tells them, else as much of the path as it takes. Torch-free."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePosixPath


def as_posix(name: str) -> str:
    """A path as lists and csv files state it, with "/" between its parts, whichever system wrote it."""
    return name.replace("\\", "/")


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
