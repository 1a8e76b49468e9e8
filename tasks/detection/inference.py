"""The task's work on batches: training losses, predictions as plain NumPy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tasks.detection.boxes.coding import from_family
from tasks.detection.files.categories import COCO_IDS
from tasks.detection.network.base import DetectionModel
from tasks.detection.network.postprocess import Keep
from tasks.detection.network.transform import pad_together
from tasks.detection.protocol import DetectionProtocol
from tasks.detection.targets import Truth
from tasks.files.rle import encode
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
