"""Embedded videos in the layout of PoseTrack 2018: one json per sequence, pictures, a detector's boxes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.synthetic.people.figure.body import JOINT_INDEX
from benchmarks.synthetic.people.people import RenderedPerson
from benchmarks.synthetic.people.video import VideoFrame, render_video

VERSION = 1
SIZES = {"smoke": {"train": 3, "val": 2}, "embedded": {"train": 120, "val": 10}}
"""Videos by tier and split. Those of training have 3 labelled frames, of validation 14, of which most are labelled."""

SPLITS = {"train": 0, "val": 1}
SIZE_WH = (240, 160)
LENGTHS = {"train": (3, 5), "val": (14, 1)}
"""Frames of a video by split, and how many steps of 1 / 12.5 s lie between them."""
KEYPOINTS = (
    "nose", "head_bottom", "head_top", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
"""The official files' names and order. Ears are never labelled."""
_JOINTS = [JOINT_INDEX[{"head_bottom": "upper_neck"}.get(name, name)] for name in KEYPOINTS]
_LABELLED = np.array([not name.endswith("_ear") for name in KEYPOINTS])
_STREAM = 31
_JPEG_QUALITY = 90
_LEAST_SEEN = 0.12
"""Somebody of whom less is seen has no label."""


def write(root: Path, sizes: dict[str, int], seed: int) -> None:
    """Write the dataset below `root`: annotations/<split>/, images/<split>/, annotations/posetrack18_val_human_detections.json.

    Video k of a split depends on (seed, split, k) alone. `sizes` maps "train" and "val" to numbers of videos.
    """
    for split, count in sizes.items():
        folder = root / "annotations" / split
        folder.mkdir(parents=True)
        detections: list[dict[str, Any]] = []
        for number in range(count):
            name = f"{number + 1:06d}_bonn_{'train' if split == 'train' else 'test'}"
            rng = np.random.default_rng([seed, _STREAM, SPLITS[split], number])
            length, every = LENGTHS[split]
            frames = render_video(rng, SIZE_WH, length, every)
            _write_pictures(root / "images" / split / name, frames)
            document = annotate(frames, split, name, number + 1, rng)
            (folder / f"{name}.json").write_text(json.dumps(document, separators=(",", ":")))
            if split != "train":
                detections += detector_boxes(frames, [image["id"] for image in document["images"]], rng)
        if detections:
            path = root / "annotations" / f"posetrack18_{split}_human_detections.json"
            path.write_text(json.dumps(detections, separators=(",", ":")))


def _write_pictures(folder: Path, frames: list[VideoFrame]) -> None:
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        path = folder / f"{number:06d}.jpg"
        cv2.imwrite(str(path), frame.image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])


def labelled(number: int, length: int) -> bool:
    """Whether a frame has labels: those in the middle of a video, and every fourth, as in the official validation set."""
    return length < 8 or number % 4 == 0 or length / 4 <= number < 3 * length / 4


def annotate(
    frames: list[VideoFrame], split: str, name: str, sequence: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Return a video's annotation file."""
    images, annotations = [], []
    for number, frame in enumerate(frames):
        image_id = 2 * 10**10 + sequence * 10**4 + number
        group = frame.group
        images.append(
            {
                "has_no_densepose": True,
                "is_labeled": labelled(number, len(frames)),
                "file_name": f"images/{split}/{name}/{number:06d}.jpg",
                "nframes": len(frames),
                "frame_id": image_id,
                "vid_id": f"{sequence:06d}",
                "ignore_regions_x": [] if group is None else [[group[0], group[2], group[2], group[0]]],
                "ignore_regions_y": [] if group is None else [[group[1], group[1], group[3], group[3]]],
                "id": image_id,
            }
        )
        if not labelled(number, len(frames)):
            continue
        for track, person in frame.people.items():
            record = _person(person, rng)
            if record is not None:
                own = {"image_id": image_id, "id": image_id * 100 + track, "track_id": track, "category_id": 1}
                annotations.append({**record, **own})
    category = {"supercategory": "person", "id": 1, "name": "person", "keypoints": list(KEYPOINTS), "skeleton": []}
    return {"categories": [category], "images": images, "annotations": annotations}


def _person(person: RenderedPerson, rng: np.random.Generator) -> dict[str, Any] | None:
    """Return one person's label, or None where too little is seen.

    A joint has a label where it is seen, mostly where the person's own body hides it, and half the time where somebody else does.
    """
    skipped = rng.random(len(KEYPOINTS))
    if person.full_area == 0 or person.mask.sum() < max(30, _LEAST_SEEN * person.full_area):
        return None
    seen, own, inside = (part[_JOINTS] for part in (person.visible, person.unhidden, person.inside))
    shown = _LABELLED & inside & (seen | (~own & (skipped < 0.8)) | (own & ~seen & (skipped < 0.5)))
    points = np.where(shown[:, None], np.round(person.joints[_JOINTS], 2), 0.0)
    table = np.concatenate([points, (shown & seen)[:, None].astype(float)], axis=1)
    if shown.sum() < 2:
        return None
    low, high = points[shown].min(0), points[shown].max(0)
    grown = 0.15 * (high - low)
    box = [*(low - grown), *(high - low + 2 * grown)]
    head = [*person.head_box[:2], *(person.head_box[2:] - person.head_box[:2])]
    return {
        "bbox": [round(float(value), 2) for value in box],
        "bbox_head": [round(float(value), 2) for value in head],
        "keypoints": [float(value) for value in table.reshape(-1)],
        "scores": [],
    }


def detector_boxes(frames: list[VideoFrame], ids: list[int], rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return what a middling detector would find: shifted boxes, misses (more of hidden people), doubles, false alarms."""
    found: list[dict[str, Any]] = []
    for frame, image_id in zip(frames, ids, strict=True):
        boxes: list[tuple[np.ndarray, float]] = []
        for person in frame.people.values():
            seen = person.mask.sum() / max(1, person.full_area)
            missed = rng.random() < np.interp(seen, (0.25, 0.7, 1.0), (1.0, 0.2, 0.06))
            if missed or person.mask.sum() < 60:
                continue
            rows, columns = np.flatnonzero(person.mask.any(1)), np.flatnonzero(person.mask.any(0))
            truth = np.array((columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1), float)
            for attempt in range(1 + int(rng.random() < 0.12)):
                box = truth + rng.normal(0, 0.03 + 0.04 * attempt, 4) * np.tile(truth[2:], 2)
                score = 0.6 + 0.37 * seen - 0.25 * attempt + rng.normal(0, 0.05)
                boxes.append((np.maximum(box, (-20, -20, 4, 4)), score))
        if rng.random() < 0.08:
            high = rng.uniform(50, 110)
            corner = rng.uniform((0, 0), (SIZE_WH[0] - high / 2, SIZE_WH[1] - high / 2))
            boxes.append((np.array((*corner, 0.45 * high, high)), rng.uniform(0.1, 0.6)))
        for box, score in boxes:
            rounded = [round(float(value), 2) for value in box]
            score = round(float(np.clip(score, 0.01, 0.99)), 4)
            found.append({"image_id": image_id, "category_id": 1, "bbox": rounded, "score": score})
    return found
