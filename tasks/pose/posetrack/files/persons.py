"""Persons of PoseTrack's annotations as samples: their boxes, and a detector's boxes by picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.files.json_file import read_json
from tasks.geometry import box_to_centre_scale, xywh_to_xyxy, xyxy_to_xywh
from tasks.pose.files.persons import Persons
from tasks.pose.posetrack.boxes import box_around
from tasks.pose.posetrack.files.fields import numbers
from tasks.pose.posetrack.files.frames import People, Video
from tasks.pose.posetrack.files.splits import expected_boxes, has_truth, read_split
from tasks.pose.posetrack.protocol import PoseTrackProtocol
from tasks.pose.skeletons.posetrack import POSETRACK

PERSON = 1
Boxes = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Corners (N, 4) x1, y1, x2, y2 px and scores (N,)."""


def annotated_boxes(persons: People, protocol: PoseTrackProtocol) -> NDArray[np.float64]:
    """(N, 4) x1, y1, x2, y2 of annotated persons; NaN for one without an extent (fewer than two joints), or without a box in the
    file where its boxes are wanted."""
    if protocol.truth_box == "file":
        boxes = xywh_to_xyxy(persons.boxes)
    else:
        boxes = np.full((len(persons), 4), np.nan)
        for row in np.flatnonzero(persons.present.any(1)):
            boxes[row] = box_around(persons.xy[row, persons.present[row]], protocol.box_margin)
    boxes[~((boxes[:, 2:] - boxes[:, :2]) > 0).all(1)] = np.nan
    return boxes


def read_persons(root: Path, split: str, protocol: PoseTrackProtocol) -> Persons:
    """Every annotated person of a split with a box, in the files' order: what is trained on.

    Raises:
        ValueError: a file is missing or unusable, the split has no annotations, or nobody of it has a box.
    """
    if not has_truth(split):
        raise ValueError(f"Expected a split with annotations to train on but got {split}; choose train or val")
    videos = read_split(root, split)
    frames = [frame for video in videos for frame in video.frames]
    aspect = protocol.input_wh[0] / protocol.input_wh[1]
    rows: list[tuple[Any, ...]] = []
    for number, frame in enumerate(frames):
        for row, box in enumerate(annotated_boxes(frame.people, protocol)):
            if np.isnan(box).any() or not frame.people.present[row].any():
                continue
            xywh = xyxy_to_xywh(box)
            centre, scale = box_to_centre_scale(xywh, aspect)
            found = frame.people
            rows.append(
                (number, int(found.ids[row]), centre, scale, found.xy[row], found.present[row], xywh[2] * xywh[3])
            )
    if not rows:
        raise ValueError(
            f"Expected annotated persons with a box in {Path(root) / 'annotations' / split} but there is none; check the files, "
            "or take the joints' boxes (--protocol truth_box=joints)"
        )
    count, joints = len(rows), POSETRACK.num_joints
    return Persons(
        root=Path(root),
        annotation=Path(root) / "annotations" / split,
        files=tuple(frame.file for frame in frames),
        image_ids=tuple(frame.image_id for frame in frames),
        image=np.array([row[0] for row in rows], dtype=np.int64),
        record=tuple(f"track {row[1]}" for row in rows),
        centres=np.array([row[2] for row in rows], dtype=np.float32).reshape(count, 2),
        scales=np.array([row[3] for row in rows], dtype=np.float32).reshape(count, 2),
        scores=np.ones(count),
        joints=np.array([row[4] for row in rows], dtype=np.float64).reshape(count, joints, 2),
        visible=np.array([row[5] for row in rows], dtype=np.float32).reshape(count, joints),
        areas=np.array([row[6] for row in rows], dtype=np.float64),
    )


def boxes_of(
    root: Path, dataset: str, split: str, videos: list[Video], protocol: PoseTrackProtocol
) -> list[list[Boxes]]:
    """For every video, for every frame: the boxes to begin with, annotated or a detector's.

    Raises:
        ValueError: the detector's file is missing or unusable; or annotated boxes of a split without annotations.
    """
    if protocol.boxes == "detector":
        return _detected(expected_boxes(root, dataset, split, protocol.boxes_file), split, videos, protocol)
    if not has_truth(split):
        raise ValueError(
            f"Expected detector boxes for {split}, which has no annotations; pass --protocol boxes=detector"
        )
    made: list[list[Boxes]] = []
    for video in videos:
        made.append([])
        for frame in video.frames:
            boxes = annotated_boxes(frame.people, protocol)
            boxes = boxes[~np.isnan(boxes).any(1)]
            made[-1].append((boxes, np.ones(len(boxes))))
    return made


def _detected(path: Path, split: str, videos: list[Video], protocol: PoseTrackProtocol) -> list[list[Boxes]]:
    advice = "name another with --protocol boxes_file=FILE, or evaluate with --protocol boxes=gt"
    records = read_json(path, list[dict[str, Any]], "detector boxes", advice)
    places = {
        frame.image_id: (number, row) for number, video in enumerate(videos) for row, frame in enumerate(video.frames)
    }
    found: list[list[list[tuple[NDArray[np.float64], float]]]] = [[[] for _ in video.frames] for video in videos]
    for line, record in enumerate(records):
        where = f"{path}, entry {line}"
        missing = [key for key in ("image_id", "bbox", "score") if key not in record]
        if missing:
            raise ValueError(
                f"{where}: expected the field {missing[0]!r} but got {sorted(record)}; check the detector's file"
            )
        if record.get("category_id", PERSON) != PERSON:
            continue
        score = float(numbers(record["score"], 1, "a score", where)[0])
        if score < protocol.box_threshold:
            continue
        name = record["image_id"]
        if not isinstance(name, int) or name not in places:
            raise ValueError(
                f"{where}: expected a picture of {split} but got image_id {str(name)[:40]!r}; use the boxes of this split"
            )
        xywh = numbers(record["bbox"], 4, "a box (x, y, width, height)", where)
        if (xywh[2:] <= 0).any():
            raise ValueError(
                f"{where}: expected a box with a size but got {record['bbox']}; correct or remove the entry"
            )
        number, row = places[name]
        found[number][row].append((xywh_to_xyxy(xywh), score))
    return [[_arrays(entries) for entries in video] for video in found]


def _arrays(entries: list[tuple[NDArray[np.float64], float]]) -> Boxes:
    return np.array([box for box, _ in entries]).reshape(-1, 4), np.array([score for _, score in entries], dtype=float)
