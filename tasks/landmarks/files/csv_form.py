"""Reading the csv form of 300W, AFLW and WFLW: one line per face, box columns, then x and y of every landmark. Torch-free.

Source: docs/protocols.md, sections 9 and 10.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from tasks.landmarks.files.faces import Faces

FIRST_COLUMN = "image_name"
BOX_COLUMNS = {"300w": 3, "wflw": 3, "aflw": 4}
"""Columns between the picture's name and the points: scale, (box_size,) center_w, center_h."""


def read_csv(path: Path, dataset: str, num_points: int, root: Path) -> Faces:
    """Read a face csv.

    Raises:
        ValueError: no such file, no header, a line with too few or too many columns, or a value that is not a finite
            number; file and line are named.
    """
    box = BOX_COLUMNS[dataset]
    expected = 1 + box + 2 * num_points
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ValueError(
            f"Expected the face csv {path} but there is no such file; put the dataset in its official layout "
            "(tasks/landmarks/README.md) or correct --data-root and --split"
        ) from None
    except UnicodeDecodeError as error:
        raise ValueError(f"Expected a text file at {path} but got other bytes ({error}); fetch it again") from error
    images: list[str] = []
    records: list[str] = []
    values: list[np.ndarray] = []
    reader = csv.reader(text.splitlines())
    header = next(reader, [""]) or [""]
    if header[0].strip() != FIRST_COLUMN:
        raise ValueError(
            f"{path}, line 1: expected a header that begins with {FIRST_COLUMN} but got {header[0][:60]!r}; put back the "
            "official header, or the first face would be lost"
        )
    for row in reader:
        if not row:
            continue
        line = f"line {reader.line_num}"
        if len(row) != expected:
            raise ValueError(f"{path}, {line}: {_wrong_count(len(row), expected, box, num_points)}")
        values.append(_numbers(row[1:], path, line))
        images.append(row[0])
        records.append(line)
    table = np.reshape(values, (-1, expected - 1)) if values else np.zeros((0, expected - 1))
    return Faces(
        root=root,
        annotation=path,
        images=tuple(images),
        records=tuple(records),
        points=table[:, box:].reshape(-1, num_points, 2),
        centres=table[:, box - 2 : box],
        scales=table[:, 0],
        box_size=_box_size(table[:, 1], path, records) if dataset == "aflw" else None,
    )


def _wrong_count(found: int, expected: int, box: int, num_points: int) -> str:
    points = (found - 1 - box) / 2
    for columns in sorted(set(BOX_COLUMNS.values())):
        rest = (found - 1 - columns) / 2
        if rest in (19, 29, 68, 98):
            points = rest
    hint = (
        f"it holds {int(points)} points, and this dataset has {num_points}: is it the csv of another dataset?"
        if points in (19, 29, 68, 98) and points != num_points
        else "complete the line or fetch the file again"
    )
    return f"expected {expected} columns (name, {box} of the box, 2 x {num_points} coordinates) but got {found}; {hint}"


def _numbers(fields: list[str], path: Path, line: str) -> np.ndarray:
    try:
        row = np.array(fields, dtype=np.float64)
    except ValueError:
        bad = next(index for index, text in enumerate(fields) if not _is_number(text))
        raise ValueError(
            f"{path}, {line}: expected a number in column {bad + 2} but got {fields[bad]!r}; correct it"
        ) from None
    if not np.isfinite(row).all():
        bad = int(np.flatnonzero(~np.isfinite(row))[0])
        raise ValueError(
            f"{path}, {line}: expected a finite number in column {bad + 2} but got {fields[bad]!r}; correct it"
        )
    return row


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _box_size(values: np.ndarray, path: Path, records: list[str]) -> np.ndarray:
    bad = np.flatnonzero(values <= 0)
    if len(bad):
        raise ValueError(
            f"{path}, {records[bad[0]]}: expected a positive box_size (third column) but got {values[bad[0]]:g}; correct it"
        )
    return values


def row_keys(faces: Faces) -> list[tuple[str, float, float]]:
    """What tells a face from others of its split: picture and first point."""
    first = faces.points[:, 0]
    return [(name, round(float(x), 2), round(float(y), 2)) for name, (x, y) in zip(faces.images, first, strict=True)]


def members(faces: Faces, path: Path, dataset: str, num_points: int) -> np.ndarray:
    """(N,) bool: which faces stand in another csv of the same dataset.

    Raises:
        ValueError: the csv is malformed, or holds a face that is none of these; file and line are named.
    """
    part = read_csv(path, dataset, num_points, faces.root)
    keys, chosen = row_keys(faces), row_keys(part)
    known = set(keys)
    strange = [index for index, key in enumerate(chosen) if key not in known]
    if strange:
        raise ValueError(
            f"{part.where(strange[0])}: expected a face of {faces.annotation} but it has none of that picture and first point "
            f"({len(strange)} of {len(part)} lines); take both files from the same release"
        )
    wanted = set(chosen)
    return np.array([key in wanted for key in keys], dtype=bool)
