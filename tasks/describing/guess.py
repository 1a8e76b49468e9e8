"""What was told of a folder, and what every layout needs for telling it: splits by name, folders of pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
DEPTH = 4
"""Folders below the dataset's own that are looked into."""
MOST_FOLDERS = 5000
_SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


@dataclass(frozen=True)
class Guess:
    """A layout that a folder has.

    Attributes:
        folder: where the toml belongs. layout: its name. splits: by name, their fields.
        tables: further tables of the toml. guessed: what was concluded. check: what somebody has to look at.
    """

    folder: Path
    layout: str
    splits: Mapping[str, Mapping[str, str]]
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()
    check: tuple[str, ...] = ()


def folders_below(root: Path) -> Iterator[Path]:
    """`root` and the folders in it, nearest first, as deep as `DEPTH`; hidden ones are passed over.

    Raises:
        ValueError: there are too many to look into.
    """
    level, count = [root], 0
    for _ in range(DEPTH + 1):
        below: list[Path] = []
        for folder in level:
            count += 1
            if count > MOST_FOLDERS:
                raise ValueError(
                    f"{root}: expected the folder of one dataset, got more than {MOST_FOLDERS}; name its own"
                )
            yield folder
            with os.scandir(folder) as entries:
                below += sorted(Path(e.path) for e in entries if e.is_dir() and not e.name.startswith("."))
        level = below


def split_of(text: str) -> str | None:
    """train, val or test where a name says one of them as a word."""
    for word in re.split(r"[^a-z]+", text.casefold()):
        if word in _SPLITS:
            return _SPLITS[word]
    return None


def by_split(found: Iterable[tuple[str, Mapping[str, str]]]) -> tuple[dict[str, Mapping[str, str]], tuple[str, ...]]:
    """Splits from (name of what was found, its fields), and what to check of them: one has to be called val."""
    named: dict[str, Mapping[str, str]] = {}
    check: list[str] = []
    for name, fields in found:
        split = split_of(name) or "val"
        if split in named:
            check.append(
                f"{name} looks like {split} too and is left out: add it as a split of its own name if it is needed"
            )
            continue
        named[split] = fields
    if "val" not in named and "test" in named:
        named["val"] = named.pop("test")
        check.append("there is no val: what is called test is taken for it")
    if "val" not in named:
        named["val"] = named["train"]
        check.append(
            "there is train alone: val is the same, so that figures say how well it fits, not how well it generalises"
        )
    if "train" not in named:
        check.append(
            "there is no train: a split of that name is needed to train, or nothing but val is learnt and evaluated"
        )
    order = [name for name in ("train", "val", "test") if name in named]
    return {name: named[name] for name in order}, tuple(check)


def picture_folder(root: Path, names: Iterable[str], split: str | None) -> Path | None:
    """The folder below `root` that holds the most files of these names (paths); of equals, the one called as the split."""
    wanted = list(names)[:50]
    best: tuple[int, bool, Path] | None = None
    for folder in folders_below(root):
        hits = sum((folder / name).is_file() for name in wanted)
        ranked = (hits, split is not None and split_of(folder.relative_to(root).as_posix()) == split, folder)
        if hits and (best is None or ranked[:2] > best[:2]):
            best = ranked
    return best[2] if best is not None else None


def relative(path: Path, root: Path) -> str:
    """A path below the dataset's folder as the toml states it."""
    return path.relative_to(root).as_posix()


def name_of(folder: Path, taken: Iterable[str]) -> str:
    """A dataset's name from its folder's: small letters, digits, _ and -; not one that is taken."""
    plain = re.sub(r"[^a-z0-9_-]+", "_", folder.resolve().name.casefold()).strip("_-") or "dataset"
    return f"{plain}_own" if plain in taken else plain
