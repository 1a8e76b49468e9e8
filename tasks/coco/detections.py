"""Detector boxes: a list of {image_id, category_id, bbox, score}, read for the persons of a dataset's pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from tasks.coco.annotations import FIELDS
from tasks.coco.boxes import leaving_note, refuse_corners
from tasks.coco.identities import UNKNOWN
from tasks.coco.pictures import Pictures
from tasks.files.json_file import many_records, read_json, shorten

FORM = "detector boxes (a list of {image_id, category_id, bbox, score})"
FAR = 100
"""Times the picture's longer side: boxes farther away, or longer, are broken numbers."""


class DetectionRecord(msgspec.Struct, gc=False):
    """An entry of a detector's file; every field may lack as far as json goes."""

    image_id: int | float | str | None = None
    category_id: int | float | str | None = None
    bbox: tuple[float, float, float, float] | None = None
    score: float | None = None


@dataclass(frozen=True)
class Detections:
    """N boxes of one category, in the file's order.

    Attributes:
        path: the file. entry: (N,) their places in it. image: (N,) rows of the pictures.
        boxes: (N, 4) x, y, w, h px, each with a size. scores: (N,). notes: what a reader of figures must know.
    """

    path: Path
    entry: NDArray[np.int64]
    image: NDArray[np.int64]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    notes: tuple[str, ...]


@many_records()
def read_detections(path: Path, pictures: Pictures, category: int, split: str, least_score: float = 0.0) -> Detections:
    """Reads and checks a detector's file.

    Args:
        category: whose boxes; those of others are left out. split: named in error texts.
        least_score: boxes below it are left out.

    Raises:
        ValueError: no such file, another form, a missing field, a picture that is not listed, a box without a size or in
            corners' form.
    """
    records = read_json(path, list[DetectionRecord], FORM, fields=FIELDS, fix="check the detector's file")
    kept = []
    for line, record in enumerate(records):
        for field in ("image_id", "category_id", "bbox", "score"):
            if getattr(record, field) is None:
                given = [name for name in record.__struct_fields__ if getattr(record, name) is not None]
                raise ValueError(
                    f"{path}, entry {line}: expected the field {field!r} but got {given}; check the detector's file"
                )
        if record.category_id == category or str(record.category_id) == str(category):
            kept.append(line)
    if records and not kept:
        raise ValueError(
            f"{path}, entry 0: expected boxes of category {category} (person), got none among {len(records)} (the first is of "
            f"category {shorten(records[0].category_id)}); number the categories as the annotation file does"
        )
    notes = []
    if len(kept) < len(records):
        notes.append(f"{path.name}: {len(records) - len(kept)} boxes of other categories than {category} are left out")
    # Checked above: nothing lacks.
    kept = [line for line in kept if not records[line].score < least_score]  # type: ignore[operator]
    image = pictures.identities.rows(records[line].image_id for line in kept)
    for row in np.flatnonzero(image == UNKNOWN)[:1]:
        raise ValueError(
            f"{path}, entry {kept[row]}: expected a picture of {split} but got image_id {shorten(records[kept[row]].image_id)}; "
            "use the boxes of this split"
        )
    entry = np.array(kept, np.int64)
    boxes = np.array([records[line].bbox for line in kept], np.float64).reshape(-1, 4)
    scores = np.array([records[line].score for line in kept], np.float64)
    sizes = pictures.sizes_wh[image]
    for row in np.flatnonzero(~(boxes[:, 2:] > 0).all(1))[:1]:
        raise ValueError(
            f"{path}, entry {entry[row]}: expected a box with a size but got {boxes[row].tolist()}; correct or remove the entry"
        )
    for row in np.flatnonzero((np.abs(boxes) > FAR * sizes.max(1, initial=1)[:, None]).any(1))[:1]:
        width, height = sizes[row].tolist()
        raise ValueError(
            f"{path}, entry {entry[row]}: expected a box in a picture of {width}x{height} but got {boxes[row].tolist()}; correct "
            "or remove the entry"
        )
    refuse_corners(boxes, sizes, str(path))
    note = leaving_note(boxes, sizes, path.name, entry)
    return Detections(path, entry, image, boxes, scores, (*notes, *([note] if note else [])))
