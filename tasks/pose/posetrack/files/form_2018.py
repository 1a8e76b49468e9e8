"""PoseTrack's form of 2018: COCO's, with track ids, head boxes, ignored regions, and 17 keypoints by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.pose.posetrack.files.fields import entries, numbers, picture_path, polygon, track_id, unique, whole_number
from tasks.pose.posetrack.files.frames import NO_SCORE, NUM_JOINTS, Frame, People, Video, people
from tasks.pose.skeletons.posetrack import POSETRACK

KEYPOINTS = (
    "nose", "head_bottom", "head_top", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
"""The names that the official files list: COCO's places, with neck and head top where COCO has the eyes. Ears are never given."""


def places_of(names: tuple[str, ...]) -> NDArray[np.intp]:
    """(15,) the place of each joint among `names`; the neck may be called head_bottom.

    Raises:
        ValueError: a joint is not among them.
    """
    known = {("neck" if name == "head_bottom" else name): place for place, name in enumerate(names)}
    missing = [name for name in POSETRACK.names if name not in known]
    if missing:
        raise ValueError(f"expected the keypoint {missing[0]!r} among {list(names)} but it is missing")
    return np.array([known[name] for name in POSETRACK.names])


PLACES = places_of(KEYPOINTS)


def read_2018(data: dict[str, Any], path: Path, truth: bool) -> Video:
    """A parsed file; `truth`: annotations, which need head boxes.

    Raises:
        ValueError: a record that cannot be used; the text names file, record and fix.
    """
    names = _keypoint_names(data, path)
    images = entries(data, "images", str(path))
    if len({entry.get("vid_id") for entry in images}) > 1:
        raise ValueError(f"{path}: expected the frames of one video but got several vid_id; give one file per sequence")
    ids = [whole_number(entry.get("id"), "an id", f"{path}, images[{row}]") for row, entry in enumerate(images)]
    unique(ids, "picture's id", f"{path}, images")
    by_frame: dict[int, list[dict[str, Any]]] = {name: [] for name in ids}
    for row, entry in enumerate(entries(data, "annotations", str(path)) if truth or "annotations" in data else []):
        name = entry.get("image_id")
        if not isinstance(name, int) or name not in by_frame:
            raise ValueError(
                f"{path}, annotations[{row}]: expected the image_id of a listed picture but got {str(name)[:40]!r}; "
                "the file is incomplete, write or fetch it again"
            )
        by_frame[name].append(entry)
    frames = [
        _frame(entry, by_frame[name], f"{path}, images[{row}] ({name})", names, truth)
        for row, (entry, name) in enumerate(zip(images, ids, strict=True))
    ]
    unique([frame.file for frame in frames], "picture", f"{path}, images")
    return Video(path.stem, tuple(frames), "2018")


def _keypoint_names(data: dict[str, Any], path: Path) -> NDArray[np.intp]:
    """Places of our joints among the file's; the number of the file's keypoints is appended."""
    categories = entries(data, "categories", str(path))
    if len(categories) != 1 or categories[0].get("name") != "person":
        listed = [entry.get("name") for entry in categories]
        raise ValueError(f"{path}: expected one category named 'person' but got {listed}; correct the categories")
    names = categories[0].get("keypoints")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{path}: expected the names of the keypoints in the category but got {str(names)[:60]!r}")
    try:
        return np.append(places_of(tuple(names)), len(names))
    except ValueError as error:
        raise ValueError(f"{path}, categories: {error}; correct the category's keypoints") from None


def _frame(
    entry: dict[str, Any], persons: list[dict[str, Any]], where: str, places: NDArray[np.intp], truth: bool
) -> Frame:
    xs, ys = entry.get("ignore_regions_x") or [], entry.get("ignore_regions_y") or []
    if not isinstance(xs, list) or not isinstance(ys, list) or len(xs) != len(ys):
        raise ValueError(f"{where}: expected ignore_regions_x and ignore_regions_y of equal length; correct them")
    if xs and not isinstance(xs[0], list):
        xs, ys = [xs], [ys]  # one region may stand without its list
    regions = tuple(polygon(x, y, f"{where}, region {row}") for row, (x, y) in enumerate(zip(xs, ys, strict=True)))
    found = [_person(person, f"{where}, person {row}", places, truth) for row, person in enumerate(persons)]
    return Frame(
        picture_path(entry.get("file_name"), where),
        int(entry["id"]),
        joined(found),
        regions if truth else (),
        bool(entry.get("is_labeled", True)),
    )


def _person(entry: dict[str, Any], where: str, places: NDArray[np.intp], truth: bool) -> People:
    count = int(places[-1])
    points = numbers(entry.get("keypoints"), 3 * count, "keypoints", where).reshape(count, 3)[places[:-1]]
    present = (points != 0).any(1)
    scores = np.full(NUM_JOINTS, NO_SCORE)
    if entry.get("scores"):
        scores = numbers(entry["scores"], count, "scores", where)[places[:-1]]
    head, box = np.zeros(4), np.full(4, np.nan)
    if entry.get("bbox_head") is not None:
        head = numbers(entry["bbox_head"], 4, "a head box (x, y, width, height)", where)
        head[2:] += head[:2]
    elif truth and present.any():
        raise ValueError(f"{where}: expected bbox_head but the record has none; distances are measured in head sizes")
    if entry.get("bbox") is not None:
        box = numbers(entry["bbox"], 4, "a box (x, y, width, height)", where)
    name = track_id(entry.get("track_id"), where)
    return people([name], points[None, :, :2], present[None], scores[None], head[None], boxes=box[None])


def joined(persons: list[People]) -> People:
    """Persons of one frame as one."""
    if not persons:
        return people()
    fields = ("ids", "xy", "present", "scores", "heads", "listed", "boxes")
    return People(*(np.concatenate([getattr(one, name) for one in persons]) for name in fields))


def written_2018(video: Video, found: list[People]) -> dict[str, Any]:
    """Predictions of a video, one `People` per frame, as 2018's file."""
    images, annotations = [], []
    for frame, persons in zip(video.frames, found, strict=True):
        images.append({"file_name": frame.file, "id": frame.image_id})
        for row in range(len(persons)):
            points, scores = np.zeros((len(KEYPOINTS), 3)), np.zeros(len(KEYPOINTS))
            present = persons.present[row]
            points[PLACES[present], :2], points[PLACES[present], 2] = persons.xy[row, present], 1
            scores[PLACES[present]] = persons.scores[row, present]
            annotations.append(
                {
                    "image_id": frame.image_id,
                    "id": frame.image_id * 100 + row,
                    "category_id": 1,
                    "track_id": int(persons.ids[row]),
                    "keypoints": points.reshape(-1).tolist(),
                    "scores": scores.tolist(),
                    "score": float(scores[PLACES[present]].mean()) if present.any() else 0.0,
                }
            )
    category = {"supercategory": "person", "id": 1, "name": "person", "keypoints": list(KEYPOINTS), "skeleton": []}
    return {"categories": [category], "images": images, "annotations": annotations}
