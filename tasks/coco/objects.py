"""COCO instance annotations: the objects of a file as arrays, with boxes and areas derived where they lack."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from tasks.coco.annotations import FIELDS, AnnotationRecord, Annotations, columns, compact, listed, named, starts
from tasks.coco.apart import put_together, taken_apart
from tasks.coco.boxes import OUTSIDE_PX, overhang, refuse_corners
from tasks.coco.categories import CategoryRecord
from tasks.coco.pictures import ImageRecord
from tasks.coco.shapes import Shapes, area_and_box, shapes_of
from tasks.files.json_file import many_records, read_json
from tasks.files.opening import read_bytes
from tasks.readings.kept import through_cache

FORM = "COCO instance annotations (COCO's form: an object with images, annotations, categories)"


class ObjectRecord(AnnotationRecord, gc=False):
    """An annotation with a segmentation."""

    segmentation: msgspec.Raw = msgspec.Raw()


class ObjectFile(msgspec.Struct):
    """An instance annotation file, as far as it is read."""

    images: list[ImageRecord]
    annotations: list[ObjectRecord]
    categories: list[CategoryRecord]


class UnlabelledFile(msgspec.Struct):
    """A test set's list of pictures, whose truth its server keeps."""

    images: list[ImageRecord]
    categories: list[CategoryRecord]

    @property
    def annotations(self) -> list[ObjectRecord]:
        return []


@dataclass(frozen=True)
class Objects(Annotations):
    """Annotations with a usable box, crowds included.

    Attributes:
        shapes: their segmentations. learnable: (N,) what the reference trains on: no crowd, no `ignore`, sides of a pixel and
            more, and no area of 0 in the file.
        skipped: annotations left out because their box has no area in its picture. clipped: boxes cut at their picture's edge.
    """

    shapes: Shapes
    learnable: NDArray[np.bool_]
    skipped: int
    clipped: int


def read_objects(
    path: Path, degenerate: Literal["error", "skip"] = "error", advice: str = "", truth: bool = True
) -> Objects:
    """Reads and checks an instance annotation file, or takes what reading it gave before (:mod:`tasks.readings.kept`).

    Args:
        degenerate: what becomes of boxes outside their picture or of no area: an error, or clipped and left out (counted).
        advice: what to do where the file is missing.
        truth: whether annotations are expected (test sets have none).

    Raises:
        ValueError: no such file, not of this form, or a record that cannot be used; the text names file, record and fix.
    """
    asked = {"what": "objects", "degenerate": degenerate, "truth": truth}
    read = partial(_read, path, degenerate, advice, truth)
    return through_cache(path, asked, read, lambda: read_bytes(path, FORM, advice), _apart, partial(_together, path))


def _apart(read: Objects) -> tuple[Any, dict[str, NDArray[Any]]]:
    plain, arrays = taken_apart(read)
    plain |= {"thin": read.shapes.thin, "skipped": read.skipped, "clipped": read.clipped}
    arrays |= {"text": read.shapes.text, "text_start": read.shapes.start, "drawn": read.shapes.drawn}
    return plain, arrays | {"learnable": read.learnable}


def _together(path: Path, plain: Any, arrays: Mapping[str, NDArray[Any]]) -> Objects:
    arrays["text"].setflags(write=False)  # as what is read: its bytes cannot be written to
    return Objects(
        **put_together(plain, arrays, path),
        shapes=Shapes(arrays["text"], arrays["text_start"], arrays["drawn"], plain["thin"]),
        learnable=arrays["learnable"],
        skipped=plain["skipped"],
        clipped=plain["clipped"],
    )


@many_records()
def _read(
    path: Path, degenerate: Literal["error", "skip"], advice: str, truth: bool, content: bytes | None = None
) -> Objects:
    file: ObjectFile | UnlabelledFile
    if truth:
        file = read_json(path, ObjectFile, FORM, advice, FIELDS, content=content)
    else:
        file = read_json(path, UnlabelledFile, FORM, advice, FIELDS, content=content)
    del content
    pictures, categories = listed(file.images, file.categories, path)
    records = file.annotations
    if truth and not records:
        raise ValueError(
            f"{path}: expected annotations, got an empty list; without them nothing can be scored or learnt. "
            "Use a split with ground truth"
        )
    category = categories.identities.rows(map(attrgetter("category_id"), records))
    order, made = columns(records, pictures, categories, path, category)
    raws = [records[row].segmentation for row in order]
    del file, records

    ids, place = made["ids"], made["place"]
    sizes = pictures.sizes_wh[made["image"]]
    shapes = shapes_of(raws, sizes, lambda row: named(path, ids[row], int(place[row])))
    count = len(order)
    read = Objects(
        path,
        pictures,
        categories,
        **made,
        notes=(),
        shapes=shapes,
        learnable=np.ones(count, bool),
        skipped=0,
        clipped=0,
    )
    return _usable(_derived(read), degenerate)


def _derived(read: Objects) -> Objects:
    """With boxes and areas from segmentations (or boxes) where the file has none."""
    boxes, areas = read.boxes.copy(), read.areas.copy()
    notes = []
    lacking = np.isnan(boxes).any(1)
    unknown = ~(areas > 0)
    for row in np.flatnonzero(lacking | unknown).tolist():
        width, height = read.size_wh(row)
        shape = read.shapes[row]
        if shape is None and lacking[row]:
            raise ValueError(
                f"{read.where(row)}: expected {FIELDS['bbox']}, got neither a box nor a segmentation; correct or remove it"
            )
        area, box = (None, None) if shape is None else area_and_box(shape, height, width)
        if lacking[row]:
            boxes[row] = box
        if unknown[row]:
            areas[row] = boxes[row, 2] * boxes[row, 3] if area is None else area
    name = read.path.name
    if lacking.any():
        notes.append(f"{name}: {int(lacking.sum())} boxes are missing; those of the segmentations stand in")
    if unknown.any():
        notes.append(
            f"{name}: {int(unknown.sum())} areas are missing, null or 0; those of the segmentations, or of the boxes, stand in"
        )
    if read.shapes.thin:
        notes.append(
            f"{name}: {read.shapes.thin} segmentations have no polygon of three points: these objects have no mask"
        )
    learnable = ~read.crowd & ~read.ignore & ~(read.areas <= 0)
    return dataclasses.replace(read, boxes=boxes, areas=areas, learnable=learnable, notes=tuple(notes))


def _usable(read: Objects, degenerate: Literal["error", "skip"]) -> Objects:
    """Without boxes of no area and with those that leave their pictures clipped, or an error about the first of them."""
    boxes = read.boxes.copy()
    sizes = read.pictures.sizes_wh[read.image].astype(np.float64)
    flat = ~(boxes[:, 2:] > 0).all(1)
    refuse_corners(boxes[~flat], sizes[~flat], str(read.path))
    over = overhang(boxes, sizes)
    leaving = (over > OUTSIDE_PX) & ~flat
    if degenerate == "error":
        for row in np.flatnonzero(flat | leaving)[:1]:
            raise ValueError(_degenerate(read, int(row), bool(flat[row]), float(over[row])))
    low = np.clip(boxes[leaving, :2], 0.0, sizes[leaving])
    high = np.minimum(boxes[leaving, :2] + boxes[leaving, 2:], sizes[leaving])
    boxes[leaving] = np.concatenate([low, high - low], 1)
    gone = flat | ~(boxes[:, 2:] > 0).all(1)
    learnable = read.learnable & (boxes[:, 2:] >= 1).all(1)
    notes = list(read.notes)
    clipped = int((leaving & ~gone).sum())
    if gone.any():
        notes.append(f"{read.path.name}: {int(gone.sum())} boxes of no area in their pictures are left out")
    if clipped:
        notes.append(f"{read.path.name}: {clipped} boxes that leave their pictures are clipped")
    made = dataclasses.replace(
        read, boxes=boxes, learnable=learnable, skipped=int(gone.sum()), clipped=clipped, notes=tuple(notes)
    )
    return _take(made, np.flatnonzero(~gone)) if gone.any() else made


def _degenerate(read: Objects, row: int, flat: bool, over: float) -> str:
    width, height = read.size_wh(row)
    box = read.boxes[row].tolist()
    if flat:
        return (
            f"{read.where(row)}: expected a box with an area, got width {box[2]:g} and height {box[3]:g} in {box}; correct or "
            "remove it, or leave such boxes out with degenerate_boxes=skip"
        )
    return (
        f"{read.where(row)}: expected a box inside its picture of {width}x{height} pixels, got {box}, which leaves it by "
        f"{over:g} px; correct or remove it, or clip such boxes with degenerate_boxes=skip"
    )


def _take(read: Objects, rows: NDArray[np.int64]) -> Objects:
    """The annotations of some rows, in their order."""
    return dataclasses.replace(
        read,
        ids=compact([read.ids[row] for row in rows]),
        place=read.place[rows],
        image=read.image[rows],
        category=read.category[rows],
        boxes=read.boxes[rows],
        areas=read.areas[rows],
        crowd=read.crowd[rows],
        ignore=read.ignore[rows],
        start=starts(read.image[rows], len(read.pictures)),
        shapes=read.shapes.take(rows),
        learnable=read.learnable[rows],
    )
