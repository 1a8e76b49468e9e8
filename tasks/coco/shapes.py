"""Segmentations of a COCO file: kept as their json text, smaller than the numbers, decoded when asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tasks.files import rle
from tasks.files.json_file import shorten

NUMBERS_OF_A_TRIANGLE = 6
_NOTHING = (b"", b"null", b"[]", b"{}", b'""')
LONGEST_NOTHING = max(map(len, _NOTHING))
_CHUNK = 4096
_polygons = msgspec.json.Decoder(list[list[float]])


@dataclass(frozen=True)
class Shapes:
    """Segmentations of N records: polygons, run lengths or nothing.

    Attributes:
        text: (bytes,) uint8, their json texts, one after the other: an array, which processes can share.
        start: (N + 1,) int64, where each begins.
        drawn: (N,) whether there is one that covers something: not [], null or {}, not only polygons of fewer than 3 points.
        thin: how many have only polygons of fewer than 3 points.
    """

    text: NDArray[np.uint8]
    start: NDArray[np.int64]
    drawn: NDArray[np.bool_]
    thin: int = 0

    def __len__(self) -> int:
        return len(self.drawn)

    def __getitem__(self, row: int) -> Any:
        """Polygons (each of 3 points or more), or {size, counts}; None where nothing is drawn."""
        if not self.drawn[row]:
            return None
        return _usable(msgspec.json.decode(self._text(row)))

    def _text(self, row: int) -> bytes:
        return self.text[self.start[row] : self.start[row + 1]].tobytes()

    def take(self, rows: NDArray[np.integer]) -> Shapes:
        """Those of some rows, in their order."""
        parts = [self._text(row) for row in rows]
        return _joined(parts, self.drawn[rows])

    def run_lengths(self, row: int, height: int, width: int) -> dict[str, Any] | None:
        """The mask as compressed run lengths, {size, counts bytes}, as pycocotools makes them of any form."""
        shape = self[row]
        return None if shape is None else compressed(shape, height, width)

    def mask(self, row: int, height: int, width: int) -> NDArray[np.bool_] | None:
        """(H, W) mask; None where nothing is drawn."""
        shape = self[row]
        return None if shape is None else rle.decode(shape, height, width)


def compressed(shape: Any, height: int, width: int) -> dict[str, Any]:
    """Polygons, or run lengths of either form, as compressed run lengths {size, counts}."""
    from pycocotools import mask as coded

    if isinstance(shape, list):
        return dict(coded.merge(coded.frPyObjects(shape, height, width)))
    if isinstance(shape["counts"], list):
        return dict(coded.frPyObjects(shape, height, width))
    return dict(shape)


def shapes_of(raws: Sequence[msgspec.Raw], sizes_wh: NDArray[np.integer], where: Callable[[int], str]) -> Shapes:
    """Checks segmentations against the sizes (N, 2) of their pictures.

    Args:
        where: a function from a row to the words that an error text begins with.

    Raises:
        ValueError: neither polygons of numbers near the picture nor run lengths over it.
    """
    texts = [text if text[:1] in (b"[", b"{", b"") else text.strip() for text in map(bytes, raws)]
    drawn, thin = np.zeros(len(texts), bool), 0
    for first in range(0, len(texts), _CHUNK):
        part = texts[first : first + _CHUNK]
        rows = [row for row, text in enumerate(part, first) if len(text) > LONGEST_NOTHING or text not in _NOTHING]
        polygons = [row for row in rows if texts[row].startswith(b"[")]
        together = _drawn_together([texts[row] for row in polygons], sizes_wh[polygons]) if polygons else None
        singly = rows
        if together is not None:
            drawn[polygons], taken = together, set(polygons)
            singly = [row for row in rows if row not in taken]
        for row in singly:  # run lengths of crowds; all of a part for the text about what is wrong in it
            drawn[row] = _drawn(texts[row], sizes_wh[row], row, where)
        thin += len(rows) - int(drawn[rows].sum())
    return _joined(texts, drawn, thin)


def _drawn_together(texts: Sequence[bytes], sizes_wh: NDArray[np.integer]) -> NDArray[np.bool_] | None:
    """Whether each of several segmentations has a polygon of three points; None where one is not as it should be."""
    try:
        shapes = [_polygons.decode(text) for text in texts]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    counts = np.fromiter(map(len, shapes), np.int64, len(shapes))
    polygons = list(chain.from_iterable(shapes))
    lengths = np.fromiter(map(len, polygons), np.int64, len(polygons))
    if not counts.all() or not lengths.all() or (lengths % 2).any():
        return None
    numbers = np.fromiter(chain.from_iterable(polygons), np.float64, int(lengths.sum()))
    begins = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    limit = np.repeat(sizes_wh.max(1), counts)
    low, high = np.minimum.reduceat(numbers, begins), np.maximum.reduceat(numbers, begins)
    if (low < -limit).any() or (high > 2 * limit).any():
        return None
    longest = np.maximum.reduceat(lengths, np.concatenate([[0], np.cumsum(counts)[:-1]]))
    return np.asarray(longest >= NUMBERS_OF_A_TRIANGLE)


def _drawn(text: bytes, size_wh: NDArray[np.integer], row: int, where: Callable[[int], str]) -> bool:
    width, height = int(size_wh[0]), int(size_wh[1])
    try:
        return _check_polygons(text, width, height) if text[:1] == b"[" else _check_runs(text, width, height)
    except ValueError as error:
        raise ValueError(f"{where(row)}: {error}") from None


def _joined(parts: Sequence[bytes], drawn: NDArray[np.bool_], thin: int = 0) -> Shapes:
    lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    text = np.frombuffer(b"".join(parts), np.uint8)
    return Shapes(text, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), drawn, thin)


def _check_polygons(text: bytes, width: int, height: int) -> bool:
    """Whether some of the polygons have 3 points; raises ValueError for what are no polygons, or far from the picture."""
    try:
        polygons = _polygons.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        shown = text[:57].decode("utf-8", "replace") + ("..." if len(text) > 57 else "")
        raise ValueError(
            f"expected segmentation as polygons [[x, y, x, y, ...], ...], got {shown}; correct or remove it"
        ) from None
    limit = max(width, height)
    drawn = False
    for polygon in polygons:
        if len(polygon) % 2:
            raise ValueError(
                f"expected segmentation as polygons of points x, y, got one of {len(polygon)} numbers; correct or remove it"
            )
        if polygon and not (-limit <= min(polygon) and max(polygon) <= 2 * limit):
            far = max(polygon, key=abs)
            raise ValueError(
                f"expected segmentation as polygons in a picture of {width}x{height}, got the coordinate {far:g}; correct or "
                "remove it"
            )
        drawn |= len(polygon) >= NUMBERS_OF_A_TRIANGLE
    return drawn


def _check_runs(text: bytes, width: int, height: int) -> bool:
    try:
        coded = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        coded = None
    if not isinstance(coded, dict):
        raise ValueError(
            f"expected segmentation as polygons or run lengths, got {shorten(coded)}; correct or remove it"
        )
    try:
        rle.check_run_lengths(coded, height, width)
    except ValueError as error:
        raise ValueError(f"segmentation: {error}") from None
    return True


def _usable(shape: Any) -> Any:
    """Without polygons of fewer than three points: they cover nothing, and pycocotools takes two points for a box."""
    if isinstance(shape, list):
        return [polygon for polygon in shape if len(polygon) >= NUMBERS_OF_A_TRIANGLE]
    return shape


def area_and_box(shape: Any, height: int, width: int) -> tuple[float, tuple[float, float, float, float]]:
    """Area in pixels of a segmentation and its bounding box x, y, w, h; of polygons the box of their points."""
    from pycocotools import mask as coded

    runs = compressed(shape, height, width)
    area = float(coded.area(runs))
    if isinstance(shape, list):
        xs, ys = [v for p in shape for v in p[0::2]], [v for p in shape for v in p[1::2]]
        return area, (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    x, y, w, h = (float(v) for v in coded.toBbox(runs))
    return area, (x, y, w, h)
