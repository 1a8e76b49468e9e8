"""COCO results files of detections: written from predictions, read back with checks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.coco.identities import Id
from tasks.coco.results import Results, box_records, mask_records, read_results
from tasks.detection.files.annotations import Instances
from tasks.detection.files.categories import COCO_IDS, PERSON, of_coco
from tasks.files.opening import compressed_or_plain
from tasks.files.writing import write_text

Prediction = Mapping[str, Any]
"""One picture's: ``boxes`` (n, 4) x, y, w, h in its pixels, ``labels`` (n,) from 1, ``scores`` (n,), best first, and perhaps
``masks``, n compressed run lengths."""


def predicted_boxes(
    predictions: Sequence[Prediction], images: Sequence[Id], category_of: Mapping[int, int]
) -> list[dict[str, Any]]:
    """COCO's "bbox" results: image_id, category_id, bbox, score.

    Args:
        predictions: one per picture. images: the pictures' ids. category_of: label -> category id; others are left out.
    """
    return [
        {
            "image_id": image,
            "category_id": category,
            "bbox": [float(v) for v in prediction["boxes"][row]],
            "score": score,
        }
        for prediction, row, image, category, score in _rows(predictions, images, category_of)
    ]


def predicted_masks(
    predictions: Sequence[Prediction], images: Sequence[Id], category_of: Mapping[int, int]
) -> list[dict[str, Any]]:
    """COCO's "segm" results: image_id, category_id, segmentation (compressed run lengths), score; as `predicted_boxes`."""
    return [
        {"image_id": image, "category_id": category, "segmentation": prediction["masks"][row], "score": score}
        for prediction, row, image, category, score in _rows(predictions, images, category_of)
    ]


def person_records(records: Sequence[Mapping[str, Any]], person: int = PERSON) -> list[dict[str, Any]]:
    """The persons among box records, boxes without a side left out: the detector-box file that pose evaluation reads."""
    return [dict(r) for r in records if r["category_id"] == person and r["bbox"][2] > 0 and r["bbox"][3] > 0]


def _rows(
    predictions: Sequence[Prediction], images: Sequence[Id], category_of: Mapping[int, int]
) -> Iterator[tuple[Prediction, int, Id, int, float]]:
    for image, prediction in zip(images, predictions, strict=True):
        for row, (label, score) in enumerate(zip(prediction["labels"], prediction["scores"])):
            if int(label) in category_of:
                yield prediction, row, image, category_of[int(label)], float(score)


def write_results(
    path: Path, boxes: list[dict[str, Any]], masks: list[dict[str, Any]] | None, person: int | None = PERSON
) -> list[Path]:
    """Writes results: to ``<name>.json`` (boxes) and ``<name>.segm.json`` if ``path`` ends with .json; otherwise into the folder
    ``path`` as bbox.json, segm.json and, where there is a category of persons, person_boxes.json. Returns the files."""
    if path.suffix == ".json":
        wanted = {path: boxes, path.with_suffix(".segm.json"): masks}
    else:
        persons = None if person is None else person_records(boxes, person)
        wanted = {path / "bbox.json": boxes, path / "segm.json": masks, path / "person_boxes.json": persons}
    written = []
    for target, records in wanted.items():
        if records is None:
            continue
        write_text(target, json.dumps(records))
        written.append(target)
    return written


@dataclass(frozen=True)
class Submission:
    """What a results file or folder holds: records of boxes, of masks, or of both; None where there are none."""

    boxes: list[dict[str, Any]] | None
    masks: list[dict[str, Any]] | None
    notes: tuple[str, ...]


def read_submission(path: Path, instances: Instances) -> Submission:
    """A results file of boxes, masks or both, or a folder with bbox.json, segm.json or both; compressed (.gz) or not.

    A file is scored by all that its records hold. In a folder segm.json is scored by its masks, whatever boxes it also has.

    Raises:
        ValueError: see `tasks.coco.results`; a record lacks what others of the file have.
    """
    if not path.is_dir():
        results = _results(path, instances)
        with_box = any(record.bbox is not None for record in results.records)
        with_mask = any(record.has_mask for record in results.records)
        pictures = instances.objects.pictures
        if results.records and not (with_box or with_mask):
            raise ValueError(f"{results.where(0)}: expected bbox or segmentation, got neither; write the results again")
        return Submission(
            box_records(results, pictures) if with_box or not results.records else None,
            mask_records(results, pictures) if with_mask else None,
            results.notes,
        )
    of_masks, of_boxes = (compressed_or_plain(path / name) for name in ("segm.json", "bbox.json"))
    masks = _results(of_masks, instances) if of_masks.exists() else None
    boxes = _results(of_boxes, instances) if masks is None or of_boxes.exists() else None
    pictures = instances.objects.pictures
    return Submission(
        None if boxes is None else box_records(boxes, pictures),
        None if masks is None else mask_records(masks, pictures),
        tuple(dict.fromkeys(note for part in (boxes, masks) if part is not None for note in part.notes)),
    )


def _results(path: Path, instances: Instances) -> Results:
    categories = instances.objects.categories
    also = COCO_IDS if of_coco(categories) else ()
    return read_results(path, instances.objects.pictures, categories, also)
