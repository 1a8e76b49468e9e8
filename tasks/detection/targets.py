"""What anchors, RoIs and masks shall learn: matching by overlap, sampling from addressed randomness, mask targets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from tasks.detection.boxes.conventions import Conventions

IGNORED, NEGATIVE = -2, -1


@dataclass(frozen=True)
class Truth:
    """The ground truth of one picture, in pixels of the network's input.

    Attributes:
        boxes: (G, 4) exclusive ends. labels: (G,) 1 .. K. masks: (G, H, W) bool, or None.
        size_hw: of the unpadded picture. seed: addresses the sampling of this picture in this epoch.
        semantic: (H, W) classes of all pixels (:mod:`tasks.detection.network.semantic`), or None.
    """

    boxes: Tensor
    labels: Tensor
    masks: Tensor | None
    size_hw: tuple[int, int]
    seed: int
    semantic: Tensor | None = None


def match(
    boxes: Tensor,
    truths: Tensor,
    high: float,
    low: float,
    best_of_truth: float | None = None,
    eligible: Tensor | None = None,
) -> Tensor:
    """(N,) index of each box's truth, NEGATIVE below ``low``, IGNORED between the thresholds or where not ``eligible``.

    With ``best_of_truth`` every truth also takes its best boxes (all ties) if their overlap reaches that value.
    """
    from torchvision.ops import box_iou

    matched = torch.full((len(boxes),), NEGATIVE, dtype=torch.int64, device=boxes.device)
    if len(truths) and len(boxes):
        overlap = box_iou(truths, boxes)
        if eligible is not None:
            overlap = torch.where(eligible, overlap, -1.0)
        best, which = overlap.max(dim=0)
        matched[best >= low] = IGNORED
        matched = torch.where(best >= high, which, matched)
        if best_of_truth is not None:
            peak = overlap.max(dim=1).values
            at_peak = (overlap == peak[:, None]) & (peak >= max(best_of_truth, 1e-6))[:, None]
            # A box at the peak of several truths goes to the last of them, as in mmdet.
            order = torch.arange(1, len(truths) + 1, device=boxes.device)
            last = (at_peak * order[:, None]).max(dim=0).values
            matched = torch.where(last > 0, last - 1, matched)
    if eligible is not None:
        matched[~eligible] = IGNORED
    return matched


def sample(matched: Tensor, count: int, positive_share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Indices of up to ``count`` boxes: positives up to their share, filled up with negatives; drawn from ``seed`` alone."""
    generator = torch.Generator().manual_seed(seed)
    positive, negative = torch.where(matched >= 0)[0], torch.where(matched == NEGATIVE)[0]
    positive = _some(positive, int(count * positive_share), generator)
    negative = _some(negative, count - len(positive), generator)
    return positive, negative


def inside(anchors: Tensor, size_hw: tuple[int, int], conventions: Conventions) -> Tensor | None:
    """(N,) bool: the anchor leaves the picture by no more than the border allowed; None where any may."""
    border = conventions.rpn_border_px
    if border < 0:
        return None
    height, width = size_hw
    # Inclusive ends compare the last pixel with the size.
    one = 1.0 if conventions.inclusive_ends else 0.0
    x1, y1, x2, y2 = anchors.unbind(1)
    return (x1 >= -border) & (y1 >= -border) & (x2 - one < width + border) & (y2 - one < height + border)


def mask_targets(truth: Truth, boxes: Tensor, which: Tensor, size: int, conventions: Conventions) -> Tensor:
    """(N, size, size) float 0/1 masks of truths ``which`` seen through ``boxes``.

    "crop": the mask under the box's whole pixels, resized bilinearly and rounded; "roi_align": averaged per bin, thresholded
    at a half (torchvision keeps the average; the difference is below a bin).
    """
    assert truth.masks is not None
    if len(boxes) == 0:
        return boxes.new_zeros((0, size, size))
    if conventions.mask_target == "roi_align":
        from torchvision.ops import roi_align

        rois = torch.cat([which[:, None].to(boxes), boxes], dim=1)
        masks = truth.masks[:, None].to(boxes.dtype)
        return (roi_align(masks, rois, size, 1.0, 0, True)[:, 0] >= 0.5).to(boxes.dtype)
    height, width = truth.masks.shape[-2:]
    parts = []
    for box, index in zip(boxes.tolist(), which.tolist()):
        x1, y1 = min(max(int(box[0]), 0), width - 1), min(max(int(box[1]), 0), height - 1)
        # int(x2) of the inclusive end, and one further for the slice.
        x2, y2 = max(int(box[2] - 1) + 1, x1 + 1), max(int(box[3] - 1) + 1, y1 + 1)
        crop = truth.masks[index, y1:y2, x1:x2].to(boxes.dtype)
        parts.append(functional.interpolate(crop[None, None], (size, size), mode="bilinear", align_corners=False)[0, 0])
    return torch.stack(parts).round()


def _some(indices: Tensor, count: int, generator: torch.Generator) -> Tensor:
    if len(indices) <= count:
        return indices
    order = torch.randperm(len(indices), generator=generator)[:count]
    return indices[order.to(indices.device, non_blocking=True)]
