"""Face boxes of pictures in a csv: a face csv, or x0, y0, x1, y1 by name; without a header in that order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tasks.files.names import as_posix
from tasks.landmarks.files.csv_columns import CENTRE_X, CENTRE_Y, NAME
from tasks.landmarks.files.csv_form import rows_of

Box = tuple[np.ndarray, float]
"""Centre (2,) in 1-based px and scale in 200-px units, without padding."""
CORNERS = ("x0", "y0", "x1", "y1")


class FaceBoxFile:
    """A csv of face boxes, read once.

    Raises:
        ValueError: the file is missing, or its header names no box.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: list[str] | None = None
        self._rows: list[tuple[int, str, list[str]]] = []
        for line, row in rows_of(path, "face boxes", "correct --boxes"):
            if line == 1 and row and row[0].strip().lower() == NAME:
                self.names = [cell.strip().lower() for cell in row]
                _check_header(self.names, f"{path}, line {line}")
            elif row and row[0].strip():
                self._rows.append((line, as_posix(row[0].strip()), row))

    def of(self, image: Path) -> list[Box]:
        """A picture's boxes, found by the end of its path; none where no line names it.

        Raises:
            ValueError: a line about this picture has another form.
        """
        whole = image.resolve().as_posix()
        return [
            _box(row, self.names, f"{self.path}, line {line}")
            for line, name, row in self._rows
            if _ends_with(whole, name)
        ]

    def refuse_doubles(self, images: Sequence[Path]) -> None:
        """Raises ValueError where one line would be that of two pictures: its name alone does not tell them apart."""
        paths = {image.resolve().as_posix(): image for image in images}
        by_name: dict[str, list[str]] = {}
        for path in paths:
            by_name.setdefault(path.rpartition("/")[2], []).append(path)
        for line, name, _ in self._rows:
            same = [path for path in by_name.get(name.rpartition("/")[2], []) if _ends_with(path, name)]
            if len(same) > 1:
                raise ValueError(
                    f"{self.path}, line {line}: expected one picture for {name!r}, got {same[0]} and {same[1]}, which have this "
                    "name; write the folders into the file, or predict them one by one"
                )


def boxes_in_csv(path: Path, image: Path) -> list[Box]:
    """A picture's boxes in a csv; see `FaceBoxFile`."""
    return FaceBoxFile(path).of(image)


def _ends_with(path: str, name: str) -> bool:
    """Whether a path is a listed name, or ends with it. A bare name fits any folder."""
    return path == name or path.endswith("/" + name.strip("/"))


def _check_header(names: Sequence[str], where: str) -> None:
    by_corners = all(name in names for name in CORNERS)
    by_centre = "scale" in names and any(n in names for n in CENTRE_X) and any(n in names for n in CENTRE_Y)
    if not by_corners and not by_centre:
        raise ValueError(
            f"{where}: expected the columns {', '.join(CORNERS)}, or scale, center_w, center_h of a face csv, but the header has "
            f"{', '.join(names[:6])}; correct --boxes"
        )


def _box(row: list[str], names: Sequence[str] | None, where: str) -> Box:
    expected = len(names) if names is not None else 1 + len(CORNERS)
    if len(row) != expected:
        said = "as the header has" if names is not None else "image_name, x0, y0, x1, y1; other columns need a header"
        raise ValueError(f"{where}: expected {expected} columns ({said}) but got {len(row)}; complete the line")
    held = dict(zip(names, row, strict=True)) if names is not None else dict(zip((NAME, *CORNERS), row, strict=True))
    if all(name in held for name in CORNERS):
        x0, y0, x1, y1 = (_number(held[name], name, where) for name in CORNERS)
        centre, scale = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), max(x1 - x0, y1 - y0) / 200
        if not (x1 > x0 and y1 > y0):
            raise ValueError(
                f"{where}: expected a face box with an area, x1 > x0 and y1 > y0, but got {x0:g}, {y0:g}, {x1:g}, {y1:g} (are "
                "the last two width and height?); correct it"
            )
        return centre, scale
    x, y = (_number(held[next(n for n in names_ if n in held)], "centre", where) for names_ in (CENTRE_X, CENTRE_Y))
    scale = _number(held["scale"], "scale", where)
    if not scale > 0:
        raise ValueError(f"{where}: expected a face box with an area but got scale {scale:g}; correct it")
    return np.array([x, y]), scale


def _number(text: str, name: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e6:
        raise ValueError(f"{where}: expected a number in px as {name} but got {text[:40]!r}; correct it")
    return value
