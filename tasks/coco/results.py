"""COCO results files, read back and checked against the pictures and categories of the ground truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tasks.coco.annotations import FIELDS
from tasks.coco.boxes import refuse_corners
from tasks.coco.categories import Categories
from tasks.coco.identities import UNKNOWN
from tasks.coco.pictures import Pictures
from tasks.coco.shapes import compressed
from tasks.files import rle
from tasks.files.json_file import many_records, read_json, shorten

FAR = 100
"""Times the picture's longer side: results farther away are broken numbers, not detections."""
FIX = "write the results again"
_NOTHING = (b"", b"null", b"[]", b"{}")


class ResultRecord(msgspec.Struct, gc=False):
    """An entry of a results file; every field may lack as far as json goes."""

    image_id: int | float | str | None = None
    category_id: int | float | str | None = None
    score: float | None = None
    bbox: tuple[float, float, float, float] | None = None
    segmentation: msgspec.Raw = msgspec.Raw()
    keypoints: msgspec.Raw = msgspec.Raw()

    @property
    def has_mask(self) -> bool:
        return bytes(self.segmentation) not in _NOTHING

    @property
    def has_keypoints(self) -> bool:
        return bytes(self.keypoints) not in _NOTHING


@dataclass(frozen=True)
class Results:
    """N results of listed categories.

    Attributes:
        path: the file. records: as read. entry: (N,) their places in the file. image: (N,) rows of the pictures.
        categories: (N,) category ids. notes: what was left out.
    """

    path: Path
    records: tuple[ResultRecord, ...]
    entry: NDArray[np.int64]
    image: NDArray[np.int64]
    categories: NDArray[np.int64]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.records)

    def where(self, row: int) -> str:
        return f"{self.path}, entry {self.entry[row]}"


def read_records(path: Path, num_numbers: int | None = None) -> list[ResultRecord]:
    """The records of a results file.

    Args:
        num_numbers: how many numbers a pose has, for error texts.

    Raises:
        ValueError: no such file, or not a list of result objects.
    """
    what = "COCO results (a list of results)"
    numbers = "numbers" if num_numbers is None else f"{num_numbers} numbers"
    try:
        return read_json(
            path, list[ResultRecord], what, fields=FIELDS | {"keypoints": f"keypoints as {numbers}"}, fix=FIX
        )
    except ValueError as error:
        if "expected a list (" in str(error):
            raise ValueError(f"{str(error).removesuffix(FIX)}is this an annotation file?") from None
        raise


@many_records()
def read_results(
    path: Path, pictures: Pictures, categories: Categories, also: Collection[int] = (), num_numbers: int | None = None
) -> Results:
    """A results file, checked against the ground truth's pictures and categories.

    Args:
        also: categories that the truth may leave out without being asked for: results of theirs are left out and counted.

    Raises:
        ValueError: see `read_records`; a field is missing, results are of other pictures or categories.
    """
    records = read_records(path, num_numbers)
    for row, record in enumerate(records):
        for field in ("image_id", "category_id", "score"):
            if getattr(record, field) is None:
                raise ValueError(f"{path}, entry {row}: expected the field {field!r}, got {given(record)}; {FIX}")
    image = pictures.identities.rows(record.image_id for record in records)
    strangers = {str(records[row].image_id) for row in np.flatnonzero(image == UNKNOWN)}
    if strangers:
        some = ", ".join(shorten(name).strip("'") for name in sorted(strangers)[:3])
        raise ValueError(
            f"{path}: expected results for the {len(pictures)} pictures of the ground truth, got results for {len(strangers)} "
            f"others (image_id {some}); choose the split that these results were made for"
        )
    rows = categories.identities.rows(record.category_id for record in records)
    kept = rows != UNKNOWN
    notes = _left_out(path, records, np.flatnonzero(~kept), categories, also)
    entry = np.flatnonzero(kept)
    ids = np.array(categories.ids, np.int64)[rows[kept]]
    return Results(path, tuple(records[row] for row in entry), entry, image[kept], ids, notes)


def _left_out(
    path: Path, records: Sequence[ResultRecord], rows: NDArray[np.int64], categories: Categories, also: Collection[int]
) -> tuple[str, ...]:
    """The note about results of categories that the truth does not list; raises ValueError where it cannot be right."""
    if not len(rows):
        return ()
    found = Counter(str(records[row].category_id) for row in rows)
    listed = f"the ground truth lists {categories.shown()}"
    some = ", ".join(f"{shorten(name).strip(chr(39))}" for name in sorted(found)[:5])
    foreign = [row for row in rows if records[row].category_id not in also]
    if len(rows) == len(records) or foreign:
        row = int(foreign[0] if foreign else rows[0])
        raise ValueError(
            f"{path}, entry {row}: expected a listed category, got category_id {shorten(records[row].category_id)} ({len(rows)} "
            f"of {len(records)} results are of categories {some}; {listed}); number the categories as the ground truth does"
        )
    return (f"{path.name}: {len(rows)} results of categories {some} are left out: {listed}",)


def given(record: ResultRecord) -> list[str]:
    """Names of the fields that a record has."""
    found = [name for name in ("image_id", "category_id", "score", "bbox") if getattr(record, name) is not None]
    return found + ["segmentation"] * record.has_mask + ["keypoints"] * record.has_keypoints


def keypoint_records(results: Results, pictures: Pictures, num_joints: int) -> list[dict[str, Any]]:
    """Poses as plain records {image_id, category_id, keypoints, score}.

    Raises:
        ValueError: a record without keypoints, or with another number of them.
    """
    decoder = msgspec.json.Decoder(list[float])
    made = []
    for row, record in enumerate(results.records):
        if not record.has_keypoints:
            raise ValueError(
                f"{results.where(row)}: expected the field 'keypoints', got {given(record)}; are these results of keypoints?"
            )
        try:
            numbers = decoder.decode(record.keypoints)
        except (msgspec.MsgspecError, RecursionError):
            numbers = []
        if len(numbers) != 3 * num_joints:
            raise ValueError(
                f"{results.where(row)}: expected keypoints as {3 * num_joints} finite numbers x, y, score, got "
                f"{shorten(bytes(record.keypoints).decode('utf-8', 'replace'))}; {FIX}"
            )
        _refuse_far(max(map(abs, numbers)), results, row, pictures)
        made.append(
            {
                "image_id": pictures.ids[results.image[row]],
                "category_id": int(results.categories[row]),
                "keypoints": numbers,
                "score": record.score,
            }
        )
    return made


def box_records(results: Results, pictures: Pictures) -> list[dict[str, Any]]:
    """Boxes as plain records {image_id, category_id, bbox, score}.

    Raises:
        ValueError: a record without a box, a box with a negative side, or boxes that are corners.
    """
    made = []
    for row, record in enumerate(results.records):
        if record.bbox is None:
            raise ValueError(f"{results.where(row)}: expected the field 'bbox', got {given(record)}; {FIX}")
        if record.bbox[2] < 0 or record.bbox[3] < 0:
            raise ValueError(
                f"{results.where(row)}: expected a bbox with sides of at least 0, got {list(record.bbox)}; {FIX}"
            )
        _refuse_far(max(map(abs, record.bbox)), results, row, pictures)
        made.append(_plain(results, pictures, row) | {"bbox": list(record.bbox)})
    boxes = np.array([record.bbox for record in results.records], np.float64).reshape(-1, 4)
    refuse_corners(boxes, pictures.sizes_wh[results.image], str(results.path))
    return made


def mask_records(results: Results, pictures: Pictures) -> list[dict[str, Any]]:
    """Masks as plain records {image_id, category_id, segmentation, score}, with compressed run lengths.

    Raises:
        ValueError: a record without a mask, or with one that is no run lengths over its picture.
    """
    made = []
    for row, record in enumerate(results.records):
        if not record.has_mask:
            raise ValueError(f"{results.where(row)}: expected the field 'segmentation', got {given(record)}; {FIX}")
        width, height = (int(n) for n in pictures.sizes_wh[results.image[row]])
        try:
            shape = msgspec.json.decode(record.segmentation)
            rle.check_run_lengths(shape, height, width)
        except ValueError as error:
            raise ValueError(f"{results.where(row)}: {error}") from None
        made.append(_plain(results, pictures, row) | {"segmentation": compressed(shape, height, width)})
    return made


def _plain(results: Results, pictures: Pictures, row: int) -> dict[str, Any]:
    return {
        "image_id": pictures.ids[results.image[row]],
        "category_id": int(results.categories[row]),
        "score": results.records[row].score,
    }


def _refuse_far(largest: float, results: Results, row: int, pictures: Pictures) -> None:
    width, height = (int(n) for n in pictures.sizes_wh[results.image[row]])
    if largest > FAR * max(width, height):
        raise ValueError(
            f"{results.where(row)}: expected pixels of a picture of {width}x{height}, got the coordinate {largest:g}; {FIX}"
        )
