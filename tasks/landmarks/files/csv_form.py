"""Reading the csv form of HRNet's face code: one line per face, box columns, x and y of every landmark.

Columns go by the header's names (`tasks.landmarks.files.csv_columns`). Source: docs/protocols.md, sections 9 and 10.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from tasks.files.names import picture_name
from tasks.files.opening import read_text
from tasks.landmarks.files.csv_columns import Columns, columns_of
from tasks.landmarks.files.faces import Faces, landmark_boxes

ADVICE = "put the dataset in its official layout (tasks/landmarks/README.md) or correct --data-root and --split"
BoxSize = Literal["needed", "taken", "ignored"]
"""What becomes of the column box_size: it must be there, it counts where it is there, or it is not read."""


def rows_of(path: Path, what: str, advice: str = "") -> Iterator[tuple[int, list[str]]]:
    """The rows of a csv with their lines, the header first; separated by commas, semicolons or tabs, as the header is.

    Raises:
        ValueError: no such file, no text, or quotes that never end.
    """
    lines = read_text(path, what, advice).splitlines()
    first = lines[0] if lines else ""
    reader = csv.reader(lines, delimiter=max(",;\t", key=first.count))
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: expected a csv but got: {error}; correct the line") from None


def read_csv(path: Path, num_points: int, root: Path, box_size: BoxSize = "ignored", needs_box: bool = True) -> Faces:
    """Read a face csv.

    Args:
        needs_box: whether every line must hold a box; without one it follows from the points, and a note says so.

    Raises:
        ValueError: no such file, a header that does not name what is needed, a line with too few or too many columns, or a value
            that is not a finite number; file and line are named.
    """
    rows = rows_of(path, "the face csv", ADVICE)
    _, header = next(rows, (1, [""]))
    columns = columns_of(header or [""], num_points, f"{path}, line 1", box_size == "needed", needs_box)
    sized = columns.box_size is not None and box_size != "ignored"
    held = [] if columns.scale is None or columns.centre is None else [columns.scale, *columns.centre]
    sizes = [columns.box_size] if columns.box_size is not None else []
    numeric = [*held, *sizes, *columns.points]
    images: list[str] = []
    records: list[str] = []
    values: list[np.ndarray] = []
    for number, row in rows:
        if not row:
            continue
        line = f"line {number}"
        if len(row) != columns.total:
            raise ValueError(
                f"{path}, {line}: expected {columns.total} columns (as the header has) but got {len(row)}; complete the line or "
                "fetch the file again"
            )
        values.append(_numbers(row, numeric, path, line))
        images.append(picture_name(row[columns.name].strip(), f"{path}, {line}"))
        records.append(line)
    table = np.reshape(values, (-1, len(numeric))) if values else np.zeros((0, len(numeric)))
    box = len(numeric) - len(columns.points)
    points = table[:, box:].reshape(-1, num_points, 2)
    centres, scales = (table[:, 1:3], table[:, 0]) if held else landmark_boxes(points)
    others = ", ".join(columns.others[:3]) + (", ..." if len(columns.others) > 3 else "")
    return Faces(
        root=root,
        annotation=path,
        images=tuple(images),
        records=tuple(records),
        points=points,
        centres=centres,
        scales=scales,
        box_size=_box_size(table[:, len(held)], columns, path, records) if sized else None,
        notes=(
            *((f"{path.name}: {len(columns.others)} columns are not read ({others})",) if columns.others else ()),
            *(() if held else (f"{path.name}: no scale, center_w, center_h: boxes follow from the points",)),
        ),
    )


def _numbers(row: list[str], columns: list[int], path: Path, line: str) -> np.ndarray:
    fields = [row[column] for column in columns]
    try:
        found = np.array(fields, dtype=np.float64)
    except ValueError:
        bad = next(index for index, text in enumerate(fields) if not _is_number(text))
        raise ValueError(
            f"{path}, {line}: expected a number in column {columns[bad] + 1} but got {fields[bad][:60]!r}; correct it"
        ) from None
    if not np.isfinite(found).all():
        bad = int(np.flatnonzero(~np.isfinite(found))[0])
        raise ValueError(
            f"{path}, {line}: expected a finite number in column {columns[bad] + 1} but got {fields[bad][:60]!r}; correct it"
        )
    return found


def _is_number(text: str) -> bool:
    try:
        np.array([text], dtype=np.float64)
    except ValueError:
        return False
    return True


def _box_size(values: np.ndarray, columns: Columns, path: Path, records: list[str]) -> np.ndarray:
    bad = np.flatnonzero(values <= 0)
    if len(bad):
        raise ValueError(
            f"{path}, {records[bad[0]]}: expected a positive box_size (column {(columns.box_size or 0) + 1}) but got "
            f"{values[bad[0]]:g}; correct it"
        )
    return values


def row_keys(faces: Faces) -> list[tuple[str, float, float]]:
    """What tells a face from others of its split: picture and first point."""
    first = faces.points[:, 0]
    return [(name, round(float(x), 2), round(float(y), 2)) for name, (x, y) in zip(faces.images, first, strict=True)]


def members(faces: Faces, path: Path, num_points: int, box_size: BoxSize = "ignored") -> np.ndarray:
    """(N,) bool: which faces stand in another csv of the same dataset.

    Raises:
        ValueError: the csv is malformed, or holds a face that is none of these; file and line are named.
    """
    part = read_csv(path, num_points, faces.root, box_size)
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
