"""Heat maps blurred on their device: what travels is each peak and what is around it, and the host takes the steps.

A blur is two products with matrices that OpenCV fills itself, so kernel and border are those of the maps on a host. They are
computed in float64, which no setting turns into TF32: results differ from OpenCV's by what float32 rounds there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.accelerator import sent
from tasks.heatmaps.peaks import highest

CELLS_AT_ONCE = 2**22
"""Cells of maps that are blurred at a time: 32 MiB of float64, three times."""


@functools.lru_cache(maxsize=64)
def _weights(length: int, blur: int, border: int) -> NDArray[np.float32]:
    """(length, length): row by row what OpenCV makes of a one at each place of a line."""
    ones = np.eye(length, dtype=np.float32)
    return np.asarray(cv2.GaussianBlur(ones, (blur, 1), 0, borderType=border), np.float32)


def blurred(maps: Tensor, blur: int, border: int = cv2.BORDER_CONSTANT) -> Tensor:
    """Maps (N, H, W) smoothed by OpenCV's Gaussian of `blur` cells a side, (N, H, W) float64."""
    down, across = (sent(_weights(length, blur, border), maps.device).double() for length in maps.shape[-2:])
    return down.T @ (maps.double() @ across)


def around(maps: Tensor, x: Tensor, y: Tensor, reach: int) -> Tensor:
    """`tasks.heatmaps.decoding.neighbourhoods` (N, 2 `reach` + 1, 2 `reach` + 1) of maps (N, H, W) around cells x, y (N,)."""
    height, width = maps.shape[-2:]
    steps = torch.arange(-reach, reach + 1, device=maps.device)
    columns = (x[:, None] + steps).clamp(0, width - 1)[:, None]
    rows = (y[:, None] + steps).clamp(0, height - 1)[:, :, None]
    return maps.flatten(1).gather(1, (rows * width + columns).flatten(1)).unflatten(1, (2 * reach + 1, 2 * reach + 1))


def dark_there(
    maps: Tensor, blur: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64], NDArray[np.float32]]:
    """Of maps (..., H, W): highest cells (..., 2), their heights (...,), and their surroundings, smoothed (..., 5, 5) and as they
    are (..., 3, 3)."""

    def found(part: Tensor) -> Tensor:
        x, y, scores = highest(part)
        return _columns(x, y, scores, around(blurred(part, blur), x, y, 2), around(part, x, y, 1))

    shape = maps.shape[:-2]
    table = _in_parts(found, maps.reshape(-1, *maps.shape[-2:])).reshape(*shape, 3 + 25 + 9)
    plain = table[..., :3].astype(np.float32)
    smooth, beside = table[..., 3:28].reshape(*shape, 5, 5), table[..., 28:].reshape(*shape, 3, 3)
    return plain[..., :2].copy(), plain[..., 2].copy(), smooth, beside.astype(np.float32)


def udp_there(maps: Tensor, blur: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Of maps (..., H, W): highest cells (..., 2), their heights (...,), and of those above 0 the surroundings (N, 3, 3) once
    smoothed and scaled to the old height."""

    def found(part: Tensor) -> Tensor:
        x, y, scores = highest(part)
        smooth = blurred(part, blur)
        scale = scores / smooth.flatten(1).amax(1)
        return _columns(x, y, scores, around(smooth, x, y, 1) * scale[:, None, None])

    shape = maps.shape[:-2]
    table = _in_parts(found, maps.reshape(-1, *maps.shape[-2:]))
    cells, scores = table[:, :2].astype(np.float32), table[:, 2].astype(np.float32)
    return cells.reshape(*shape, 2), scores.reshape(shape), table[scores > 0, 3:].reshape(-1, 3, 3)


def combined_there(triples: Tensor, side: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Of maps (N, 3, H, W), a disc and offsets in x and y: the smoothed disc's highest cell (N, 2), its height (N,), and the
    offsets there (N, 2)."""

    def found(part: Tensor) -> Tensor:
        x, y, scores = highest(blurred(part[:, 0], side, cv2.BORDER_DEFAULT).float())
        offsets = part[:, 1:].flatten(2).gather(2, (y * part.shape[-1] + x)[:, None, None].expand(-1, 2, 1))
        return _columns(x, y, scores, offsets)

    table = _in_parts(found, triples).astype(np.float32)
    return table[:, :2].copy(), table[:, 2], table[:, 3:]


def _columns(*values: Tensor) -> Tensor:
    """(N, ...) each, side by side as the columns of one table (N, K) of float64."""
    return torch.cat([value.double().unsqueeze(-1).flatten(1) for value in values], 1)


def _in_parts(found: Callable[[Tensor], Tensor], maps: Tensor) -> NDArray[np.float64]:
    """The rows (N, K) that are found of maps (N, ...), on the host: some maps at a time, and one journey."""
    at_once = max(1, CELLS_AT_ONCE // max(1, maps[:1].numel()))
    return np.asarray(torch.cat([found(part) for part in maps.split(at_once)]).cpu().numpy())
