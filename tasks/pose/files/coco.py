"""COCO keypoints on disk: annotation files, detector boxes, the instance filter, result files.

Layout below the dataset's folder: annotations/person_keypoints_<split>.json (test sets: image_info_<split>.json),
images/<folder>/ or, as the official archives unpack, <folder>/, and person_detection_results/. Rules:
reference/protocols.md, section 3.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.coco.detections import read_detections
from tasks.coco.keypoints import PERSON, Keypoints, read_keypoints
from tasks.files.writing import write_text
from tasks.geometry import boxes_to_centre_scale, boxes_to_centre_scale_mmpose
from tasks.pose.files.persons import Persons, require_folder
from tasks.pose.protocol import CocoProtocol, PoseProtocol
from tasks.pose.skeletons.coco import COCO
from tasks.pose.skeletons.joints import Skeleton

SPLITS = ("train2017", "val2017", "test-dev2017", "test2017")

ADVICE = "put the dataset in its official layout (tasks/pose/README.md) or correct --data-root and --split"


def has_truth(split: str) -> bool:
    """Whether a split has public annotations."""
    return "test" not in split


def annotation_path(root: Path, split: str) -> Path:
    """The split's annotation file (or, for a test set, its list of pictures)."""
    prefix = "person_keypoints" if has_truth(split) else "image_info"
    return root / "annotations" / f"{prefix}_{split}.json"


def image_folder(root: Path, split: str) -> str:
    """The pictures' folder relative to `root`: images/<name> or <name>; every test set reads test2017."""
    name = "test2017" if "test" in split else split
    return name if not (root / "images" / name).is_dir() and (root / name).is_dir() else f"images/{name}"


def expected_boxes(root: Path, split: str, boxes_file: str = "") -> Path:
    """Where the detector's boxes are, or where the official file would be if there is none.

    Raises:
        ValueError: the official place holds several.
    """
    folder = root / "person_detection_results"
    if boxes_file or list(folder.glob(f"COCO_{split}_detections_*_person.json")):
        return boxes_path(root, split, boxes_file)
    return folder / _official_boxes(split)


def boxes_beside(image: Path, annotated_only: bool) -> list[Path]:
    """Files of the layout that a picture lies in, which may know its persons: annotations first, then detections."""
    split = image.parent.name
    root = image.parent.parent.parent if image.parent.parent.name == "images" else image.parent.parent
    found = [root / "annotations" / f"person_keypoints_{split}.json"]
    if not annotated_only:
        found += sorted((root / "person_detection_results").glob(f"COCO_{split}_detections_*_person.json"))
    return found


def _official_boxes(split: str) -> str:
    """The authors' file; its name holds the detector's AP of persons."""
    return f"COCO_{split}_detections_AP_H_{'609' if split.startswith('test-dev') else '56'}_person.json"


def boxes_path(root: Path, split: str, boxes_file: str = "") -> Path:
    """The detector's boxes: `boxes_file` (below root where relative), else the official file of the split.

    Raises:
        ValueError: none was named, and the official place holds none or several.
    """
    if boxes_file:
        path = Path(boxes_file)
        return path if path.is_absolute() or not (root / path).exists() else root / path
    folder = root / "person_detection_results"
    found = sorted(folder.glob(f"COCO_{split}_detections_*_person.json"))
    if len(found) == 1:
        return found[0]
    expected = folder / _official_boxes(split)
    if not found:
        raise ValueError(
            f"Expected detector boxes at {expected} but there is no such file; fetch it from the HRNet repository's links, "
            "name another file with --protocol boxes_file=FILE, or evaluate with --protocol boxes=gt"
        )
    raise ValueError(
        f"Expected one detector-box file in {folder} but got {[path.name for path in found]}; choose with "
        "--protocol boxes_file=FILE"
    )


class CocoFiles:
    """Where COCO's keypoints lie, and how they are read; datasets of one's own in this form have places of their own."""

    skeleton: Skeleton = COCO

    def has_truth(self, split: str) -> bool:
        """Whether a split has annotations."""
        return has_truth(split)

    def annotation_path(self, root: Path, split: str) -> Path:
        """The split's annotation file."""
        return annotation_path(root, split)

    def image_folder(self, root: Path, split: str) -> str:
        """The pictures' folder relative to `root`."""
        return image_folder(root, split)

    def boxes_path(self, root: Path, split: str, boxes_file: str) -> Path:
        """The detector's boxes; raises ValueError where none or several are there."""
        return boxes_path(root, split, boxes_file)

    def files(self, root: Path, split: str, protocol: PoseProtocol) -> list[Path]:
        """What identifies a split's data: its annotations, and the detector's boxes where they are looked at."""
        found = [self.annotation_path(root, split)]
        if isinstance(protocol, CocoProtocol) and protocol.boxes == "detector" and split != "train2017":
            found.append(expected_boxes(root, split, protocol.boxes_file))
        return found

    def read_truth(self, root: Path, split: str) -> Keypoints:
        """The checked annotation file of a split (of a test set: its pictures)."""
        path = self.annotation_path(root, split)
        return read_keypoints(path, self.skeleton.names, self.has_truth(split), ADVICE)


OFFICIAL = CocoFiles()


def read_persons(root: Path, split: str, protocol: CocoProtocol, places: CocoFiles = OFFICIAL) -> Persons:
    """The persons of a split with ground-truth or detector boxes.

    Raises:
        ValueError: a file or folder is missing, or a record is unusable; the text names file, record and fix.
    """
    if not places.has_truth(split) and protocol.boxes != "detector":
        raise ValueError(
            f"Expected detector boxes for {split}, which has no annotations; pass --protocol boxes=detector"
        )
    truth = places.read_truth(root, split)
    folder = places.image_folder(root, split)
    require_folder(root / folder, f"the pictures of {split}")
    if protocol.boxes == "detector":
        return _from_detector(root, split, protocol, truth, folder, places)
    return _from_truth(root, truth, folder, protocol)


def require_areas(truth: Keypoints) -> None:
    """Raises ValueError where persons are to be scored and none of them has an area."""
    scored = (truth.labelled > 0) & ~truth.crowd
    if scored.any() and not (truth.areas[scored] > 0).any():
        raise ValueError(
            f"{truth.path}: expected the persons' area, got none of {int(scored.sum())} (missing, null or 0): OKS has no scale "
            "without it; write the segment's area, or a share of the box's that you state"
        )


def _from_truth(root: Path, truth: Keypoints, folder: str, protocol: CocoProtocol) -> Persons:
    # A file without any area says nothing about its persons; one that has areas leaves out those of 0, as the reference does.
    has_areas = bool((truth.areas > 0).any())
    area = ~(truth.areas <= 0) if has_areas else np.ones(len(truth), bool)
    boxes, kept = kept_boxes(truth.boxes, truth.points, truth.pictures.sizes_wh[truth.image], protocol.box_rule)
    rows = np.flatnonzero(kept & area & ~truth.crowd)
    if not len(rows):
        raise ValueError(
            f"{truth.path}: expected persons with labelled joints and a box in their picture, got none among {len(truth)} "
            "annotations; use a split with keypoint annotations"
        )
    for row in rows[~(truth.boxes[rows, 2:] > 0).all(1)][:1]:
        box = truth.boxes[row].tolist()
        raise ValueError(f"{truth.where(row)}: expected a box with a size but got {box}; correct or remove the record")
    for row in rows[(boxes[rows, 2:] == 0).all(1)][:1]:
        raise ValueError(
            f"{truth.where(row)}: expected a box of more than one pixel in its picture but got {truth.boxes[row].tolist()}; "
            "correct or remove the record"
        )
    centres, scales = centres_and_scales(boxes[rows], protocol)
    return Persons(
        root=root,
        annotation=truth.path,
        files=tuple(f"{folder}/{name}" for name in truth.pictures.names),
        image_ids=truth.pictures.ids,
        image=truth.image[rows].astype(np.int64),
        record=tuple(truth.ids[row] for row in rows.tolist()),
        centres=centres,
        scales=scales,
        scores=np.ones(len(rows)),
        joints=truth.points[rows, :, :2],
        visible=np.minimum(truth.points[rows, :, 2], 1).astype(np.float32),
        areas=np.nan_to_num(truth.areas[rows]),
        sizes_wh=truth.pictures.sizes_wh,
        truth=truth,
        notes=truth.notes,
    )


def kept_boxes(
    boxes: NDArray[np.float64], points: NDArray[np.float64], sizes_wh: NDArray[np.integer], rule: str = "hrnet"
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The boxes (N, 4) that the reference makes of annotations, one pixel smaller and clipped, and which of them it keeps.

    Args:
        boxes: (N, 4) x, y, w, h px. points: (N, J, 3). sizes_wh: (N, 2) of their pictures.
        rule: "hrnet", or "mmpose", which clips alone and keeps a box that clipping leaves a side of.
    """
    low = np.maximum(0.0, boxes[:, :2])
    high = np.minimum(sizes_wh - 1, low + np.maximum(0.0, boxes[:, 2:] - 1))
    labelled = points.max((1, 2), initial=-np.inf) != 0
    if rule == "mmpose":
        low = np.minimum(sizes_wh - 1, low)
        high = np.clip(boxes[:, :2] + boxes[:, 2:], 0.0, sizes_wh - 1)
        return np.concatenate([low, high - low], 1), (high > low).any(1) & labelled
    return np.concatenate([low, high - low], 1), (high >= low).all(1) & labelled


def centres_and_scales(boxes: NDArray[np.float64], protocol: CocoProtocol) -> tuple[NDArray, NDArray]:
    """Centres and scales (N, 2) of boxes (N, 4) x, y, w, h px, padded and grown by the protocol's rule."""
    aspect = protocol.input_wh[0] / protocol.input_wh[1]
    made = boxes_to_centre_scale_mmpose if protocol.box_rule == "mmpose" else boxes_to_centre_scale
    return made(boxes, aspect)


def _from_detector(
    root: Path, split: str, protocol: CocoProtocol, truth: Keypoints, folder: str, places: CocoFiles
) -> Persons:
    pictures = truth.pictures
    found = read_detections(
        places.boxes_path(root, split, protocol.boxes_file), pictures, truth.person, split, protocol.box_threshold
    )
    count = len(found.scores)
    none = (
        ()
        if count
        else (f"{found.path.name} has no box above box_threshold={protocol.box_threshold:g}: no pose is predicted",)
    )
    centres, scales = centres_and_scales(found.boxes, protocol)
    return Persons(
        root=root,
        annotation=found.path,
        files=tuple(f"{folder}/{name}" for name in pictures.names),
        image_ids=pictures.ids,
        image=found.image,
        record=tuple(found.entry.tolist()),
        centres=centres,
        scales=scales,
        scores=found.scores,
        joints=np.zeros((count, places.skeleton.num_joints, 2)),
        visible=np.zeros((count, places.skeleton.num_joints), np.float32),
        areas=np.zeros(count),
        sizes_wh=pictures.sizes_wh,
        truth=truth if places.has_truth(split) else None,
        notes=(*truth.notes, *found.notes, *none),
    )


def results(
    image_ids: Sequence[Any], keypoints: ArrayLike, scores: ArrayLike, category: int = PERSON
) -> list[dict[str, Any]]:
    """COCO's result records of poses (M, J, 3) in pixels with keypoint scores; `image_ids` and `scores` (M,)."""
    poses = np.asarray(keypoints, dtype=np.float64)
    return [
        {"image_id": image, "category_id": category, "keypoints": pose.reshape(-1).tolist(), "score": float(score)}
        for image, pose, score in zip(image_ids, poses, np.asarray(scores), strict=True)
    ]


def write_results(path: Path, records: list[dict[str, Any]]) -> None:
    """Write a COCO result file."""
    write_text(path, json.dumps(records))
