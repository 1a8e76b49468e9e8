"""Poses of whole pictures for the ``predict`` verb: where the boxes come from, and the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tasks.geometry import box_to_centre_scale
from tasks.images import read_image
from tasks.pose.datasets import check_protocol, person_inputs
from tasks.pose.drawing import draw_pose, person_colour
from tasks.pose.files.coco import PERSON
from tasks.pose.files.persons import finite_row, read_json
from tasks.pose.joints import SKELETONS, check_joints
from tasks.pose.protocol import PoseProtocol

if TYPE_CHECKING:
    from torch import nn

    from tasks.base import Task

SHOWN_SCORE = 0.1


def predict_pictures(
    task: Task,
    model: nn.Module,
    dataset: str,
    images: Sequence[Path],
    protocol: PoseProtocol,
    boxes: str | Path | None = None,
    min_score: float = 0.3,
) -> list[tuple[NDArray[np.uint8], dict[str, Any]]]:
    """For every file: the RGB picture with its skeletons, and {image, boxes_from, persons: [{box, keypoints, score}]}.

    Raises:
        ValueError: a picture or the box file cannot be read.
    """
    import torch

    check_protocol(protocol)
    skeleton = SKELETONS[dataset]
    check_joints(model, skeleton)
    device = next(model.parameters()).device
    model.eval()
    made: list[tuple[NDArray[np.uint8], dict[str, Any]]] = []
    for image in map(Path, images):
        picture = read_image(image.parent, image.name)
        found, origin = picture_boxes(image, picture.shape[1], picture.shape[0], boxes, float(min_score))
        seen = picture if protocol.colour == "rgb" else np.ascontiguousarray(picture[..., ::-1])
        aspect = protocol.input_wh[0] / protocol.input_wh[1]
        canvas, persons = picture.copy(), []
        framed = [box_to_centre_scale(box, aspect) for box in found]
        for start in range(0, len(found), 16):
            part = framed[start : start + 16]
            batch = {
                "images": torch.from_numpy(np.stack([person_inputs(seen, c, s, protocol) for c, s in part])).to(device),
                "centre": np.stack([centre for centre, _ in part]),
                "scale": np.stack([scale for _, scale in part]),
            }
            with torch.inference_mode():
                poses = task.predict(model, batch, protocol)
            for offset, pose in enumerate(poses):
                number = start + offset
                shown = pose[:, 2] > SHOWN_SCORE * min(1.0, float(pose[:, 2].max()))
                size = float(found[number][3])
                canvas = draw_pose(canvas, pose[:, :2], shown, skeleton, person_colour(number), size)
                box = [round(float(value), 2) for value in found[number]]
                persons.append({"box": box, "keypoints": pose.tolist(), "score": float(pose[:, 2].mean())})
        made.append((canvas, {"image": str(image), "boxes_from": origin, "persons": persons}))
    return made


def picture_boxes(
    image: Path, width: int, height: int, boxes: str | Path | None, min_score: float
) -> tuple[list[NDArray[np.float64]], str]:
    """Person boxes (x, y, w, h) of a picture and where they come from.

    In this order: the file `boxes`; the annotations, then the detections of the COCO-form dataset that the picture lies in; the
    whole picture.

    Raises:
        ValueError: the file `boxes` does not know the picture. One that lists it without a person gives no boxes.
    """
    if boxes is not None:
        named = boxes_in_file(Path(boxes), image, min_score)
        if named is None:
            raise ValueError(
                f"Expected person boxes of {image.name} in {boxes} but it names none; add an entry, or leave out --boxes"
            )
        return named, str(boxes)
    split = image.parent.name
    root = image.parent.parent.parent if image.parent.parent.name == "images" else image.parent.parent
    candidates = [root / "annotations" / f"person_keypoints_{split}.json"]
    candidates += sorted((root / "person_detection_results").glob(f"COCO_{split}_detections_*_person.json"))
    for path in candidates:
        if path.is_file():
            found = boxes_in_file(path, image, min_score)
            if found:
                return found, str(path)
    return [np.array([0.0, 0.0, width, height])], "the whole picture"


def boxes_in_file(path: Path, image: Path, min_score: float) -> list[NDArray[np.float64]] | None:
    """A picture's person boxes in a COCO annotation file, or in a list of detections {image_id, bbox, score}.

    None where the file does not know the picture: no image of its name, no detection of its id.

    Raises:
        ValueError: the file is missing or of another form.
    """
    data = read_json(path, "person boxes")
    known = False
    if isinstance(data, dict) and isinstance(data.get("annotations"), list):
        listed = [entry for entry in data.get("images", []) if isinstance(entry, dict)]
        ids = {entry.get("id") for entry in listed if Path(str(entry.get("file_name"))).name == image.name}
        known = bool(ids)
        entries = [entry for entry in data["annotations"] if not (isinstance(entry, dict) and entry.get("iscrowd"))]
    elif isinstance(data, list):
        # Detections name pictures by id, which COCO's file names carry.
        ids, entries = {image.name, image.stem}, data
        if image.stem.rpartition("_")[2].isdigit():
            ids.add(int(image.stem.rpartition("_")[2]))  # type: ignore[arg-type]
    else:
        raise ValueError(f"Expected COCO annotations or a list of detections in {path}, got neither; check --boxes")
    found = []
    for line, entry in enumerate(entries):
        if not isinstance(entry, dict) or "bbox" not in entry or "image_id" not in entry:
            raise ValueError(f"{path}, entry {line}: expected the fields image_id and bbox; check the file")
        if not isinstance(entry["image_id"], int | str):
            raise ValueError(
                f"{path}, entry {line}: expected an image_id but got {entry['image_id']!r}; check the file"
            )
        if entry["image_id"] not in ids:
            continue
        known = True
        if entry.get("category_id", PERSON) != PERSON:
            continue
        if finite_row(entry.get("score", 1.0), 1, "a score", f"{path}, entry {line}")[0] >= min_score:
            box = finite_row(entry["bbox"], 4, "a box (x, y, width, height)", f"{path}, entry {line}")
            if (box[2:] > 1).all():
                found.append(box)
    return found if known else None
