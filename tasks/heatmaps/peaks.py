"""Peaks of heat maps found where the maps are: what travels from an accelerator is x, y and height of each map.

The same rules as `tasks.heatmaps.decoding`, to the same bits: comparisons, quarters and halves of a cell are exact in float32.
Rules that blur a map are in `tasks.heatmaps.blurred`.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

RULES: tuple[str, ...] = ("argmax", "quarter", "quarter_per_axis")
"""Those of `tasks.heatmaps.decoding.DECODERS` that need no blur."""


def decode_there(maps: Tensor, rule: str, border: int = 1) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """`decode` of maps (..., H, W) float32, on their device, by one of `RULES`: points (..., 2) in cells and scores (...,).

    Args:
        border: as of `refine_quarter`.
    """
    height, width = maps.shape[-2:]
    flat = maps.flatten(-2)
    x, y, scores = highest(maps)
    across = _step(flat, y * width + x, 1)
    down = _step(flat, y * width + x, width)
    if rule == "quarter":
        inside = (x > border) & (x < width - 1) & (y > border) & (y < height - 1)
        moved_x, moved_y = inside, inside
    else:
        moved_x = (x > 1) & (x < width - 1) & (y > 0)
        moved_y = (y > 1) & (y < height - 1) & (x > 0)
    points = torch.stack([x, y], -1).to(torch.float32)
    if rule != "argmax":
        points += torch.stack([across * moved_x, down * moved_y], -1)
    if rule == "quarter_per_axis":
        points = torch.where((scores <= 0)[..., None], -1.0, points)
    found = torch.cat([points, scores[..., None].to(torch.float32)], -1).cpu().numpy()  # one journey
    return found[..., :2].copy(), found[..., 2].copy()


def highest(maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Column, row and height of the highest cell of maps (..., H, W), each (...,): `tasks.heatmaps.decoding.argmax_points`."""
    width, flat = maps.shape[-1], maps.flatten(-2)
    best = flat.argmax(-1, keepdim=True)  # the first of equal ones, as NumPy's
    scores = flat.gather(-1, best)[..., 0]
    positive = ~(scores <= 0)
    return (best % width)[..., 0] * positive, (best // width)[..., 0] * positive, scores


def _step(flat: Tensor, cell: Tensor, stride: int) -> Tensor:
    """A quarter towards the higher of the cells ``stride`` after and before; at the ends of a map whatever comes of it."""
    last = flat.shape[-1] - 1
    after = flat.gather(-1, (cell + stride).clamp(max=last)[..., None])
    before = flat.gather(-1, (cell - stride).clamp(min=0)[..., None])
    return 0.25 * torch.sign(after - before)[..., 0]
