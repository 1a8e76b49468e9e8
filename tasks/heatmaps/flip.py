"""Flip test of heat maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tasks.accelerator import constant, sent
from tasks.geometry import swap_order

COMBINED = 3
"""Maps a point of UDP's combined coding: a disc, and the offsets in x and y."""


def unflip_combined(maps: Tensor, pairs: Sequence[Sequence[int]]) -> Tensor:
    """As `unflip` for combined maps (B, 3 J, H, W): the three maps of a joint move together, and offsets in x change sign."""
    batch, channels, height, width = maps.shape
    triples = maps.flip(-1).reshape(batch, channels // COMBINED, COMBINED, height, width)
    order = sent(swap_order(channels // COMBINED, pairs), maps.device)
    sign = constant((1.0, -1.0, 1.0), maps)[:, None, None]
    return (triples[:, order] * sign).reshape(maps.shape)


def unflip(maps: Tensor, pairs: Sequence[Sequence[int]], shift: bool = False) -> Tensor:
    """Turns the heat maps (B, J, H, W) of a mirrored picture back: mirrored along x, left joints exchanged with right ones.

    Args:
        pairs: (left, right) indices of joints that change places.
        shift: also moves the result right by one cell, column 0 keeping its value: cells at multiples of an even stride are not
            where their mirror images are, which this makes up for (protocols, section 4).
    """
    order = sent(swap_order(maps.shape[1], pairs), maps.device)
    back = maps.flip(-1)[:, order]
    return torch.cat([back[..., :1], back[..., :-1]], dim=-1) if shift else back


def flip_test(
    maps: Tensor,
    model: Callable[[Tensor], Tensor],
    images: Tensor,
    pairs: Sequence[Sequence[int]],
    *,
    shift: bool,
    merge: str = "mean",
    combined: bool = False,
) -> Tensor:
    """Merges `maps` (B, J, h, w), the model's of images (B, 3, H, W), with those of the mirrored images.

    Args:
        pairs, shift: as of `unflip`. merge: "mean", or "sum" (pytorch-pose). combined: the maps are as of `unflip_combined`.
    """
    mirrored = model(images.flip(-1))
    total = maps + (unflip_combined(mirrored, pairs) if combined else unflip(mirrored, pairs, shift))
    return total if merge == "sum" else total * 0.5
