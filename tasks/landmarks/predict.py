"""Landmarks of whole pictures for the ``predict`` verb: where the face boxes come from, and the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tasks.images import read_image
from tasks.landmarks.datasets import face_input
from tasks.landmarks.drawing import draw_points
from tasks.landmarks.entries.entry import Entry
from tasks.landmarks.files.boxes_csv import Box, boxes_in_csv
from tasks.landmarks.files.faces import landmark_boxes
from tasks.landmarks.protocol import LandmarkProtocol, check_protocol

if TYPE_CHECKING:
    from torch import nn

    from tasks.base import Task

SEARCH_ROUNDS = 3


def predict_pictures(
    task: Task,
    model: nn.Module,
    entry: Entry,
    images: Sequence[Path],
    protocol: LandmarkProtocol,
    boxes: str | Path | None = None,
) -> list[tuple[NDArray[np.uint8], dict[str, Any]]]:
    """For every file: the RGB picture with its points, and {image, boxes_from, faces: [{box, points}]}, points 1-based.

    Boxes come from the csv `boxes` (a face csv of any mark-up, or lines `image_name,x0,y0,x1,y1`); else from the face
    csv of the dataset folder that the picture lies in; else the search starts from the whole picture and follows the
    points found, which suits pictures of one large face.

    Raises:
        ValueError: a picture or the box file cannot be read, or names no box for a picture.
    """
    check_protocol(protocol)
    model.eval()
    made = []
    for image in map(Path, images):
        picture = read_image(image.parent, image.name)
        found, origin = picture_boxes(image, boxes)
        canvas, faces = picture, []
        if not found:
            height, width = picture.shape[:2]
            box: Box = (np.array([(width + 1) / 2, (height + 1) / 2]), max(width, height) / 200 / protocol.padding)
            for _ in range(SEARCH_ROUNDS):
                points = _points(task, model, entry, picture, box, protocol)
                centres, scales = landmark_boxes(points[None, :, :2])
                # Points that collapsed onto one spot give no box to follow.
                if not scales[0] * 200 > 0.02 * max(width, height):
                    break
                box = (centres[0], float(scales[0]))
            found = [box]
        for centre, scale in found:
            points = _points(task, model, entry, picture, (centre, scale), protocol)
            canvas = draw_points(canvas, points, entry.markup)
            half = scale * 100
            faces.append(
                {
                    "box": [round(float(v), 2) for v in (*(centre - half), *(centre + half))],
                    "points": points[:, :2].round(3).tolist(),
                    "scores": points[:, 2].round(4).tolist(),
                }
            )
        made.append((canvas, {"image": str(image), "boxes_from": origin, "faces": faces}))
    return made


def _points(
    task: Task, model: nn.Module, entry: Entry, picture: NDArray[np.uint8], box: Box, protocol: LandmarkProtocol
) -> np.ndarray:
    import torch

    centre, scale = box[0], box[1] * protocol.padding
    inputs = face_input(picture, centre, scale, protocol, entry.as_float)
    device = next(model.parameters()).device
    batch = {
        "images": torch.from_numpy(inputs[None]).to(device),
        "centre": np.asarray(centre)[None],
        "scale": np.array([scale]),
    }
    with torch.inference_mode():
        return np.asarray(task.predict(model, batch, protocol)[0])


def picture_boxes(image: Path, boxes: str | Path | None) -> tuple[list[Box], str]:
    """Face boxes of a picture and where they come from; none and "the whole picture" where nothing names it."""
    if boxes is not None:
        found = boxes_in_csv(Path(boxes), image)
        if not found:
            raise ValueError(
                f"Expected a face box of {image.name} in {boxes} but it names none, by that name or the end of its path; add a "
                "line, or leave out --boxes"
            )
        return found, str(boxes)
    for folder in list(image.resolve().parents)[:5]:
        for path in sorted(folder.glob("face_landmarks_*.csv")):
            found = boxes_in_csv(path, image)
            if found:
                return found, str(path)
    return [], "the whole picture"
