"""Box arithmetic: coding against anchors, clipping, and the two kinds of ends. Exclusive ends unless said otherwise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from tasks.accelerator import constant
from tasks.detection.boxes.conventions import Conventions


class HasEnds(Protocol):
    """Conventions of any detector, as far as its boxes' ends go."""

    @property
    def inclusive_ends(self) -> bool: ...


LOG_SIZE_LIMIT = math.log(1000 / 16)


def encode(boxes: Tensor, anchors: Tensor, stds: Sequence[float]) -> Tensor:
    """(N, 4) boxes against (N, 4) anchors -> (N, 4) (dx, dy, dw, dh) / stds (arXiv 1311.2524, appendix C)."""
    anchor_w, anchor_h = anchors[:, 2] - anchors[:, 0], anchors[:, 3] - anchors[:, 1]
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    dx = ((boxes[:, 0] + boxes[:, 2]) - (anchors[:, 0] + anchors[:, 2])) / 2 / anchor_w
    dy = ((boxes[:, 1] + boxes[:, 3]) - (anchors[:, 1] + anchors[:, 3])) / 2 / anchor_h
    codes = torch.stack([dx, dy, torch.log(width / anchor_w), torch.log(height / anchor_h)], dim=1)
    return codes / constant(stds, codes)


def decode(codes: Tensor, anchors: Tensor, stds: Sequence[float], clamp_both: bool) -> Tensor:
    """(N, 4 K) codes against (N, 4) anchors -> (N, K, 4) boxes; the inverse of :func:`encode` within the clamp.

    The order of the operations is torchvision's, so that equal inputs give equal bits there.
    """
    width, height = anchors[:, 2] - anchors[:, 0], anchors[:, 3] - anchors[:, 1]
    centre_x, centre_y = anchors[:, 0] + 0.5 * width, anchors[:, 1] + 0.5 * height
    wx, wy, ww, wh = (1 / s for s in stds)
    dx, dy = codes[:, 0::4] / wx, codes[:, 1::4] / wy
    low = -LOG_SIZE_LIMIT if clamp_both else None
    dw = (codes[:, 2::4] / ww).clamp(min=low, max=LOG_SIZE_LIMIT)
    dh = (codes[:, 3::4] / wh).clamp(min=low, max=LOG_SIZE_LIMIT)
    x, y = dx * width[:, None] + centre_x[:, None], dy * height[:, None] + centre_y[:, None]
    half_w, half_h = 0.5 * (torch.exp(dw) * width[:, None]), 0.5 * (torch.exp(dh) * height[:, None])
    return torch.stack([x - half_w, y - half_h, x + half_w, y + half_h], dim=2)


def clip(boxes: Tensor, size_hw: tuple[int, int], conventions: Conventions) -> Tensor:
    """(..., 4) boxes cut to the picture; with inclusive ends every coordinate of the family is cut to 0 .. size - 1."""
    height, width = size_hw
    one = 1.0 if conventions.inclusive_ends else 0.0
    ends = constant((0.0, one), boxes)
    x, y = boxes[..., 0::2] - ends, boxes[..., 1::2] - ends
    x, y = x.clamp(min=0, max=width - one), y.clamp(min=0, max=height - one)
    return torch.stack([x[..., 0], y[..., 0], x[..., 1] + one, y[..., 1] + one], dim=-1)


def large_enough(boxes: Tensor, minimum_px: float) -> Tensor:
    """(N,) bool: both sides at least ``minimum_px`` long."""
    return (boxes[:, 2] - boxes[:, 0] >= minimum_px) & (boxes[:, 3] - boxes[:, 1] >= minimum_px)


def to_family(boxes: Tensor, conventions: HasEnds) -> Tensor:
    """Exclusive ends -> the family's own ends."""
    return boxes - constant((0.0, 0.0, 1.0, 1.0), boxes) if conventions.inclusive_ends else boxes


def from_family(boxes: Tensor, conventions: HasEnds) -> Tensor:
    """The family's own ends -> exclusive ends."""
    return boxes + constant((0.0, 0.0, 1.0, 1.0), boxes) if conventions.inclusive_ends else boxes
