"""Checked reading of single fields of PoseTrack's files, shared by both forms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = 1e9
"""No coordinate or score is larger; what is would overflow later."""
MOST_TRACK_ID = 9999
"""The official evaluator's bound; its description says 999."""


def numbers(values: Any, count: int, what: str, where: str) -> NDArray[np.float64]:
    """`values`, a number or a list, as (count,) float64; raises ValueError for another length, or what is no finite number."""
    row = values if isinstance(values, list) else [values]
    if len(row) != count or any(isinstance(value, bool) or not isinstance(value, int | float) for value in row):
        raise ValueError(f"{where}: expected {what} of {count} numbers but got {str(values)[:80]}; correct it")
    made = np.array(row, dtype=np.float64)
    if not np.isfinite(made).all() or (np.abs(made) > LARGEST).any():
        raise ValueError(f"{where}: expected {what} of finite numbers but got {str(values)[:80]}; correct the record")
    return made


def whole_number(value: Any, what: str, where: str) -> int:
    """`value` as an integer; raises ValueError where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value != int(value):
        raise ValueError(f"{where}: expected {what} as a whole number but got {str(value)[:40]!r}; correct it")
    return int(value)


def track_id(value: Any, where: str) -> int:
    """A track's id; raises ValueError where it is no whole number from 0 to `MOST_TRACK_ID`."""
    found = whole_number(value, "a track_id", where)
    if not 0 <= found <= MOST_TRACK_ID:
        raise ValueError(
            f"{where}: expected a track_id from 0 to {MOST_TRACK_ID} but got {found}; number tracks per sequence"
        )
    return found


def entries(holder: dict[str, Any], name: str, where: str) -> list[dict[str, Any]]:
    """The list of objects `holder[name]`; raises ValueError where it is something else."""
    found = holder.get(name)
    if not isinstance(found, list):
        raise ValueError(f"{where}: expected the list {name!r} but got {str(found)[:60]!r}; fetch the file again")
    for row, entry in enumerate(found):
        if not isinstance(entry, dict):
            raise ValueError(
                f"{where}, {name}[{row}]: expected an object {{...}} but got {str(entry)[:60]!r}; correct it"
            )
    return found


def picture_path(value: Any, where: str) -> str:
    """A picture's path below the dataset's folder; raises ValueError where it is no text."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{where}: expected a picture's path but got {str(value)[:60]!r}; fetch the file again")
    return value


def polygon(xs: Any, ys: Any, where: str) -> NDArray[np.float64]:
    """Corners (K, 2) of an ignored region; raises ValueError for fewer than three, or coordinates that do not pair."""
    count = len(xs) if isinstance(xs, Sequence) and not isinstance(xs, str) else 0
    if count < 3:
        raise ValueError(
            f"{where}: expected an ignored region of at least 3 corners but got {count}; correct or remove it"
        )
    return np.stack([numbers(xs, count, "x coordinates", where), numbers(ys, count, "y coordinates", where)], axis=1)


def unique(values: Sequence[Any], what: str, where: str) -> None:
    """Raises ValueError where a value occurs twice."""
    seen: set[Any] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{where}: expected every {what} once but {value!r} occurs twice; correct the file")
        seen.add(value)
