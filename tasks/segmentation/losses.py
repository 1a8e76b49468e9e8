"""Cross-entropy over labelled pixels, with class weights and online hard examples. docs/protocols.md, section 6."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from tasks.accelerator import constant
from tasks.segmentation.files.classes import IGNORE

LOSSES = ("cross_entropy", "weighted_cross_entropy", "balanced_cross_entropy", "ohem", "weighted_ohem")
OHEM_THRESHOLD, OHEM_KEPT = 0.9, 131072
AUX_WEIGHT = 0.4
BALANCE = 1.05


def class_weights(
    loss: str, num_classes: int, like: Tensor, labels: Tensor | None = None, own: Sequence[float] | None = None
) -> Tensor | None:
    """(K,) weights: the dataset's ``own`` for the "weighted" losses, by frequency for the "balanced" one, None for the others.

    "Balanced" weights are 1 / log(1.05 + share of the class among the labelled pixels of the batch), between 1.4 and 20.5, so
    that rare classes are learnt in the few minutes of an embedded run.

    Raises:
        ValueError: an unknown loss, or weights for another number of classes.
    """
    from tasks.options import nearest

    if loss not in LOSSES:
        raise ValueError(f"Unknown loss {loss!r} of segmentation. {nearest(loss, LOSSES)}")
    if loss.startswith("balanced") and labels is not None:
        seen = labels.flatten()
        counts = labels.new_zeros(IGNORE + 1).scatter_add_(0, seen, torch.ones_like(seen))[:num_classes]
        return 1 / torch.log(BALANCE + counts.to(like) / counts.sum().clamp(min=1))
    if not loss.startswith("weighted"):
        return None
    if own is None or num_classes != len(own):
        held = "which has none" if own is None else f"which has {len(own)}"
        raise ValueError(
            f"Expected {num_classes} class weights of the dataset for {loss}, {held}; use {loss.removeprefix('weighted_')}."
        )
    return constant(own, like)


def ohem_kept(crops: int, crops_of_a_process: int) -> int:
    """How many pixels of a batch hard examples keep at least: the reference's number, in proportion to the crops.

    Its 131072 are of one process and its crops (3 of Cityscapes); a process with all 12 keeps four times as many.
    """
    return OHEM_KEPT * crops // crops_of_a_process


def enlarged(logits: Tensor, size_hw: tuple[int, int], align_corners: bool) -> Tensor:
    """Logits at the labels' size, bilinear."""
    if tuple(logits.shape[-2:]) == size_hw:
        return logits
    return functional.interpolate(logits, size=size_hw, mode="bilinear", align_corners=align_corners)


def cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
    """Mean over labelled pixels, weighted by class; zero (with a gradient of zero) where a batch has none.

    Args:
        logits: (B, K, H, W) at the labels' size. labels: (B, H, W) int64, 255 where ignored.
    """
    some = (labels != IGNORE).any()
    # Without any, one pixel stands in, and counts nothing: an accelerator is not waited for to see which it is.
    labels = labels.clone()
    labels[0, 0, 0] = torch.where(some, labels[0, 0, 0], 0)
    return functional.cross_entropy(logits, labels, weights, ignore_index=IGNORE) * some


def mean_over_all_pixels(logits: Tensor, labels: Tensor, weights: Tensor | None) -> Tensor:
    """The mean of the weighted losses over every pixel, ignored ones counting as zero: the reference's auxiliary term beside
    hard examples, whose criterion does not reduce (arguments as in :func:`cross_entropy`)."""
    return functional.cross_entropy(logits, labels, weights, ignore_index=IGNORE, reduction="none").mean()


def hard_example_cross_entropy(
    logits: Tensor, labels: Tensor, weights: Tensor | None, threshold: float = OHEM_THRESHOLD, kept: int = OHEM_KEPT
) -> Tensor:
    """Mean of the weighted losses over hard pixels: those whose true class has a probability below a limit.

    The limit is ``threshold``, or higher where that would leave fewer than ``kept`` pixels of this process's batch: the value
    at index min(kept, n - 1) of the sorted probabilities. The mean is plain, though the losses are weighted.
    """
    valid = labels != IGNORE
    if not bool(valid.any()):
        return logits.sum() * 0
    losses = functional.cross_entropy(logits, labels, weights, ignore_index=IGNORE, reduction="none")[valid]
    with torch.no_grad():
        target = labels.masked_fill(~valid, 0)
        probability = logits.softmax(dim=1).gather(1, target[:, None])[:, 0][valid]
        place = min(kept, len(probability) - 1)
        limit = max(float(probability.kthvalue(place + 1).values), threshold)
        hard = probability < limit
    if not bool(hard.any()):
        return losses.sum() * 0
    return losses[hard].mean()


def segmentation_loss(
    outputs: Sequence[Tensor],
    labels: Tensor,
    loss: str,
    *,
    align_corners: bool,
    aux_weight: float = AUX_WEIGHT,
    threshold: float = OHEM_THRESHOLD,
    kept: int = OHEM_KEPT,
    label_stride: int = 1,
    own_weights: Sequence[float] | None = None,
) -> dict[str, Tensor]:
    """The losses of a batch by name: "loss" of the main prediction and "loss_aux", already weighted, of each auxiliary one.

    Args:
        outputs: logits at the network's stride, the main ones last. labels: (B, H, W) integers, 255 where ignored.
        loss: one of :data:`LOSSES`. With hard examples the auxiliary term is the mean over all pixels, as in the reference.
        kept: pixels of the batch that hard examples keep at least, see :func:`ohem_kept`.
        own_weights: (K,) of the dataset's classes, for the "weighted" losses.
        label_stride: the loss is taken at every n-th row and column of the labels, to which the logits are enlarged.
    """
    half = label_stride // 2
    labels = labels[:, half::label_stride, half::label_stride].long()
    size_hw = (labels.shape[-2], labels.shape[-1])
    weights = class_weights(loss, outputs[-1].shape[1], outputs[-1].detach(), labels, own_weights)
    made: dict[str, Tensor] = {}
    for index, logits in enumerate(outputs):
        main = index == len(outputs) - 1
        full = enlarged(logits if logits.dtype == torch.float64 else logits.float(), size_hw, align_corners)
        if loss.endswith("ohem"):
            value = (
                hard_example_cross_entropy(full, labels, weights, threshold, kept)
                if main
                else mean_over_all_pixels(full, labels, weights)
            )
        else:
            value = cross_entropy(full, labels, weights)
        name = "loss" if main else f"loss_aux{index if len(outputs) > 2 else ''}"
        made[name] = value if main else aux_weight * value
    return made


@torch.no_grad()
def pixel_accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Share (0 to 1) of labelled pixels that are right, at the logits' own stride: a quick figure for the progress bar."""
    rows = torch.linspace(0, labels.shape[-2] - 1, logits.shape[-2], device=labels.device).round().long()
    columns = torch.linspace(0, labels.shape[-1] - 1, logits.shape[-1], device=labels.device).round().long()
    truth = labels[:, rows][:, :, columns].long()
    valid = truth != IGNORE
    return ((logits.argmax(dim=1) == truth) & valid).sum() / valid.sum().clamp(min=1)
