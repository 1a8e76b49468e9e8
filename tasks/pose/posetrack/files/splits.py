"""PoseTrack on disk: which files make a split, and one checked reading for both forms of file.

Layout below the dataset's folder: annotations/{train,val,test}/<sequence>.json, one video each, and pictures at the paths that
the files name (images/...). Files are in the form of 2018 (COCO's, see `form_2018`) or of 2017 (`form_2017`); the reader
tells them apart by their content.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tasks.files.json_file import read_json
from tasks.pose.posetrack.files.form_2017 import read_2017
from tasks.pose.posetrack.files.form_2018 import read_2018
from tasks.pose.posetrack.files.frames import Video

SPLITS = ("train", "val", "test")
_FOLDER = re.compile(r"^(\d{1,6})_(mpii|bonn|mpiinew)(_|$)")
_ORIGIN = {"mpii": 1, "bonn": 2, "mpiinew": 3}


def has_truth(split: str) -> bool:
    """Whether a split has public annotations."""
    return split != "test"


def sequence_files(root: Path, split: str) -> list[Path]:
    """The split's annotation files, sorted; where there is none, a path that does not exist and says what was expected."""
    folder = Path(root) / "annotations" / split
    return sorted(folder.glob("*.json")) or [folder / "<sequence>.json"]


def read_split(root: Path, split: str) -> list[Video]:
    """Every video of a split, sorted by its file's name.

    Raises:
        ValueError: there is none, or a file is unusable; the text names file, record and fix.
    """
    files = sequence_files(root, split)
    if not files[0].exists():
        raise ValueError(
            f"Expected PoseTrack annotations, one json per sequence, in {files[0].parent} but there is none; put the dataset "
            "in its official layout (tasks/pose/README.md) or correct --data-root and --split"
        )
    return [read_video(path, truth=has_truth(split)) for path in files]


def read_video(path: Path, truth: bool) -> Video:
    """One file, annotated (`truth`) or predicted.

    Raises:
        ValueError: the file is missing, of neither form, or holds a record that cannot be used.
    """
    what = "PoseTrack annotations" if truth else "PoseTrack predictions"
    data = read_json(path, dict[str, Any], what, "put the dataset in its official layout (tasks/pose/README.md)")
    if isinstance(data.get("annolist"), list):
        return read_2017(data, path, truth, official_image_id)
    if isinstance(data.get("images"), list):
        return read_2018(data, path, truth)
    held = ", ".join(sorted(data)[:8]) or "an empty object"
    raise ValueError(
        f"Expected PoseTrack's form in {path} (images, annotations, categories of 2018, or annolist of 2017) but got {held}; "
        "give one file per sequence"
    )


def official_image_id(file: str, number: int) -> int:
    """2018's id of a picture from its path: origin x 10^10 + sequence x 10^4 + frame; `number` where its folder tells none."""
    parts = Path(file).parts
    found = _FOLDER.match(parts[-2]) if len(parts) > 1 else None
    digits = re.match(r"^(\d{1,8})", parts[-1]) if parts else None
    if found is None or digits is None or int(digits[1]) >= 10_000:
        return number
    return _ORIGIN[found[2]] * 10**10 + int(found[1]) * 10**4 + int(digits[1])


def expected_boxes(root: Path, dataset: str, split: str, boxes_file: str = "") -> Path:
    """The detector's boxes: `boxes_file` (below root where relative), else the usual file's place."""
    if boxes_file:
        path = Path(boxes_file)
        return path if path.is_absolute() or not (Path(root) / path).exists() else Path(root) / path
    return Path(root) / "annotations" / f"{dataset}_{split}_human_detections.json"


def files_of(root: Path, dataset: str, split: str, detector: bool, boxes_file: str = "") -> list[Path]:
    """The files that identify a split's data: its annotations, and the detector's boxes where they are looked at."""
    boxes = detector and split != "train"
    return [*sequence_files(root, split), *([expected_boxes(root, dataset, split, boxes_file)] if boxes else [])]


def network_outputs(wanted: int) -> int:
    """How many heat maps a network for PoseTrack has: 15, or 17 in COCO's or 2018's places.

    Raises:
        ValueError: another number.
    """
    if wanted not in (15, 17):
        raise ValueError(
            f"Expected num_joints of 15 (PoseTrack's joints) or 17 (the keypoints of 2018's files, or COCO's) but got {wanted}"
        )
    return int(wanted)
