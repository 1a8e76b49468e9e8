"""Poses of whole pictures for the ``predict`` verb: where the boxes come from, and the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tasks.geometry import box_to_centre_scale
from tasks.images import read_image
from tasks.pose.crops.person_crop import person_inputs
from tasks.pose.drawing import draw_pose, person_colour
from tasks.pose.files.box_files import BoxFile, refuse_doubles
from tasks.pose.protocol import PoseProtocol, check_protocol
from tasks.pose.skeletons.joints import Skeleton, check_joints

if TYPE_CHECKING:
    from torch import nn

    from tasks.base import Task

SHOWN_SCORE = 0.1


def predict_pictures(
    task: Task,
    model: nn.Module,
    skeleton: Skeleton,
    images: Sequence[Path],
    protocol: PoseProtocol,
    boxes: str | Path | None = None,
    min_score: float = 0.3,
) -> list[tuple[NDArray[np.uint8], dict[str, Any]]]:
    """For every file: the RGB picture with its skeletons, and {image, boxes_from, persons: [{box, keypoints, score}]}.

    A `note` joins the latter where there are no boxes or something is odd about them.

    Raises:
        ValueError: a picture or the box file cannot be read.
    """
    import torch

    check_protocol(protocol)
    check_joints(model, skeleton)
    device = next(model.parameters()).device
    model.eval()
    made: list[tuple[NDArray[np.uint8], dict[str, Any]]] = []
    paths = [Path(image) for image in images]
    source = BoxSource(boxes, paths)
    for image in paths:
        picture = read_image(image.parent, image.name)
        found, origin, why = source.boxes(image, (picture.shape[1], picture.shape[0]), float(min_score))
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
        made.append(
            (canvas, {"image": str(image), "boxes_from": origin, "persons": persons} | ({"note": why} if why else {}))
        )
    return made


class BoxSource:
    """Where the boxes of pictures come from: a named file, else what their dataset holds, else the whole picture.

    Args:
        boxes: the named file. images: all pictures that are asked for.

    Raises:
        ValueError: the file cannot be read, or two pictures are one by its names.
    """

    def __init__(self, boxes: str | Path | None, images: Sequence[Path]) -> None:
        self.named = None if boxes is None else BoxFile(Path(boxes))
        self._read: dict[Path, BoxFile] = {}
        if self.named is not None:
            refuse_doubles(images, self.named)

    def boxes(
        self, image: Path, size_wh: tuple[int, int], min_score: float
    ) -> tuple[list[NDArray[np.float64]], str, str]:
        """Person boxes (x, y, w, h) of a picture, where they come from, and why there is none or what is odd.

        In this order: the named file; the annotations, then the detections of the COCO-form dataset that the picture lies in;
        the whole picture.

        Raises:
            ValueError: the named file does not know the picture.
        """
        if self.named is not None:
            found = self.named.of_picture(image, size_wh, min_score)
            if found is None:
                others = self.named.namesakes(image)
                hint = f" (it lists {', '.join(others[:3])}, in other folders)" if others else ""
                raise ValueError(
                    f"Expected person boxes of {image.name} in {self.named.path} but it names none{hint}; add an entry, or leave "
                    "out --boxes"
                )
            return found.boxes, str(self.named.path), found.why
        split = image.parent.name
        root = image.parent.parent.parent if image.parent.parent.name == "images" else image.parent.parent
        candidates = [root / "annotations" / f"person_keypoints_{split}.json"]
        candidates += sorted((root / "person_detection_results").glob(f"COCO_{split}_detections_*_person.json"))
        for path in candidates:
            if path.is_file():
                file = self._read[path] = self._read.get(path) or BoxFile(path)
                found = file.of_picture(image, size_wh, min_score)
                if found is not None and found.boxes:
                    return found.boxes, str(path), found.why
        return [np.array([0.0, 0.0, *size_wh])], "the whole picture", ""
