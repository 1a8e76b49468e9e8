"""RoIAlign: torchvision's operator, on small maps of the CPU with a faster backward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

SMALL_CELLS = 64 * 64
"""Maps up to this many cells: above, products over whole rows and columns cost more than torchvision's loop over samples."""


def roi_align(x: Tensor, rois: Tensor, size: int, scale: float, sampling: int, aligned: bool) -> Tensor:
    """(B, C, H, W) maps and (N, 5) RoIs (picture, x1, y1, x2, y2) -> (N, C, size, size), as ``torchvision.ops.roi_align``."""
    if x.is_cpu and x.requires_grad and torch.is_grad_enabled() and x.shape[-2] * x.shape[-1] <= SMALL_CELLS:
        made: Tensor = _RoiAlign.apply(x, rois, size, scale, sampling, aligned)  # type: ignore[no-untyped-call]
        return made
    return _torchvision_roi_align(x, rois, size, scale, sampling, aligned)


def _torchvision_roi_align(x: Tensor, rois: Tensor, *options: Any) -> Tensor:
    from torchvision.ops import roi_align as operator

    made: Tensor = operator(x, rois, *options)
    return made


class _RoiAlign(torch.autograd.Function):
    """A bin is the mean of samples on a grid, each bilinear: a product of weights along y and along x.

    So the gradient of picture b is the sum over its RoIs n of A_n^T G_n B_n: few large matrix products instead of a loop over
    every sample of every channel.
    """

    @staticmethod
    def forward(context: Any, x: Tensor, rois: Tensor, size: int, scale: float, sampling: int, aligned: bool) -> Tensor:
        context.save_for_backward(rois)
        context.options = x.shape, size, scale, sampling, aligned
        return _torchvision_roi_align(x, rois, size, scale, sampling, aligned)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (rois,), (shape, size, scale, sampling, aligned) = context.saved_tensors, context.options
        batch, channels, height, width = shape
        along_y = axis_weights(rois[:, 2], rois[:, 4], height, size, scale, sampling, aligned)
        along_x = axis_weights(rois[:, 1], rois[:, 3], width, size, scale, sampling, aligned)
        given = gradients[0].permute(0, 2, 3, 1)  # (N, y bins, x bins, C)
        columns = along_x.transpose(1, 2)[:, None] @ given  # (N, y bins, W, C)
        pictures = rois[:, 0].to(torch.int64)
        made = given.new_zeros((batch, height, width, channels))
        for index in range(batch):
            own = torch.where(pictures == index)[0]
            rows = along_y[own].reshape(-1, height).T @ columns[own].reshape(-1, width * channels)
            made[index] = rows.reshape(height, width, channels)
        return made.permute(0, 3, 1, 2), None, None, None, None, None


def axis_weights(
    begin: Tensor, end: Tensor, length: int, size: int, scale: float, sampling: int, aligned: bool
) -> Tensor:
    """(N, size, length) weights of a map's cells in each bin of each RoI along one axis; out of reach they are 0.

    Args:
        begin, end: (N,) sides of the RoIs in pixels. length: cells of the map. sampling: samples per bin; 0 for as many as the
            bin has cells, rounded up.
    """
    first = begin * scale - (0.5 if aligned else 0.0)
    extent = end * scale - (0.5 if aligned else 0.0) - first
    if not aligned:
        extent = extent.clamp(min=1.0)
    step = extent / size
    count = torch.full_like(step, sampling) if sampling > 0 else step.ceil()
    most = int(count.max()) if len(count) else 0
    number = torch.arange(max(most, 1), device=begin.device, dtype=begin.dtype)
    bins = torch.arange(size, device=begin.device, dtype=begin.dtype)
    place = first[:, None, None] + bins[:, None] * step[:, None, None]
    place = place + (number + 0.5) * (step / count.clamp(min=1))[:, None, None]
    counts = (number < count[:, None, None]) & (place >= -1) & (place <= length)
    place = place.clamp(0, length - 1)
    low = place.floor()
    rest, weight = place - low, counts.to(place) / count.clamp(min=1)[:, None, None]
    below = low.to(torch.int64)
    made = place.new_zeros((len(begin), size, length))
    made.scatter_add_(2, below, (1 - rest) * weight)
    made.scatter_add_(2, (below + 1).clamp(max=length - 1), rest * weight)
    return made
