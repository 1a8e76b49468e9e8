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


def boxes_in_csv(path: Path, image: Path) -> list[Box]:
    """A picture's boxes, found by the end of its path; none where no line names it.

    Raises:
        ValueError: the file is missing, its header names no box, or a line about this picture has another form.
    """
    found: list[Box] = []
    resolved = image.resolve().as_posix()
    names: list[str] | None = None
    for line, row in rows_of(path, "face boxes", "correct --boxes"):
        where = f"{path}, line {line}"
        if line == 1 and row and row[0].strip().lower() == NAME:
            names = [cell.strip().lower() for cell in row]
            _check_header(names, where)
            continue
        # Names are paths below the dataset's folder of pictures; a bare name fits any folder.
        name = as_posix(row[0].strip()) if row else ""
        if not name or not (resolved == name or resolved.endswith("/" + name.strip("/"))):
            continue
        found.append(_box(row, names, where))
    return found


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
