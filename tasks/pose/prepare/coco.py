"""COCO's person boxes of a detector, with annotations and pictures brought to their places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tasks.files.json_file import read_json
from tasks.pose.files.box_files import BoxRecord
from tasks.preparation import Preparation, Target, find, same_json

BOXES = {
    "val2017": ("COCO_val2017_detections_AP_H_56_person.json", 104125),
    "test-dev2017": ("COCO_test-dev2017_detections_AP_H_609_person.json", None),
}
ANNOTATIONS = (
    "person_keypoints_train2017.json",
    "person_keypoints_val2017.json",
    "instances_train2017.json",
    "instances_val2017.json",
    "image_info_test-dev2017.json",
)
PICTURES = ("train2017", "val2017", "test2017")
PERSON = 1
OWN = "bbox"
"""A detector's own results (a COCO results file of boxes) are told by this word in their name, and the split's."""


def prepare(raw: Path, target: Target) -> None:
    """Brings annotations, pictures and HRNet's detector boxes to their places; persons of other results files are picked out.

    Raises:
        ValueError: nothing of COCO is there, or a results file is broken.
    """
    found = 0
    for name in ANNOTATIONS:
        path = find(raw, (f"annotations/{name}", name))
        if path is not None:
            target.place(path, f"annotations/{name}")
            found += 1
    for name in PICTURES:
        folder = find(raw, (f"images/{name}", name))
        if folder is not None and folder.is_dir() and any(folder.iterdir()) and not (target.folder / name).exists():
            target.place(folder, f"images/{name}")
            found += 1
    found += _boxes(raw, target)
    if not found:
        raise ValueError(
            f"{raw}: expected COCO's annotations, pictures or a detector's boxes there or below, found none."
        )


def _boxes(raw: Path, target: Target) -> int:
    found = 0
    for split, (name, official) in BOXES.items():
        path = find(raw, (name,))
        if path is not None:
            target.place(path, f"person_detection_results/{name}")
            if official is not None:
                target.count(f"boxes of {split}", len(read_json(path, list[Any], "a detector's boxes")), official)
            found += 1
            continue
        for results in sorted(raw.rglob(f"*{split}*{OWN}*.json")) + sorted(raw.rglob(f"*{OWN}*{split}*.json")):
            _persons(results, split, target)
            found += 1
    return found


def _persons(path: Path, split: str, target: Target) -> None:
    """Writes the persons of a results file of all classes in the form of HRNet's file."""
    records = read_json(path, list[BoxRecord], "a detector's results, a list of {image_id, category_id, bbox, score}")
    persons = []
    for row, record in enumerate(records):
        if record.category_id != PERSON:
            continue
        if record.image_id is None or record.bbox is None or record.score is None:
            raise ValueError(f"{path}, entry {row}: expected image_id, bbox and score; write the results again")
        persons.append(
            {"bbox": list(record.bbox), "category_id": PERSON, "image_id": record.image_id, "score": record.score}
        )
    if not persons:
        raise ValueError(
            f"{path}: expected boxes of category {PERSON} (person), got {len(records)} of others; check the file"
        )
    target.told_write(
        f"person_detection_results/COCO_{split}_detections_{path.stem}_person.json",
        json.dumps(persons).encode(),
        f"{len(persons):,} persons of {len(records):,} boxes (evaluate with --protocol boxes=detector boxes_file=NAME)",
        same_json,
    )


COCO = Preparation(
    "pose",
    "coco",
    "coco",
    "annotations_trainval2017.zip, train2017.zip, val2017.zip, and person_detection_results/ of HRNet's authors or a COCO "
    "results file of a detector with the split and 'bbox' in its name",
    prepare,
)
