"""COCO's instances: eighty classes; files of other classes in its places train networks of those."""

from __future__ import annotations

from pathlib import Path

from tasks.base import DatasetInfo
from tasks.detection.entries.entry import Entry
from tasks.detection.files.annotations import OFFICIAL, annotation_path, read_classes
from tasks.detection.files.categories import COCO


def _files(root: Path, split: str) -> list[Path]:
    return [annotation_path(root, split)[0]]


def _outputs(root: Path, split: str) -> int | None:
    classes = read_classes(root, split)
    return None if classes == COCO else len(classes)


ENTRY = Entry(
    DatasetInfo(
        name="coco",
        title="COCO detection",
        folder="coco",
        num_outputs=len(COCO),
        train_split="train2017",
        eval_split="val2017",
        splits=("train2017", "val2017", "test-dev2017", "test2017"),
        headline="AP",
        profile_hw=(800, 1344),
        embedded="coco_detection",
    ),
    OFFICIAL,
    _files,
    _outputs,
)
