"""The four (or five) losses of Faster (or Mask) R-CNN, each averaged over what was sampled in the whole batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tasks.accelerator import sent
from tasks.detection.boxes.coding import encode
from tasks.detection.boxes.conventions import Conventions
from tasks.detection.boxes.heads import background_row, chosen_codes, class_rows
from tasks.detection.targets import Truth, inside, match, sample


@dataclass(frozen=True)
class Sampling:
    """How much of a picture is learnt from: anchors (half positive) and RoIs (a quarter positive)."""

    anchors: int = 256
    rois: int = 512
    anchor_positive: float = 0.5
    roi_positive: float = 0.25


@dataclass(frozen=True)
class RoiSample:
    """RoIs of one picture to learn from: positives first, ``truth`` (P,) their truths, ``labels`` 0 for background.

    ``given`` (P,) bool: the positive is a true box itself, no proposal.
    """

    boxes: Tensor
    labels: Tensor
    truth: Tensor
    given: Tensor

    @property
    def num_positive(self) -> int:
        return len(self.truth)


def proposal_losses(
    outputs: Sequence[tuple[Tensor, Tensor]],
    anchors: Sequence[Tensor],
    truths: Sequence[Truth],
    conventions: Conventions,
    sampling: Sampling,
) -> dict[str, Tensor]:
    """``loss_rpn_cls`` (binary cross-entropy) and ``loss_rpn_box`` (smooth L1), both over positives and negatives.

    The reference counts at least one of each per picture (:attr:`Conventions.rpn_at_least_one`).
    """
    logits = torch.cat([x for x, _ in outputs], dim=1)
    codes = torch.cat([x for _, x in outputs], dim=1)
    cells = torch.cat(list(anchors)).to(logits)
    total, count = len(cells), 0
    least = int(conventions.rpn_at_least_one)
    taken, wanted, positives, targets = [], [], [], []
    for index, truth in enumerate(truths):
        matched = match(
            cells, truth.boxes, 0.7, 0.3, conventions.rpn_min_iou, inside(cells, truth.size_hw, conventions)
        )
        positive, negative = sample(matched, sampling.anchors, sampling.anchor_positive, truth.seed)
        count += max(len(positive), least) + max(len(negative), least)
        # Places in the whole batch: one gather, whose gradient is one tensor of the maps' size.
        taken += [positive + index * total, negative + index * total]
        wanted += [logits.new_ones(len(positive)), logits.new_zeros(len(negative))]
        positives.append(positive + index * total)
        targets.append(encode(truth.boxes[matched[positive]], cells[positive], conventions.rpn_stds))
    score, want = logits.reshape(-1)[torch.cat(taken)], torch.cat(wanted)
    count = max(count, 1)
    classify = functional.binary_cross_entropy_with_logits(score, want, reduction="sum") / count
    box = smooth_l1(codes.reshape(-1, 4)[torch.cat(positives)], torch.cat(targets), conventions.rpn_beta) / count
    return {"loss_rpn_cls": classify, "loss_rpn_box": box}


def sample_rois(
    proposals: Sequence[Tensor],
    truths: Sequence[Truth],
    sampling: Sampling,
    iou: float = 0.5,
    low_quality: bool = False,
    stream: int = 1,
) -> list[RoiSample]:
    """Proposals and the true boxes themselves, sampled: an overlap of ``iou`` and more is positive.

    Args:
        low_quality: a truth also takes the proposals that it overlaps best, if by ``iou``. stream: of the randomness; the
            anchors of the same picture have 0.
    """
    result = []
    for boxes, truth in zip(proposals, truths, strict=True):
        matched = match(boxes, truth.boxes.to(boxes), iou, iou, iou if low_quality else None)
        # A true box is its own, whichever other one lies in the same place.
        matched = torch.cat([torch.arange(len(truth.boxes), device=matched.device), matched])
        boxes = torch.cat([truth.boxes.to(boxes), boxes])
        positive, negative = sample(matched, sampling.rois, sampling.roi_positive, truth.seed + stream)
        labels = torch.cat([truth.labels[matched[positive]], truth.labels.new_zeros(len(negative))])
        given = positive < len(truth.boxes)
        result.append(RoiSample(boxes[torch.cat([positive, negative])], labels, matched[positive], given))
    return result


def box_losses(
    logits: Tensor,
    codes: Tensor,
    samples: Sequence[RoiSample],
    truths: Sequence[Truth],
    num_classes: int,
    conventions: Conventions,
) -> dict[str, Tensor]:
    """``loss_cls`` (cross-entropy) and ``loss_box`` (smooth L1 of the true class), and ``accuracy`` in per cent."""
    labels = torch.cat([s.labels for s in samples])
    rows = torch.where(labels > 0, class_rows(labels, conventions), background_row(num_classes, conventions))
    result = {"loss_cls": functional.cross_entropy(logits, rows)}
    firsts = np.cumsum([0, *(len(s.boxes) for s in samples)])
    places = [np.arange(first, first + s.num_positive) for first, s in zip(firsts[:-1], samples, strict=True)]
    positive = sent(np.concatenate(places), labels.device)  # each picture's come first
    targets = torch.cat(
        [
            encode(t.boxes[s.truth], s.boxes[: s.num_positive], conventions.box_stds)
            for s, t in zip(samples, truths, strict=True)
        ]
    )
    chosen = chosen_codes(codes[positive], labels[positive], conventions)
    result["loss_box"] = smooth_l1(chosen, targets, conventions.box_beta) / max(len(labels), 1)
    result["accuracy"] = (logits.detach().argmax(1) == rows).float().mean() * 100
    return result


def mask_loss(logits: Tensor, targets: Tensor, labels: Tensor, conventions: Conventions) -> Tensor:
    """Mean binary cross-entropy of the true class's mask; zero (with a gradient path) where nothing is positive."""
    if len(labels) == 0:
        return logits.sum() * 0
    rows = torch.arange(len(labels), device=logits.device)
    return functional.binary_cross_entropy_with_logits(logits[rows, class_rows(labels, conventions)], targets)


def smooth_l1(prediction: Tensor, target: Tensor, beta: float) -> Tensor:
    """Sum of smooth L1; ``beta`` 0 is L1."""
    return functional.smooth_l1_loss(prediction, target, beta=beta, reduction="sum")
