"""What is done where the network is, once that is an accelerator: bytes are normalised there, and results are made small there.

A batch of bytes is a quarter of one of float32, and loaders are spared the look-up; of heat maps the peaks travel back, of label
maps the counts. Everything is written for any device: `taken_as_far` shows the same steps on a CPU, to the same bits.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_TAKEN_AS_FAR: list[bool] = []


def is_far(device: torch.device) -> bool:
    """Whether batches travel to a device, and results back."""
    return device.type == "cuda" or bool(_TAKEN_AS_FAR)


@contextmanager
def taken_as_far() -> Iterator[None]:
    """While it is open a CPU is treated as an accelerator is: for tests and dry runs."""
    _TAKEN_AS_FAR.append(True)
    try:
        yield
    finally:
        _TAKEN_AS_FAR.pop()


def is_tensor(values: Any) -> TypeGuard[Tensor]:
    """Whether values are a tensor, without loading PyTorch to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(values, torch.Tensor)


def on_host(values: Any) -> NDArray[Any]:
    """A tensor's values as an array of this process; an array, or what can be one."""
    return np.asarray(values.detach().cpu().numpy() if is_tensor(values) else values)


def sent(values: NDArray[Any], device: torch.device) -> Tensor:
    """A small array on a device, which is not waited for: the driver has taken its copy when the call returns."""
    import torch

    return torch.from_numpy(values).to(device, non_blocking=True)


@functools.lru_cache(maxsize=256)
def _constant(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    import torch

    with torch.inference_mode(False):  # a training may follow, which keeps no tensors of inference
        return torch.tensor(values, dtype=dtype, device=device)


def constant(values: Sequence[float], like: Tensor) -> Tensor:
    """A few numbers as a tensor where ``like`` is and of its type, made once; not to be written to."""
    return _constant(tuple(values), like.dtype, like.device)


def looked_up(pixels: Tensor, values: Tensor) -> Tensor:
    """(..., H, W, 3) uint8 -> (..., 3, H, W) float32, each channel's value at its row of ``values`` (3, 256).

    The bits of `tasks.images.look_up`. A batch lies in memory as it came, channels last.
    """
    import torch

    rows = pixels.to(torch.int32) + torch.arange(0, 768, 256, dtype=torch.int32, device=pixels.device)
    return values.reshape(-1).index_select(0, rows.reshape(-1)).reshape(rows.shape).movedim(-1, -3)


def blank_beyond(images: Tensor, sizes_hw: Any) -> Tensor:
    """Images (B, 3, H, W) with zeros, in place, right of and below each one's own size: padding is of the normalised picture."""
    for image, (height, width) in zip(images, sizes_hw, strict=True):
        image[:, int(height) :] = 0
        image[:, :, int(width) :] = 0
    return images
