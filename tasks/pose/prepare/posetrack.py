"""PoseTrack 2017 and 2018: annotations, one json per sequence, and pictures brought to their places."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tasks.pose.posetrack.files.splits import has_truth, read_video
from tasks.preparation import Preparation, Target, find

OFFICIAL = {"posetrack17": {"train": 250, "val": 50}, "posetrack18": {"train": 593, "val": 170}}
"""Sequences with public annotations."""
FORMS = {"posetrack17": "2017", "posetrack18": "2018"}
SPLITS = ("train", "val", "test")


def prepare(dataset: str, raw: Path, target: Target) -> None:
    """Brings annotations/{train,val,test} and images/ to their places, once the first file of each split was read.

    Raises:
        ValueError: no annotations are there, or they are of the other year's form.
    """
    found = 0
    for split in SPLITS:
        folder = find(raw, (f"annotations/{split}", f"posetrack_data/annotations/{split}"))
        files = sorted(folder.glob("*.json")) if folder is not None else []
        if folder is None or not files:
            continue
        form = read_video(files[0], truth=has_truth(split)).form
        if form != FORMS[dataset]:
            raise ValueError(
                f"{files[0]}: expected the form of {FORMS[dataset]}, got that of {form}; prepare posetrack{form[2:]}, or name "
                "the other release with --from"
            )
        target.place(folder, f"annotations/{split}")
        if split in OFFICIAL[dataset]:
            target.count(f"sequences of {split}", len(files), OFFICIAL[dataset][split])
        found += 1
        boxes = find(
            raw, (f"annotations/{dataset}_{split}_human_detections.json", f"{dataset}_{split}_human_detections.json")
        )
        if boxes is not None:
            target.place(boxes, f"annotations/{boxes.name}")
    if not found:
        raise ValueError(
            f"{raw}: expected annotations/train and annotations/val with one json per sequence there or below, found none. "
            "Unpack the owners' archives (of 2017 the json files, not the .mat)."
        )
    images = find(raw, ("images",))
    target.place_pictures(images, "images", raw)


_NEEDS = "the archives of annotations (json) and pictures from posetrack.net"
POSETRACK17 = Preparation("pose", "posetrack17", "posetrack17", _NEEDS, partial(prepare, "posetrack17"))
POSETRACK18 = Preparation("pose", "posetrack18", "posetrack18", _NEEDS, partial(prepare, "posetrack18"))
