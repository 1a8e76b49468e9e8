"""COCO results files: written from predictions, read back with checks. Torch-free."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.coco_results import read_records
from tasks.detection.files.annotations import Instances
from tasks.detection.files.categories import COCO_IDS, PERSON
from tasks.files.writing import write_text

Prediction = Mapping[str, Any]
"""One picture's: ``boxes`` (n, 4) x, y, w, h in its pixels, ``labels`` (n,) from 1, ``scores`` (n,), best first, and perhaps
``masks``, n compressed run lengths."""


def box_records(predictions: Sequence[Prediction], instances: Instances) -> list[dict[str, Any]]:
    """COCO's "bbox" results: image_id, category_id, bbox, score.

    Where the file lists some of COCO's own categories, detections of the others are written too; scoring passes them over.
    """
    return [
        {
            "image_id": image,
            "category_id": category,
            "bbox": [float(v) for v in prediction["boxes"][row]],
            "score": score,
        }
        for prediction, row, image, category, score in _rows(predictions, instances)
    ]


def mask_records(predictions: Sequence[Prediction], instances: Instances) -> list[dict[str, Any]]:
    """COCO's "segm" results: image_id, category_id, segmentation (compressed run lengths), score."""
    return [
        {"image_id": image, "category_id": category, "segmentation": prediction["masks"][row], "score": score}
        for prediction, row, image, category, score in _rows(predictions, instances)
    ]


def person_records(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The persons among box records, boxes without a side left out: the detector-box file that pose evaluation reads."""
    return [dict(r) for r in records if r["category_id"] == PERSON and r["bbox"][2] > 0 and r["bbox"][3] > 0]


def _rows(predictions: Sequence[Prediction], instances: Instances) -> Any:
    category_of = {label: number for number, label in instances.labels.items()}
    if set(category_of.values()) <= set(COCO_IDS):
        category_of = dict(enumerate(COCO_IDS, start=1))
    for entry, prediction in zip(instances.images, predictions, strict=True):
        for row, (label, score) in enumerate(zip(prediction["labels"], prediction["scores"])):
            if int(label) in category_of:
                yield prediction, row, entry["id"], category_of[int(label)], float(score)


def write_results(path: Path, boxes: list[dict[str, Any]], masks: list[dict[str, Any]] | None) -> list[Path]:
    """Writes results: to ``<name>.json`` (boxes) and ``<name>.segm.json`` if ``path`` ends with .json; otherwise into the folder
    ``path`` as bbox.json, segm.json and person_boxes.json. Returns the files."""
    if path.suffix == ".json":
        wanted = {path: boxes, path.with_suffix(".segm.json"): masks}
    else:
        persons = person_records(boxes)
        wanted = {path / "bbox.json": boxes, path / "segm.json": masks, path / "person_boxes.json": persons}
    written = []
    for target, records in wanted.items():
        if records is None:
            continue
        write_text(target, json.dumps(records))
        written.append(target)
    return written


def read_results(
    path: Path, image_ids: Collection[Any], categories: Collection[int], kind: str = ""
) -> list[dict[str, Any]]:
    """A results file as a list of records, checked against the ground truth's pictures and categories.

    Args:
        kind: "bbox" or "segm" asks for that field in every record; otherwise either will do.

    Raises:
        ValueError: no such file, not a results file, results for other pictures or categories, or a broken record.
    """
    records = read_records(path, image_ids)
    allowed = set(categories)
    if allowed <= set(COCO_IDS):
        allowed |= set(COCO_IDS)
    for row, record in enumerate(records):
        problem = _problem(record, allowed, {"bbox": "bbox", "segm": "segmentation"}.get(kind))
        if problem:
            raise ValueError(f"{path}, entry {row}: {problem}; write the results again")
    return records


def of_masks(path: Path) -> bool:
    """Whether a results file holds masks without boxes; False for what :func:`read_results` will refuse."""
    try:
        records = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    first = records[0] if isinstance(records, list) and records else {}
    return isinstance(first, dict) and "segmentation" in first and "bbox" not in first


def _problem(record: Any, categories: set[int], wanted: str | None = None) -> str | None:
    for key in ("image_id", "category_id", "score"):
        if key not in record:
            return f"expected the field {key!r}, got {sorted(record)}"
    if "bbox" not in record and "segmentation" not in record:
        return "expected bbox or segmentation, got neither"
    if wanted is not None and wanted not in record:
        return f"expected the field {wanted!r}, got {sorted(record)}"
    if record["category_id"] not in categories:
        return f"expected a listed category, got category_id {record['category_id']!r}"
    if not isinstance(record["score"], int | float) or not math.isfinite(record["score"]):
        return f"expected a finite score, got {record['score']!r}"
    box = record.get("bbox", [0, 0, 0, 0])
    if (
        not isinstance(box, list)
        or len(box) != 4
        or not all(isinstance(v, int | float) and math.isfinite(v) for v in box)
    ):
        return f"expected bbox as four numbers, got {box!r}"
    if box[2] < 0 or box[3] < 0:
        return f"expected a bbox with sides of at least 0, got {box!r}"
    return None
