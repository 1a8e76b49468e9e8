"""COCO keypoints on disk: annotation files, detector boxes, the instance filter, result files. Torch-free.

Layout below the dataset's folder: annotations/person_keypoints_<split>.json (test sets: image_info_<split>.json),
images/<folder>/ or, as the official archives unpack, <folder>/, and person_detection_results/. Rules:
docs/protocols.md, section 3.
"""

from __future__ import annotations

import json
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.files.writing import write_text
from tasks.geometry import box_to_centre_scale
from tasks.pose.files.persons import Persons, finite_row, read_json, require_folder
from tasks.pose.joints import COCO
from tasks.pose.protocol import CocoProtocol

PERSON = 1
SPLITS = ("train2017", "val2017", "test-dev2017", "test2017")


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


def read_persons(root: Path, split: str, protocol: CocoProtocol) -> Persons:
    """The persons of a split with ground-truth or detector boxes.

    Raises:
        ValueError: a file or folder is missing, or a record is unusable; the text names file, record and fix.
    """
    path = annotation_path(root, split)
    data = read_json(path, "COCO keypoint annotations")
    pictures = pictures_of(data, path)
    if has_truth(split):
        require_categories(data, path)
    folder = image_folder(root, split)
    require_folder(root / folder, f"the pictures of {split}")
    if protocol.boxes == "detector":
        return _from_detector(root, split, protocol, pictures, folder)
    if not has_truth(split):
        raise ValueError(
            f"Expected detector boxes for {split}, which has no annotations; pass --protocol boxes=detector"
        )
    return _from_truth(root, path, data, pictures, folder, protocol)


def pictures_of(data: Any, path: Path) -> dict[Any, dict[str, Any]]:
    """An annotation file's pictures by their ids.

    Raises:
        ValueError: the file has no list of images, or a picture lacks a field.
    """
    if not isinstance(data, dict) or not isinstance(data.get("images"), list):
        kind = "a list (MPII's or a detector's form)" if isinstance(data, list) else "no list of images"
        raise ValueError(
            f"Expected COCO's form (images, annotations, categories) in {path} but got {kind}; check the file"
        )
    pictures: dict[Any, dict[str, Any]] = {}
    for row, picture in enumerate(data["images"]):
        _require_object(picture, f"{path}, images[{row}]")
        missing = [key for key in ("id", "file_name", "width", "height") if key not in picture]
        if missing:
            raise ValueError(
                f"{path}, images[{row}]: expected the field {missing[0]!r} but it is missing; fetch the file again"
            )
        finite_row([picture["width"], picture["height"]], 2, "a width and a height", f"{path}, images[{row}]")
        if not isinstance(picture["id"], int | str):
            raise ValueError(f"{path}, images[{row}]: expected an id (a number) but got {picture['id']!r}; correct it")
        pictures[picture["id"]] = picture
    return pictures


def require_categories(data: Any, path: Path) -> None:
    """Raises ValueError where an annotation file does not list the person among its categories: pycocotools judges by them."""
    listed = data.get("categories") if isinstance(data, dict) else None
    ids = [entry.get("id") for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    if PERSON not in ids:
        raise ValueError(
            f"Expected COCO's form in {path} with the person among its categories (a list with the id {PERSON}) but got "
            f"{str(listed)[:80]}; fetch the file again, or add it"
        )


def _require_object(entry: Any, where: str) -> None:
    """Raises ValueError where an entry of a list is no json object."""
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: expected an object {{...}} but got {str(entry)[:80]!r}; fetch the file again")


def _known_id(entry: dict[str, Any], known: Container[Any]) -> bool:
    """Whether an entry's image_id is that of a listed picture; a list or an object is none."""
    name = entry.get("image_id")
    return isinstance(name, int | str) and name in known


def _from_truth(
    root: Path,
    path: Path,
    data: dict[str, Any],
    pictures: dict[Any, dict[str, Any]],
    folder: str,
    protocol: CocoProtocol,
) -> Persons:
    if not isinstance(data.get("annotations"), list):
        raise ValueError(f"Expected COCO annotations in {path} but the field 'annotations' is missing; check the file")
    by_picture: dict[Any, list[dict[str, Any]]] = {name: [] for name in pictures}
    for line, annotation in enumerate(data["annotations"]):
        _require_object(annotation, f"{path}, annotations[{line}]")
        if not _known_id(annotation, pictures):
            raise ValueError(
                f"{path}, annotation {annotation.get('id')}: expected the id of a listed picture but got "
                f"{annotation.get('image_id')!r}; the file is incomplete, fetch it again"
            )
        if annotation.get("category_id", PERSON) == PERSON and not annotation.get("iscrowd", 0):
            by_picture[annotation["image_id"]].append(annotation)
    rows: list[tuple[int, Any, NDArray, NDArray, NDArray, NDArray, float]] = []
    aspect = protocol.input_wh[0] / protocol.input_wh[1]
    for index, (name, entries) in enumerate(by_picture.items()):
        for annotation in entries:
            where = f"{path}, annotation {annotation.get('id')}"
            box = kept_box(annotation, pictures[name], where)
            if box is None:
                continue
            points = finite_row(annotation["keypoints"], 3 * COCO.num_joints, "keypoints", where).reshape(-1, 3)
            centre, scale = _centre_scale(box, aspect, where)
            visible = np.minimum(points[:, 2], 1).astype(np.float32)
            rows.append((index, annotation.get("id"), centre, scale, points[:, :2], visible, float(annotation["area"])))
    files = tuple(f"{folder}/{picture['file_name']}" for picture in pictures.values())
    return _persons(root, path, files, pictures, rows, np.ones(len(rows)))


def kept_box(annotation: dict[str, Any], picture: dict[str, Any], where: str) -> NDArray[np.float64] | None:
    """The box (x, y, w, h) that the reference makes of an annotation, one pixel smaller and clipped, or None if it skips it.

    Raises:
        ValueError: the record lacks a field, or would be kept but its box has no size.
    """
    if "keypoints" not in annotation:
        raise ValueError(
            f"{where}: expected keypoints but the record has none; is this an instances file? Use person_keypoints_<split>.json"
        )
    if "bbox" not in annotation or "area" not in annotation:
        raise ValueError(
            f"{where}: expected the fields bbox and area but got {sorted(annotation)}; fetch the file again"
        )
    x, y, width, height = finite_row(annotation["bbox"], 4, "a box (x, y, width, height)", where)
    x1, y1 = max(0.0, x), max(0.0, y)
    x2 = min(picture["width"] - 1, x1 + max(0.0, width - 1))
    y2 = min(picture["height"] - 1, y1 + max(0.0, height - 1))
    labelled = max(finite_row(annotation["keypoints"], 3 * COCO.num_joints, "keypoints", where)) != 0
    area = float(finite_row(annotation["area"], 1, "an area", where)[0])
    if area <= 0 or x2 < x1 or y2 < y1 or not labelled:
        return None
    if width <= 0 or height <= 0:
        raise ValueError(
            f"{where}: expected a box with a size but got {annotation['bbox']}; correct or remove the record"
        )
    return np.array([x1, y1, x2 - x1, y2 - y1])


def _from_detector(
    root: Path, split: str, protocol: CocoProtocol, pictures: dict[Any, dict[str, Any]], folder: str
) -> Persons:
    path = boxes_path(root, split, protocol.boxes_file)
    boxes = read_json(path, "detector boxes")
    if not isinstance(boxes, list):
        raise ValueError(
            f"Expected a list of {{image_id, category_id, bbox, score}} in {path} but got a {type(boxes).__name__}"
        )
    rows_of = {name: row for row, name in enumerate(pictures)}
    aspect = protocol.input_wh[0] / protocol.input_wh[1]
    blank, none = np.zeros((COCO.num_joints, 2)), np.zeros(COCO.num_joints, dtype=np.float32)
    rows: list[tuple[int, Any, NDArray, NDArray, NDArray, NDArray, float]] = []
    scores: list[float] = []
    for line, box in enumerate(boxes):
        where = f"{path}, entry {line}"
        _require_object(box, where)
        missing = [key for key in ("image_id", "category_id", "bbox", "score") if key not in box]
        if missing:
            raise ValueError(
                f"{where}: expected the field {missing[0]!r} but got {sorted(box)}; check the detector's file"
            )
        if box["category_id"] != PERSON:
            continue
        score = float(finite_row(box["score"], 1, "a score", where)[0])
        if score < protocol.box_threshold:
            continue
        if not _known_id(box, rows_of):
            raise ValueError(
                f"{where}: expected a picture of {split} but got image_id {box['image_id']!r}; use the boxes of this split"
            )
        xywh = finite_row(box["bbox"], 4, "a box (x, y, width, height)", where)
        if (xywh[2:] <= 0).any():
            raise ValueError(f"{where}: expected a box with a size but got {box['bbox']}; correct or remove the entry")
        centre, scale = _centre_scale(xywh, aspect, where)
        rows.append((rows_of[box["image_id"]], line, centre, scale, blank, none, 0.0))
        scores.append(score)
    files = tuple(f"{folder}/{picture['file_name']}" for picture in pictures.values())
    return _persons(root, path, files, pictures, rows, np.array(scores))


def _centre_scale(box: ArrayLike, aspect: float, where: str) -> tuple[NDArray, NDArray]:
    try:
        return box_to_centre_scale(box, aspect)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _persons(
    root: Path,
    path: Path,
    files: tuple[str, ...],
    pictures: dict[Any, dict[str, Any]],
    rows: list[tuple],
    scores: NDArray[np.float64],
) -> Persons:
    count, joints = len(rows), COCO.num_joints
    return Persons(
        root=root,
        annotation=path,
        files=files,
        image_ids=tuple(pictures),
        image=np.array([row[0] for row in rows], dtype=np.int64),
        record=tuple(row[1] for row in rows),
        centres=np.array([row[2] for row in rows], dtype=np.float32).reshape(count, 2),
        scales=np.array([row[3] for row in rows], dtype=np.float32).reshape(count, 2),
        scores=np.asarray(scores, dtype=np.float64),
        joints=np.array([row[4] for row in rows], dtype=np.float64).reshape(count, joints, 2),
        visible=np.array([row[5] for row in rows], dtype=np.float32).reshape(count, joints),
        areas=np.array([row[6] for row in rows], dtype=np.float64),
        sizes_wh=tuple((int(picture["width"]), int(picture["height"])) for picture in pictures.values()),
    )


def results(image_ids: Sequence[Any], keypoints: ArrayLike, scores: ArrayLike) -> list[dict[str, Any]]:
    """COCO's result records of poses (M, 17, 3) in pixels with keypoint scores; `image_ids` and `scores` (M,)."""
    poses = np.asarray(keypoints, dtype=np.float64)
    return [
        {"image_id": image, "category_id": PERSON, "keypoints": pose.reshape(-1).tolist(), "score": float(score)}
        for image, pose, score in zip(image_ids, poses, np.asarray(scores), strict=True)
    ]


def write_results(path: Path, records: list[dict[str, Any]]) -> None:
    """Write a COCO result file."""
    write_text(path, json.dumps(records))
