"""Objects in pictures of one's own: the result and the network's way to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tasks.detection.drawing import SHOWN_SCORE, draw
from tasks.detection.files.categories import Classes, classes_of_model
from tasks.detection.geometry import network_input
from tasks.detection.protocol import DetectionProtocol
from tasks.files.rle import decode, encode
from tasks.results.result import Result, supervision

if TYPE_CHECKING:
    from torch import nn

    from tasks.base import Task


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectionResult(Result):
    """N objects, all that the protocol keeps, the best first.

    Attributes:
        boxes_xyxy_px: (N, 4) x0, y0, x1, y1. scores: (N,) float32. category_ids: (N,) of the weights' dataset.
        names: (N,) of their categories. masks: (N, H, W) bool; None of detectors without masks.
        classes: all categories that the network tells apart.
    """

    boxes_xyxy_px: NDArray[np.float64]
    scores: NDArray[np.float32]
    category_ids: NDArray[np.int64]
    names: tuple[str, ...]
    masks: NDArray[np.bool_] | None
    classes: Classes
    min_score: float = SHOWN_SCORE

    def __len__(self) -> int:
        return len(self.scores)

    def boxes_xywh_px(self) -> NDArray[np.float64]:
        """(N, 4) left, top, width, height, as the benchmark's results have them."""
        boxes = self.boxes_xyxy_px.copy()
        boxes[:, 2:] -= boxes[:, :2]
        return boxes

    def draw(self, image: Any = None, min_score: float | None = None) -> NDArray[np.uint8]:
        """Boxes, names, scores and masks of the objects of at least a score (0.3); small pictures are enlarged."""
        shown = np.flatnonzero(self.scores >= (self.min_score if min_score is None else min_score))
        label_of = {number: label for label, number in enumerate(self.classes.ids, start=1)}
        labels = [label_of.get(int(self.category_ids[row]), 0) for row in shown]
        masks = None if self.masks is None or not len(shown) else self.masks[shown]
        return draw(
            self.shown(image), self.boxes_xywh_px()[shown], labels, self.scores[shown], masks, self.classes.name_of
        )

    def to_coco(self) -> list[dict[str, Any]]:
        """COCO's results: image_id, category_id, category, bbox (x, y, w, h), score, and segmentation where there are masks."""
        return [{**self.image_id(), **record} for record in self.to_plain()]

    def to_plain(self) -> list[dict[str, Any]]:
        """[{category_id, category, bbox, score, segmentation}]; of a video every record names its frame."""
        where = {} if self.frame is None else {"frame": self.frame}
        records = []
        for row, box in enumerate(self.boxes_xywh_px()):
            record: dict[str, Any] = {
                **where,
                "category_id": int(self.category_ids[row]),
                "category": self.names[row],
                "bbox": box.tolist(),
                "score": float(self.scores[row]),
            }
            if self.masks is not None:
                record["segmentation"] = encode(self.masks[row])
            records.append(record)
        return records

    def to_supervision(self) -> Any:
        """supervision.Detections."""
        return supervision().Detections(
            xyxy=self.boxes_xyxy_px.astype(np.float32),
            mask=self.masks,
            confidence=self.scores,
            class_id=self.category_ids,
            data={"class_name": np.array(self.names, dtype=str)},
        )


def predict_pictures(
    task: Task, model: nn.Module, pictures: Sequence[NDArray[np.uint8]], protocol: DetectionProtocol
) -> list[DetectionResult]:
    """The objects in RGB pictures; pictures that are padded to one size go through the network together."""
    import torch

    batch: dict[str, Any] = {"images": [], "scale_xy": [], "source_hw": [picture.shape[:2] for picture in pictures]}
    for picture in pictures:
        seen = np.ascontiguousarray(picture[..., ::-1]) if protocol.channel_order == "bgr" else picture
        made, scale_xy = network_input(seen, protocol)
        batch["images"].append(torch.from_numpy(made))
        batch["scale_xy"].append(scale_xy)
    classes = classes_of_model(model)
    found = task.predict(model, batch, protocol)
    return [_result(one, classes, picture.shape[:2]) for one, picture in zip(found, pictures, strict=True)]


def _result(found: dict[str, Any], classes: Classes, size_hw: tuple[int, ...]) -> DetectionResult:
    boxes = np.array(found["boxes"], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]  # exact: the network's are float32, so x, y, w, h can be had back to the bit
    masks = None
    if "masks" in found:
        decoded = [decode(mask, *mask["size"]) for mask in found["masks"]]
        masks = np.array(decoded, bool).reshape(len(decoded), size_hw[0], size_hw[1])
    labels = [int(label) for label in found["labels"]]
    return DetectionResult(
        boxes_xyxy_px=boxes,
        scores=np.asarray(found["scores"], np.float32),
        category_ids=np.array([classes.id_of(label) for label in labels], np.int64),
        names=tuple(classes.name_of(label) for label in labels),
        masks=masks,
        classes=classes,
    )
