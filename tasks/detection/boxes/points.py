"""Points of an FCOS, one per cell of the pyramid, and boxes as distances from them (arXiv 1904.01355)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

FAR_PX = 1e8


def pyramid_points(map_sizes_hw: Sequence[tuple[int, int]], strides: Sequence[int]) -> list[Tensor]:
    """One (H * W, 2) tensor of x, y in px per level, rows first: the middles of the cells."""
    levels = []
    for (height, width), stride in zip(map_sizes_hw, strides, strict=True):
        y, x = torch.meshgrid(
            (torch.arange(height) + 0.5) * stride, (torch.arange(width) + 0.5) * stride, indexing="ij"
        )
        levels.append(torch.stack([x.reshape(-1), y.reshape(-1)], dim=1))
    return levels


@lru_cache(maxsize=16)
def points_on(
    device: torch.device, map_sizes_hw: tuple[tuple[int, int], ...], strides: tuple[int, ...]
) -> tuple[Tensor, ...]:
    """:func:`pyramid_points` on a device, made once for maps of these sizes; not to be written to."""
    with torch.inference_mode(False):  # a training may follow, which keeps no tensors of inference
        return tuple(level.to(device) for level in pyramid_points(map_sizes_hw, strides))


def size_ranges(strides: Sequence[int], scale: float = 8.0) -> list[tuple[float, float]]:
    """(low, high) of the greatest distance in px that a level answers for: up to ``scale`` strides, both ends included.

    At the published scale of 8 the five levels have (-1, 64) ... (512, far), the six (-1, 32) ... (512, far).
    """
    ends = [scale * stride for stride in strides[:-1]]
    return list(zip([-1.0, *ends], [*ends, FAR_PX], strict=True))


def distances(points: Tensor, boxes: Tensor) -> Tensor:
    """(N, 2) points and (N or 1, ..., 4) boxes -> left, top, right, bottom (..., 4)."""
    x, y = points[:, 0], points[:, 1]
    if boxes.dim() == 3:
        x, y = x[:, None], y[:, None]
    return torch.stack([x - boxes[..., 0], y - boxes[..., 1], boxes[..., 2] - x, boxes[..., 3] - y], dim=-1)


def boxes_at(points: Tensor, ltrb: Tensor) -> Tensor:
    """The inverse of :func:`distances`: (N, 2) and (N, 4) -> boxes (N, 4) xyxy."""
    return torch.cat([points - ltrb[:, :2], points + ltrb[:, 2:]], dim=1)
