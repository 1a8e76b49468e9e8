"""A csv of points, whoever made it, scored as our own predictions are."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np

from tasks.base import Stats
from tasks.files.names import as_posix
from tasks.landmarks.datasets import read_faces
from tasks.landmarks.entries.entry import Entry
from tasks.landmarks.evaluation import landmark_stats
from tasks.landmarks.files.csv_columns import NAME, point_columns
from tasks.landmarks.files.csv_form import rows_of
from tasks.landmarks.files.faces import FARTHEST_PX, Faces
from tasks.landmarks.protocol import LandmarkProtocol

FACE = "face"
"""Column with a face's place in the annotations, from 0; without it a picture's faces are taken in their order."""


def csv_stats(
    entry: Entry, root: Path, split: str, path: Path, protocol: LandmarkProtocol
) -> tuple[Stats, tuple[str, ...]]:
    """Errors of a csv image_name, (face,) and x and y of every point, in the annotations' pixels; and what to know of them.

    Raises:
        ValueError: no such file, a header that does not name the points, a line of another form, a face missing or twice.
    """
    faces = read_faces(entry, root, split, protocol)
    points = read_points(path, faces, entry.markup.num_points)
    return landmark_stats(faces, entry.markup, points, protocol), (*entry.notes, *faces.notes)


def read_points(path: Path, faces: Faces, num_points: int) -> np.ndarray:
    """The points (N, P, 2) of a csv in the order of the faces; raises as :func:`csv_stats`."""
    rows = rows_of(path, "a csv of points")
    _, header = next(rows, (1, [""]))
    names = [cell.strip().lower() for cell in header]
    if NAME not in names:
        raise ValueError(
            f"{path}, line 1: expected a header with {NAME}, got {','.join(header)[:60]!r}; name the columns"
        )
    rest = {place: name for place, name in enumerate(names) if name not in (NAME, FACE)}
    columns = point_columns(rest, num_points, f"{path}, line 1")
    left: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(faces.images):
        left[name].append(index)
    made = np.full((len(faces), num_points, 2), np.nan)
    for number, row in rows:
        if not row:
            continue
        where = f"{path}, line {number}"
        if len(row) != len(names):
            raise ValueError(
                f"{where}: expected {len(names)} columns, as the header has, got {len(row)}; complete the line"
            )
        index = _face(row, names, left, where)
        values = np.array([_number(row[place]) for place in columns])
        if not (np.abs(values) <= FARTHEST_PX).all():
            bad = columns[int(np.flatnonzero(~(np.abs(values) <= FARTHEST_PX))[0])]
            raise ValueError(f"{where}: expected a number in px in column {bad + 1}, got {row[bad][:60]!r}; correct it")
        made[index] = values.reshape(-1, 2)
    lacking = [index for indices in left.values() for index in indices]
    if lacking:
        raise ValueError(
            f"{path}: expected points of {len(faces)} faces, {len(lacking)} are missing (first: {faces.where(min(lacking))}); "
            "choose the split that they were made for, or complete the file"
        )
    return made


def _face(row: list[str], names: list[str], left: dict[str, list[int]], where: str) -> int:
    """The face that a line is of, taken out of those that are left."""
    name = as_posix(row[names.index(NAME)].strip())
    if name not in left:
        raise ValueError(f"{where}: expected a picture of this split, got {name[:60]!r}; choose the right split")
    stated = row[names.index(FACE)].strip() if FACE in names else ""
    wanted = int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 10 else None
    if not left[name] or (stated and wanted not in left[name]):
        raise ValueError(
            f"{where}: expected every face of {name} once, with its place in the annotations, got "
            f"{'face ' + stated[:20] if stated else 'another line of it'}; correct the line"
        )
    index = left[name][0] if wanted is None else wanted
    left[name].remove(index)
    return index


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
