"""Annotations of COCO files as compact arrays: what keypoints and instances have in common."""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tasks.coco.categories import Categories, CategoryRecord, categories_of
from tasks.coco.identities import UNKNOWN
from tasks.coco.pictures import ImageRecord, Pictures, pictures_of
from tasks.files.json_file import shorten

Flag = int | float | str | bool | None
_FLAGS: dict[Any, bool] = {
    None: False,
    0: False,
    "0": False,
    "": False,
    "false": False,
    1: True,
    "1": True,
    "true": True,
}

FIELDS = {
    "id": "an id (a number or text)",
    "image_id": "the id of a listed picture",
    "category_id": "a listed category",
    "bbox": "bbox as four numbers x, y, width, height",
    "area": "area as a number",
    "iscrowd": "iscrowd as 0 or 1",
    "ignore": "ignore as 0 or 1",
    "score": "a finite score",
    "width": "width as a positive whole number of pixels",
    "height": "height as a positive whole number of pixels",
    "file_name": "file_name as text",
    "num_keypoints": "num_keypoints as a number",
}
"""What an error text says is expected of a field."""


class AnnotationRecord(msgspec.Struct, gc=False):
    """An entry of `annotations`; every field may lack as far as json goes."""

    id: int | float | str | None = None
    image_id: int | float | str | None = None
    category_id: int | float | str | None = None
    bbox: tuple[float, float, float, float] | None = None
    area: float | None = None
    iscrowd: Flag = None
    ignore: Flag = None


@dataclass(frozen=True)
class Annotations:
    """N annotations, in the order of their pictures and within one in the file's.

    Attributes:
        path: the file. pictures, categories: as listed.
        ids: as written, for messages alone; they may repeat or lack. place: (N,) index in the file's list.
        image: (N,) row of the picture. category: (N,) row of the category.
        boxes: (N, 4) float64 x, y, w, h in px; NaN where the file has none. areas: (N,) px^2; NaN where it has none.
        crowd, ignore: (N,) bool.
        start: (pictures + 1,) where each picture's annotations begin.
        notes: what a reader of figures on these must know.
    """

    path: Path
    pictures: Pictures
    categories: Categories
    ids: Sequence[Any]
    place: NDArray[np.int64]
    image: NDArray[np.int32]
    category: NDArray[np.int32]
    boxes: NDArray[np.float64]
    areas: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    ignore: NDArray[np.bool_]
    start: NDArray[np.int64]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.image)

    def where(self, row: int) -> str:
        """Names a record: file, and its id or its place."""
        return named(self.path, self.ids[row], int(self.place[row]))

    def size_wh(self, row: int) -> tuple[int, int]:
        """Width and height of the picture of an annotation."""
        width, height = self.pictures.sizes_wh[self.image[row]]
        return int(width), int(height)


def named(path: Path, name: Any, place: int) -> str:
    """Names an annotation by its id, or by its place where it has none."""
    return (
        f"{path}, annotation {shorten(name) if isinstance(name, str) else name}"
        if name is not None
        else (f"{path}, annotations[{place}]")
    )


def listed(
    images: Sequence[ImageRecord], categories: Sequence[CategoryRecord] | None, path: Path
) -> tuple[Pictures, Categories]:
    """The checked lists `images` and `categories` of a file."""
    return pictures_of(images, path), categories_of(categories or (), path)


def columns(
    records: Sequence[AnnotationRecord],
    pictures: Pictures,
    categories: Categories,
    path: Path,
    category: NDArray[np.integer],
) -> tuple[NDArray[np.int64], dict[str, Any]]:
    """The common columns of records in the order of their pictures, and that order (N,) of rows in the file.

    Args:
        category: (N,) rows of the records' categories, or `UNKNOWN`.

    Raises:
        ValueError: a picture or category that is not listed, or a flag that is neither 0 nor 1.
    """
    count = len(records)
    image = pictures.identities.rows(map(attrgetter("image_id"), records))
    for row in np.flatnonzero(image == UNKNOWN)[:1]:
        raise ValueError(
            f"{named(path, records[row].id, int(row))}: expected the id of a listed picture, got image_id "
            f"{shorten(records[row].image_id)}; the file is incomplete, fetch it again"
        )
    for row in np.flatnonzero(category == UNKNOWN)[:1]:
        raise ValueError(
            f"{named(path, records[row].id, int(row))}: expected a listed category, got category_id "
            f"{shorten(records[row].category_id)} (listed: {categories.shown() or 'none'}); correct it or add the category"
        )
    order = np.argsort(image, kind="stable")
    none = (np.nan,) * 4
    corners = list(map(attrgetter("bbox"), records))
    if None in corners:
        corners = [none if box is None else box for box in corners]
    boxes = np.fromiter(chain.from_iterable(corners), np.float64, 4 * count).reshape(count, 4)
    areas = np.array(list(map(attrgetter("area"), records)), np.float64)  # None becomes NaN
    crowd = _flags(list(map(attrgetter("iscrowd"), records)), "iscrowd", records, path)
    ignore = _flags(list(map(attrgetter("ignore"), records)), "ignore", records, path)
    made = {
        "ids": compact([records[row].id for row in order]),
        "place": order,
        "image": image[order].astype(np.int32),
        "category": category[order].astype(np.int32),
        "boxes": boxes[order],
        "areas": areas[order],
        "crowd": crowd[order],
        "ignore": ignore[order],
        "start": starts(image, len(pictures)),
    }
    return order, made


def compact(ids: list[Any]) -> Sequence[Any]:
    """Ids in little memory where all are whole numbers. As objects they would hold on to the memory of the records among which
    they were made: a third of a gigabyte for COCO's train2017."""
    if set(map(type, ids)) <= {int}:
        with contextlib.suppress(OverflowError):
            return array("q", ids)
    return tuple(ids)


def starts(image: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """(pictures + 1,) where each picture's records begin once they are sorted by picture."""
    return np.concatenate([[0], np.cumsum(np.bincount(image, minlength=count))]).astype(np.int64)


def _flags(values: list[Any], field: str, records: Sequence[AnnotationRecord], path: Path) -> NDArray[np.bool_]:
    distinct = set(values)
    unknown = distinct - set(_FLAGS)
    if unknown:
        row = next(row for row, value in enumerate(values) if value in unknown)
        raise ValueError(
            f"{named(path, records[row].id, row)}: expected {field} as 0 or 1, got {shorten(values[row])}; correct it"
        )
    if not any(_FLAGS[value] for value in distinct):
        return np.zeros(len(values), np.bool_)
    return np.fromiter((_FLAGS[value] for value in values), np.bool_, len(values))
