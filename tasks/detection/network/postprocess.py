"""From the heads' outputs to detections, and masks into pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tasks.accelerator import sent
from tasks.detection.boxes.coding import clip, decode, from_family, large_enough, to_family
from tasks.detection.boxes.conventions import Conventions
from tasks.detection.boxes.heads import class_codes, class_rows, probabilities
from tasks.model import require_finite


@dataclass(frozen=True)
class Keep:
    """Which detections remain: score above, overlap of one class at most, so many per picture."""

    score_threshold: float = 0.05
    nms_iou: float = 0.5
    max_detections: int = 100


@dataclass(frozen=True)
class Detections:
    """One picture's: boxes (n, 4) with the family's ends in the pixels asked for, labels 1 .. K, scores, best first.

    ``rois`` (n, 4) are the same boxes in the network's input, exclusive ends, for reading masks.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor
    rois: Tensor


def select(
    logits: Tensor,
    codes: Tensor,
    proposals: Tensor,
    size_hw: tuple[int, int],
    num_classes: int,
    conventions: Conventions,
    keep: Keep,
    scale_xy: tuple[float, float] = (1.0, 1.0),
) -> Detections:
    """Detections of one picture.

    Args:
        logits, codes: (P, ...) of :class:`tasks.detection.boxes.heads.BoxHead` at ``proposals`` (P, 4).
        size_hw: of the unpadded input. scale_xy: input pixels per source pixel; boxes are divided by it.

    Raises:
        ValueError: logits or codes are not finite.
    """
    require_finite(logits, codes)
    scores = probabilities(logits, conventions)
    codes = class_codes(codes, num_classes, conventions)
    boxes = clip(decode(codes, proposals, conventions.box_stds, conventions.clamp_both), size_hw, conventions)
    row, label = torch.where(scores > keep.score_threshold)
    boxes, scores, label = boxes[row, label], scores[row, label], label + 1
    if conventions.box_min_size_px is not None:
        large = torch.where(large_enough(boxes, conventions.box_min_size_px))[0]
        boxes, scores, label = boxes[large], scores[large], label[large]
    source = to_family(boxes, conventions) / sent(np.array([*scale_xy] * 2), boxes.device).to(boxes.dtype)
    seen = from_family(source, conventions) if conventions.nms_in_source else boxes
    best = suppress(seen, scores, label, keep, conventions.kept)
    return Detections(source[best], label[best], scores[best], boxes[best])


def suppress(boxes: Tensor, scores: Tensor, labels: Tensor, keep: Keep, kept: str = "best") -> Tensor:
    """(m,) indices of what remains, best first: no overlap within a class, so many per picture; "tied": and all that score as
    the last of them."""
    from torchvision.ops import batched_nms

    order = batched_nms(boxes, scores, labels, keep.nms_iou)
    if kept == "tied" and len(order) > keep.max_detections:
        return order[scores[order] >= scores[order[keep.max_detections - 1]]]
    return order[: keep.max_detections]


def chosen_masks(logits: Tensor, labels: Tensor, conventions: Conventions) -> Tensor:
    """(n, rows, M, M) mask logits -> (n, M, M) probabilities of each detection's class."""
    rows = torch.arange(len(labels), device=logits.device)
    return logits[rows, class_rows(labels, conventions)].sigmoid()


def paste(
    masks: Tensor, boxes: Tensor, size_hw: tuple[int, int], conventions: Conventions, threshold: float = 0.5
) -> Tensor:
    """(n, M, M) probabilities under boxes (n, 4; the family's ends) -> (n, H, W) bool in a picture of ``size_hw``."""
    height, width = size_hw
    result = torch.zeros((len(masks), height, width), dtype=torch.bool, device=masks.device)
    if conventions.mask_paste == "expanded":
        from torchvision.models.detection.roi_heads import paste_masks_in_image

        if len(masks):
            result = paste_masks_in_image(masks[:, None], boxes, size_hw)[:, 0] >= threshold
        return result
    for index, (mask, box) in enumerate(zip(masks, boxes.tolist())):
        if conventions.mask_paste == "integer":
            _paste_whole_pixels(result[index], mask, [int(v) for v in box], threshold)
        else:
            result[index] = _paste_grid(mask, box, size_hw) >= threshold
    return result


def _paste_whole_pixels(canvas: Tensor, mask: Tensor, box: Sequence[int], threshold: float) -> None:
    """The mask resized to the truncated inclusive box, thresholded, written into ``canvas`` (mmdet 0.x)."""
    x1, y1, x2, y2 = box
    width, height = max(x2 - x1 + 1, 1), max(y2 - y1 + 1, 1)
    resized = functional.interpolate(mask[None, None], (height, width), mode="bilinear", align_corners=False)[0, 0]
    left, top = max(-x1, 0), max(-y1, 0)
    part = resized[top : canvas.shape[0] - y1, left : canvas.shape[1] - x1] > threshold
    canvas[y1 + top : y1 + top + part.shape[0], x1 + left : x1 + left + part.shape[1]] = part


def _paste_grid(mask: Tensor, box: Sequence[float], size_hw: tuple[int, int]) -> Tensor:
    """Every pixel's centre looked up in the mask, bilinearly, zero outside (mmdet 2.x and later)."""
    x1, y1, x2, y2 = box
    height, width = size_hw
    x = (torch.arange(width, device=mask.device, dtype=mask.dtype) + 0.5 - x1) / max(x2 - x1, 1e-6) * 2 - 1
    y = (torch.arange(height, device=mask.device, dtype=mask.dtype) + 0.5 - y1) / max(y2 - y1, 1e-6) * 2 - 1
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)[None]
    return functional.grid_sample(mask[None, None], grid, align_corners=False)[0, 0]
