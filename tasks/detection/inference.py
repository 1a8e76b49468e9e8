"""The task's work on batches: training losses, predictions as plain NumPy, pictures with detections drawn on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tasks.detection.boxes.coding import from_family
from tasks.detection.drawing import SHOWN_SCORE, draw
from tasks.detection.files.categories import COCO, COCO_IDS, Classes, classes_of_model
from tasks.detection.geometry import network_input
from tasks.detection.network.base import DetectionModel
from tasks.detection.network.postprocess import Keep
from tasks.detection.network.transform import pad_together
from tasks.detection.protocol import DetectionProtocol
from tasks.detection.targets import Truth
from tasks.files.rle import decode, encode
from tasks.images import read_image
from tasks.recipe import Recipe


def training_losses(model: nn.Module, batch: dict[str, Any], recipe: Recipe) -> dict[str, Tensor]:
    """The detector's losses on a batch of :class:`tasks.detection.datasets.DetectionTrainData`.

    Raises:
        ValueError: a mask head, but no masks in the batch.
    """
    assert isinstance(model, DetectionModel)
    model.freeze(int(recipe.extra.get("frozen_stages", 0)))  # a step puts the whole network into training mode again
    device = next(model.parameters()).device
    if model.has_masks and any(m is None for m in batch["masks"]):
        raise ValueError(
            "Expected masks to train a mask head, got none. Read them with --set recipe.augment.masks=true."
        )
    semantic = batch.get("semantic") or [None] * len(batch["boxes"])
    if model.needs_semantic and any(m is None for m in semantic):
        raise ValueError(
            "Expected maps of all pixels' classes to train the semantic branch, got none. Read them with --set "
            "recipe.extra.semantic=stuffthingmaps (or things), or build with --set model.semantic=false."
        )
    truths = [
        Truth(
            boxes.to(device),
            labels.to(device),
            None if masks is None else masks.to(device),
            tuple(size),
            int(seed),
            None if pixels is None else pixels.to(device),
        )
        for boxes, labels, masks, size, seed, pixels in zip(
            batch["boxes"], batch["labels"], batch["masks"], batch["sizes_hw"], batch["seeds"], semantic, strict=True
        )
    ]
    return model.losses(batch["images"].to(device), truths)


def predict(model: nn.Module, batch: dict[str, Any], protocol: DetectionProtocol) -> list[dict[str, Any]]:
    """One :data:`tasks.detection.files.results.Prediction` per picture.

    Pictures are run together only where they are padded to the same size, so that a picture's detections do not depend on its
    neighbours in the batch.
    """
    assert isinstance(model, DetectionModel)
    device = next(model.parameters()).device
    keep = Keep(protocol.score_threshold, protocol.nms_iou, protocol.max_detections)
    multiple = protocol.pad_multiple
    together: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row, image in enumerate(batch["images"]):
        together[-(-image.shape[-2] // multiple), -(-image.shape[-1] // multiple)].append(row)
    answers: list[dict[str, Any]] = [{} for _ in batch["images"]]
    for rows in _portions(together, multiple, device):
        images = [batch["images"][row] for row in rows]
        found = model.answer(
            pad_together(images, multiple).to(device),
            [(x.shape[-2], x.shape[-1]) for x in images],
            [(int(batch["source_hw"][row][0]), int(batch["source_hw"][row][1])) for row in rows],
            [(float(batch["scale_xy"][row][0]), float(batch["scale_xy"][row][1])) for row in rows],
            keep,
            protocol.mask_threshold,
        )
        for row, answer in zip(rows, found):
            answers[row] = _plain(answer, model.conventions)
    return answers


CPU_PIXELS = 1_500_000
"""Input pixels that go through the network together on a CPU: one picture of 800x1344, thirty of 192x256."""


def _portions(together: dict[tuple[int, int], list[int]], multiple: int, device: torch.device) -> Iterator[list[int]]:
    for (height, width), rows in together.items():
        count = len(rows)
        if device.type == "cpu":
            count = max(1, CPU_PIXELS // (height * width * multiple**2))
        for first in range(0, len(rows), count):
            yield rows[first : first + count]


def _plain(answer: dict[str, Tensor], conventions: Any) -> dict[str, Any]:
    boxes = from_family(answer["boxes"], conventions).cpu().numpy().astype(np.float32)
    boxes[:, 2:] -= boxes[:, :2]
    labels, scores = answer["labels"].cpu().numpy(), answer["scores"].cpu().numpy()
    known = np.ones(len(labels), dtype=bool)
    if conventions.labels == "category_id":
        rank = {number: place for place, number in enumerate(COCO_IDS, start=1)}
        known = np.isin(labels, COCO_IDS)
        labels = np.array([rank.get(int(number), 0) for number in labels], dtype=np.int64)
    plain: dict[str, Any] = {"boxes": boxes[known], "labels": labels[known], "scores": scores[known]}
    if "masks" in answer:
        plain["masks"] = [encode(mask) for mask in answer["masks"].cpu().numpy()[known]]
    return plain


def predict_files(
    model: nn.Module,
    images: Sequence[Path],
    protocol: DetectionProtocol,
    score: float = SHOWN_SCORE,
    **options: Any,
) -> list[tuple[np.ndarray, Any]]:
    """For each file the RGB picture with boxes, labels, scores and masks drawn, and the detections as plain data.

    Args:
        score: detections below it are not drawn (they are in the data).

    Raises:
        ValueError: an unknown option, or a file that is no picture.
    """
    if options:
        raise ValueError(f"Unknown option {next(iter(options))!r} of detection's predict. Known: score.")
    results, classes = [], classes_of_model(model)
    for path in images:
        picture = read_image(Path(path).parent, Path(path).name, protocol.channel_order)
        made, scale_xy = network_input(picture, protocol)
        batch = {"images": [torch.from_numpy(made)], "scale_xy": [scale_xy], "source_hw": [picture.shape[:2]]}
        with torch.inference_mode():
            found = predict(model, batch, protocol)[0]
        rgb = picture if not protocol.bgr else np.ascontiguousarray(picture[..., ::-1])
        results.append((drawn(rgb, found, float(score), classes), plain_detections(found, classes)))
    return results


def drawn(picture: np.ndarray, found: dict[str, Any], threshold: float, classes: Classes = COCO) -> np.ndarray:
    """The picture with the detections of at least ``threshold`` drawn on it."""
    shown = found["scores"] >= threshold
    masks = None
    if found.get("masks") and shown.any():
        masks = np.stack([decode(m, *m["size"]) for m, s in zip(found["masks"], shown) if s])
    return draw(picture, found["boxes"][shown], found["labels"][shown], found["scores"][shown], masks, classes.name_of)


def plain_detections(found: dict[str, Any], classes: Classes = COCO) -> list[dict[str, Any]]:
    """Detections as records: category_id, category, bbox (x, y, w, h), score and perhaps segmentation."""
    records = []
    for row, label in enumerate(found["labels"]):
        record = {
            "category_id": classes.id_of(int(label)),
            "category": classes.name_of(int(label)),
            "bbox": [float(v) for v in found["boxes"][row]],
            "score": float(found["scores"][row]),
        }
        if "masks" in found:
            record["segmentation"] = found["masks"][row]
        records.append(record)
    return records
