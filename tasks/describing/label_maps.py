"""Label maps: a folder of pictures and one of equal stems with a class in every pixel, or lists of pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.describing.guess import SUFFIXES, Guess, by_split, folders_below, relative, split_of
from tasks.files.opening import read_text
from tasks.files.picture_header import read_header
from tasks.segmentation.files.classes import spread_colours
from tasks.segmentation.files.label_png import read_ids

LOOKED_AT = 200
"""Label maps, evenly spread, whose numbers are counted."""
IGNORE = 255


def guess_label_maps(root: Path) -> Guess | None:
    """The layout of a folder by lists (.lst) of pairs, else by folders of equal stems."""
    lists = {path: _pairs(path, root) for path in sorted(root.glob("*.lst"))}
    lists = {path: pairs for path, pairs in lists.items() if pairs}
    if lists:
        splits, check = by_split((path.stem, {"list": relative(path, root)}) for path in lists)
        maps = [label for path, pairs in lists.items() for label in pairs if relative(path, root)]
        told = tuple(f"{relative(path, root)}: label-maps, {len(pairs)} pairs" for path, pairs in lists.items())
        return _guess(root, splits, maps, told, check)
    stems = {folder: _stems(folder) for folder in folders_below(root)}
    pairs = []
    for labels, marks in stems.items():
        if not marks or not all(_is_label_map(path) for path in _some(list(marks.values()), 5)):
            continue
        images = [
            f for f, own in stems.items() if f != labels and own and len(own.keys() & marks.keys()) * 5 >= len(own) * 4
        ]
        alike = [f for f in images if split_of(relative(f, root)) == split_of(relative(labels, root))]
        for folder in alike[:1]:
            pairs.append((folder, labels))
    if not pairs:
        return None
    splits, check = by_split(
        (relative(images, root), {"images": relative(images, root), "labels": relative(labels, root)})
        for images, labels in pairs
    )
    told = tuple(
        f"{relative(images, root)} and {relative(labels, root)}: label-maps, {len(stems[images])} pictures"
        for images, labels in pairs
    )
    return _guess(root, splits, [path for _, labels in pairs for path in stems[labels].values()], told, check)


def _guess(
    root: Path,
    splits: Mapping[str, Mapping[str, str]],
    maps: Sequence[Path],
    told: tuple[str, ...],
    check: tuple[str, ...],
) -> Guess:
    held: set[int] = set()
    looked = _some(maps, LOOKED_AT)
    for path in looked:
        held.update(np.unique(read_ids(path, "label map")).tolist())
    scored = sorted(held - {IGNORE})
    if not scored:
        raise ValueError(
            f"{root}: expected classes in the label maps, got {IGNORE} alone; write the toml by docs/own_datasets.md"
        )
    names = [f"class {k}" for k in range(scored[-1] + 1)]
    labels: dict[str, Any] = {"names": names, "colours": [list(c) for c in spread_colours(len(names) + 1)[1:]]}
    labels["ignore"] = IGNORE
    told = (*told, f"{len(names)} classes, 0 to {scored[-1]}, in {len(looked)} of {len(maps)} label maps")
    absent = sorted(set(range(scored[-1] + 1)) - set(scored))
    check = (*check, "labels.names: call the classes by their names, in the order of their numbers")
    if len(looked) < len(maps):
        check = (*check, "labels.names: maps that were not looked at may hold larger numbers")
    if absent:
        check = (
            *check,
            f"no label map holds {', '.join(map(str, absent[:10]))}: is it a class? A background of 0 is one, too",
        )
    told = (*told, f"{IGNORE} is not scored" + ("" if IGNORE in held else " (no map holds it)"))
    return Guess(root, "label-maps", splits, {"labels": labels}, told, check)


def _stems(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES}


def _some(paths: Sequence[Path], count: int) -> list[Path]:
    if len(paths) <= count:
        return list(paths)
    return [paths[k] for k in np.unique(np.linspace(0, len(paths) - 1, count).astype(int))]


def _is_label_map(path: Path) -> bool:
    """Whether a file has one number a pixel and is not lossy."""
    try:
        header = read_header(path)
    except ValueError:
        return False
    return header.channels == 1 and header.kind == "png" and header.bits <= 8


def _pairs(path: Path, root: Path) -> list[Path]:
    """The label maps of a list of pairs; none where it is another kind of list."""
    found = []
    for line in read_text(path, "a list").splitlines():
        cells = line.split("\t") if "\t" in line else line.split()
        if len(cells) != 2 or not (root / cells[1].strip()).is_file():
            return []
        found.append(root / cells[1].strip())
    return found
