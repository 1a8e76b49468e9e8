"""A csv of best classes, whoever made it, scored as our own predictions are."""

from __future__ import annotations

import csv
from pathlib import Path, PurePosixPath

import numpy as np

from tasks.base import Stats
from tasks.classification.folders import ClassFolders, read_folders
from tasks.files.names import as_posix
from tasks.files.opening import read_text

BEST = 5
"""Classes that a line names, best first: what top-5 needs."""
NO_CLASS = "-"
"""Stands in their place for an output of a network that is none of the dataset's classes."""


def csv_stats(root: Path, split: str, path: Path, source: ClassFolders) -> tuple[Stats, tuple[str, ...]]:
    """The true class's place among the five that a csv (image, classes) names for every picture; no picture is read.

    An image goes by its folder and name, with or without its ending; by the name alone where no other folder has it.

    Raises:
        ValueError: no such file, another header, a line that is not five class numbers, or pictures missing or repeated.
    """
    folders = read_folders(root, split, source)
    ids = folders.image_ids()
    rank = np.full(len(ids), -1, np.int64)
    places = _places(folders.files)
    for line, name, classes in _lines(path, len(folders.classes)):
        index = places.get(name.removeprefix("./"))
        if index is None:
            raise ValueError(
                f"{path}, line {line}: expected a picture of {split} by folder and name but got {name[:60]!r}; choose the split "
                "that the predictions were made for, or write the folder too"
            )
        if rank[index] >= 0:
            raise ValueError(
                f"{path}, line {line}: expected every picture once but got {name[:60]!r} again; remove a line"
            )
        label = int(folders.labels[index])
        rank[index] = classes.index(label) if label in classes else BEST
    lacking = np.flatnonzero(rank < 0)
    if len(lacking):
        raise ValueError(
            f"{path}: expected the {len(ids)} pictures of {split}, {len(lacking)} are missing (first: {ids[int(lacking[0])]}); "
            "complete the file"
        )
    return {"image": np.array(ids), "rank": rank}, folders.notes


def _places(files: tuple[str, ...]) -> dict[str, int | None]:
    """Every way to name a picture -> its place; None for what several pictures could be meant by."""
    found: dict[str, int | None] = {}
    for index, file in enumerate(files):
        path = PurePosixPath(file)
        below = PurePosixPath(path.parent.name, path.name)
        for name in {file, str(path.with_suffix("")), str(below), str(below.with_suffix("")), path.name, path.stem}:
            found[name] = None if name in found else index
    return found


def _lines(path: Path, num_classes: int) -> list[tuple[int, str, list[int]]]:
    """Line, picture and five classes of every line after the header, -1 for :data:`NO_CLASS`.

    Raises:
        ValueError: see `csv_stats`.
    """
    reader = csv.reader(read_text(path, "a csv of classes").splitlines())
    found: list[tuple[int, str, list[int]]] = []
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        if header != ["image", "classes"]:
            raise ValueError(
                f"{path}, line 1: expected the header image,classes but got {','.join(header)[:60]!r}; write one line per "
                "picture with its five best classes, separated by blanks"
            )
        for row in reader:
            if not row:
                continue
            words = row[1].split() if len(row) == 2 else []
            numbers = [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 10]
            wanted = min(BEST, num_classes)
            strange = words.count(NO_CLASS)
            good = len(words) == (BEST if strange else wanted) and len(set(numbers)) + strange == len(words)
            good = good and max(numbers, default=0) < num_classes
            if not good:
                raise ValueError(
                    f"{path}, line {reader.line_num}: expected a picture and {wanted} different class numbers "
                    f"0..{num_classes - 1} but got {','.join(row)[:60]!r}; write the predictions again"
                )
            places = [-1 if word == NO_CLASS else int(word) for word in words]
            found.append((reader.line_num, as_posix(row[0].strip()), places))
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: expected a csv but got: {error}; correct the line") from None
    return found
