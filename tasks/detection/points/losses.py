"""The three losses of FCOS: focal over all points, overlap of the positives weighted by their centerness, centerness."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from tasks.detection.boxes.point_conventions import PointConventions
from tasks.detection.points.targets import PointTargets, centerness

ALPHA, GAMMA = 0.25, 2.0
SMALLEST_IOU = 1e-6


def point_losses(
    outputs: Sequence[tuple[Tensor, Tensor, Tensor]],
    targets: Sequence[PointTargets],
    conventions: PointConventions,
    strides: Sequence[int],
) -> dict[str, Tensor]:
    """``loss_cls``, ``loss_box`` and ``loss_centerness`` of a batch.

    Args:
        outputs: per level, of :class:`tasks.detection.points.heads.PointHead`. targets: per picture.
    """
    from torchvision.ops import sigmoid_focal_loss

    logits, ltrb, centre = (torch.cat([_flat(level[k]) for level in outputs], dim=1) for k in range(3))
    batch, _, num_classes = logits.shape
    labels = torch.cat([t.labels for t in targets])
    wanted = torch.cat([t.ltrb for t in targets]).to(ltrb)
    if conventions.normed:
        step = torch.cat([ltrb.new_full((x[1].shape[-2] * x[1].shape[-1],), s) for x, s in zip(outputs, strides)])
        wanted = wanted / step.repeat(batch)[:, None]
    positive = torch.where(labels > 0)[0]
    ones = functional.one_hot(labels, num_classes + 1)[:, 1:].to(logits)
    focal = sigmoid_focal_loss(logits.reshape(-1, num_classes), ones, ALPHA, GAMMA, reduction="sum")
    count = _mean_over_processes(logits.new_full((), float(len(positive))), conventions)
    over = count + batch if conventions.focal_over == "positives_and_pictures" else count.clamp(min=1)
    losses = {"loss_cls": focal / over}
    ltrb, centre = ltrb.reshape(-1, 4)[positive], centre.reshape(-1)[positive]
    if len(positive) == 0:
        return losses | {"loss_box": ltrb.sum() * 0, "loss_centerness": centre.sum() * 0}
    wanted = wanted[positive]
    weight = centerness(wanted)
    total = _mean_over_processes(weight.sum(), conventions).clamp(min=1e-6)
    losses["loss_box"] = (overlap_loss(ltrb, wanted, conventions.box_loss) * weight).sum() / total
    bce = functional.binary_cross_entropy_with_logits(centre, weight, reduction="sum")
    losses["loss_centerness"] = bce / count.clamp(min=1)
    return losses


def overlap_loss(predicted: Tensor, wanted: Tensor, kind: str) -> Tensor:
    """(N, 4) distances of boxes around one point each -> (N,) losses; see :attr:`PointConventions.box_loss`."""
    shared = torch.minimum(predicted, wanted)
    intersection = (shared[:, 0] + shared[:, 2]).clamp(min=0) * (shared[:, 1] + shared[:, 3]).clamp(min=0)
    area, other = _area(predicted), _area(wanted)
    union = area + other - intersection
    if kind == "iou_plus_one":
        return -torch.log((intersection + 1) / (union + 1))
    iou = intersection / union.clamp(min=SMALLEST_IOU)
    if kind == "iou":
        return -torch.log(iou.clamp(min=SMALLEST_IOU))
    hull = _area(torch.maximum(predicted, wanted)).clamp(min=SMALLEST_IOU)
    return 1 - (iou - (hull - union) / hull)


def _area(ltrb: Tensor) -> Tensor:
    return (ltrb[:, 0] + ltrb[:, 2]) * (ltrb[:, 1] + ltrb[:, 3])


def _flat(maps: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, H W, C)."""
    return maps.permute(0, 2, 3, 1).reshape(len(maps), -1, maps.shape[1])


def _mean_over_processes(value: Tensor, conventions: PointConventions) -> Tensor:
    if not conventions.averages_processes or not torch.distributed.is_initialized():
        return value
    shared = value.detach().clone()
    torch.distributed.all_reduce(shared)
    return shared / torch.distributed.get_world_size()
