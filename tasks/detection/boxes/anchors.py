"""Anchors of every generation: one scale, three shapes per cell, laid over the pyramid's levels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from tasks.detection.boxes.conventions import Conventions

RATIOS = (0.5, 1.0, 2.0)
"""Height over width, in the order of the channels of the RPN's outputs."""


def cell_anchors(stride: int, conventions: Conventions, scale: float = 8.0, ratios: Sequence[float] = RATIOS) -> Tensor:
    """(len(ratios), 4) anchors of the first cell, exclusive ends, in pixels of the network's input.

    Sides are scale * stride / sqrt(ratio) and scale * stride * sqrt(ratio). Rounding is to even at halves, in the ends of the
    family: with inclusive ends around (stride - 1) / 2 it gives the vectors of ``docs/protocols.md`` 15. Sides that are "whole"
    are rounded at the scale of the stride (Detectron's generate_anchors).
    """
    shape = torch.tensor(ratios, dtype=torch.float32).sqrt()
    width, height = 1 / shape * (scale * stride), shape * (scale * stride)
    if conventions.anchor_sides == "whole":
        width = (stride / shape).round()
        width, height = width * scale, (width * torch.tensor(ratios)).round() * scale
    one = 1.0 if conventions.inclusive_ends else 0.0
    centre = conventions.anchor_centre * stride - 0.5 * one
    half_w, half_h = (width - one) / 2, (height - one) / 2
    corners = torch.stack([centre - half_w, centre - half_h, centre + half_w, centre + half_h], dim=1)
    if conventions.anchor_rounded:
        corners = corners.round()
    return corners + corners.new_tensor([0.0, 0.0, one, one])


def pyramid_anchors(
    map_sizes_hw: Sequence[tuple[int, int]],
    strides: Sequence[int],
    input_hw: tuple[int, int],
    conventions: Conventions,
    scale: float = 8.0,
    ratios: Sequence[float] = RATIOS,
) -> list[Tensor]:
    """One (H * W * len(ratios), 4) tensor per level, rows first, shapes fastest.

    Args:
        map_sizes_hw: of the levels. strides: nominal. input_hw: of the padded batch.
    """
    levels = []
    for (height, width), stride in zip(map_sizes_hw, strides, strict=True):
        step_y, step_x = stride, stride
        if conventions.strides_measured:
            step_y, step_x = input_hw[0] // height, input_hw[1] // width
        shift_y, shift_x = torch.meshgrid(torch.arange(height) * step_y, torch.arange(width) * step_x, indexing="ij")
        shifts = torch.stack([shift_x, shift_y, shift_x, shift_y], dim=-1).reshape(-1, 1, 4)
        levels.append((shifts + cell_anchors(stride, conventions, scale, ratios)).reshape(-1, 4))
    return levels


@lru_cache(maxsize=16)
def anchors_on(
    device: torch.device,
    map_sizes_hw: tuple[tuple[int, int], ...],
    strides: tuple[int, ...],
    input_hw: tuple[int, int],
    conventions: Conventions,
    scale: float,
) -> tuple[Tensor, ...]:
    """:func:`pyramid_anchors` on a device, made once for inputs of one size (4 MB for 800x1344); not to be written to."""
    with torch.inference_mode(False):  # a training may follow, which keeps no tensors of inference
        levels = pyramid_anchors(map_sizes_hw, strides, input_hw, conventions, scale)
        return tuple(level.to(device) for level in levels)
