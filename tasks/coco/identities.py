"""Ids of pictures and categories, and who refers to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Id = int | str
UNKNOWN = -1


def texts_of(ids: Sequence[Id]) -> tuple[str, ...]:
    """The ids as texts that stay apart: 7 and "7" in one file become 7 and "7" with its quotation marks."""
    texts = tuple(map(str, ids))
    if len(set(texts)) == len(texts):
        return texts
    numbers = {str(name) for name in ids if not isinstance(name, str)}
    return tuple(f'"{name}"' if isinstance(name, str) and name in numbers else str(name) for name in ids)


class Identities:
    """Rows of listed ids.

    An id is found as it is written (7.0 is 7); where no such one is listed, by its text: exporters write 7 in one place and
    "7" in another. Ids that have a text in common are told apart by their kind alone.
    """

    def __init__(self, ids: Sequence[Id]) -> None:
        self._rows: dict[Any, int] = {name: row for row, name in enumerate(ids)}
        texts: dict[str, int] = {}
        for row, name in enumerate(ids):
            text = str(name)
            texts[text] = UNKNOWN if text in texts else row
        self._texts = texts

    def row(self, name: Any) -> int:
        """The row of an id, or `UNKNOWN`."""
        found = self._rows.get(name)
        if found is not None:
            return found
        if isinstance(name, float) and name.is_integer():
            name = int(name)
        return self._texts.get(str(name), UNKNOWN) if isinstance(name, int | str) else UNKNOWN

    def rows(self, names: Iterable[Any]) -> NDArray[np.int64]:
        """The rows (N,) of ids, `UNKNOWN` where one is not listed."""
        wanted = list(names)
        found = [self._rows.get(name, UNKNOWN) for name in wanted]
        if UNKNOWN in found:
            found = [self.row(name) if row == UNKNOWN else row for name, row in zip(wanted, found)]
        return np.array(found, np.int64)


def in_order(ids: Sequence[Id]) -> NDArray[np.int64]:
    """Rows of ids in pycocotools' order: numbers by size, texts by alphabet; the file's own order where both are mixed."""
    rows = range(len(ids))
    if all(isinstance(name, int) for name in ids) or all(isinstance(name, str) for name in ids):
        return np.array(sorted(rows, key=lambda row: ids[row]), np.int64)
    return np.arange(len(ids))
