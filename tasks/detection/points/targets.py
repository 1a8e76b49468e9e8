"""What every point of an FCOS shall learn: the smallest object around it whose size is its level's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tasks.detection.boxes.point_conventions import PointConventions
from tasks.detection.boxes.points import distances


@dataclass(frozen=True)
class PointTargets:
    """Of one picture's points: ``labels`` (N,) 1 .. K, 0 for background; ``ltrb`` (N, 4) px, of the positives alone in use."""

    labels: Tensor
    ltrb: Tensor

    @property
    def positive(self) -> Tensor:
        """(P,) indices of the points that lie in an object."""
        return torch.where(self.labels > 0)[0]


def point_targets(
    points: Sequence[Tensor],
    strides: Sequence[int],
    ranges: Sequence[tuple[float, float]],
    boxes: Tensor,
    labels: Tensor,
    conventions: PointConventions,
) -> PointTargets:
    """Targets of one picture.

    A point belongs to an object when it lies strictly inside its box (or near its centre, ``centre_radius``) and the greatest of
    the four distances is within its level's range, both ends included; of several the smallest, of equals the first.

    Args:
        points: (N_l, 2) per level. boxes: (G, 4) in the family's ends. labels: (G,) from 1.
    """
    places = torch.cat(list(points)).to(boxes)
    if len(boxes) == 0:
        return PointTargets(labels.new_zeros(len(places)), places.new_zeros((len(places), 4)))
    counts = [len(p) for p in points]
    ltrb = distances(places, boxes[None])
    if conventions.centre_radius is None:
        inside = ltrb.min(dim=-1).values > 0
    else:
        reach = _per_point([conventions.centre_radius * s for s in strides], counts, places)
        inside = _near_centre(places, boxes, reach)
    low = _per_point([r[0] for r in ranges], counts, places)
    high = _per_point([r[1] for r in ranges], counts, places)
    greatest = ltrb.max(dim=-1).values
    eligible = inside & (greatest >= low[:, None]) & (greatest <= high[:, None])
    one = 1.0 if conventions.inclusive_ends else 0.0
    area = (boxes[:, 2] - boxes[:, 0] + one) * (boxes[:, 3] - boxes[:, 1] + one)
    rank = torch.empty_like(labels)
    order = torch.argsort(area, stable=True)
    rank[order] = torch.arange(len(boxes), device=labels.device)
    best = torch.where(eligible, rank[None], len(boxes)).min(dim=1).values
    found = best < len(boxes)
    chosen = order[best.clamp(max=len(boxes) - 1)]
    return PointTargets(
        torch.where(found, labels[chosen], 0), ltrb[torch.arange(len(places), device=ltrb.device), chosen]
    )


def centerness(ltrb: Tensor) -> Tensor:
    """(N, 4) distances -> (N,) sqrt(min(l, r) / max(l, r) * min(t, b) / max(t, b))."""
    sides, ends = ltrb[:, 0::2], ltrb[:, 1::2]
    ratio = sides.min(1).values / sides.max(1).values * (ends.min(1).values / ends.max(1).values)
    return ratio.sqrt()


def _per_point(values: Sequence[float], counts: Sequence[int], like: Tensor) -> Tensor:
    return torch.cat([like.new_full((count,), value) for value, count in zip(values, counts, strict=True)])


def _near_centre(points: Tensor, boxes: Tensor, reach: Tensor) -> Tensor:
    """(N, G) bool: the point lies within ``reach`` px of the box's centre, in x and in y, and inside the box."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    low = torch.maximum(centre[None] - reach[:, None, None], boxes[None, :, :2])
    high = torch.minimum(centre[None] + reach[:, None, None], boxes[None, :, 2:])
    place = points[:, None]
    return torch.cat([place - low, high - place], dim=-1).min(dim=-1).values > 0
