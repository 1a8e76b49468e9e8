"""Resizing and padding of pictures, in the two ways that published detectors were evaluated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from tasks.images import IMAGENET_MEAN, IMAGENET_STD


def interpolate(image: Tensor, short_px: int, long_px: int) -> Tensor:
    """(3, H, W) float -> keep-ratio resized, as torchvision's transform does after normalising (bilinear, no antialias)."""
    height, width = image.shape[-2:]
    factor = min(short_px / min(height, width), long_px / max(height, width))
    if factor * min(height, width) < 1:  # PyTorch makes no picture without pixels of a very narrow one
        size_hw = (max(1, int(height * factor)), max(1, int(width * factor)))
        return functional.interpolate(image[None], size=size_hw, mode="bilinear", align_corners=False)[0]
    return functional.interpolate(
        image[None], scale_factor=factor, mode="bilinear", recompute_scale_factor=True, align_corners=False
    )[0]


def pad_together(images: Sequence[Tensor], multiple: int = 32) -> Tensor:
    """Pictures of several sizes as one batch, zeros to the right and below, sides divisible by ``multiple``."""
    height = -(-max(x.shape[-2] for x in images) // multiple) * multiple
    width = -(-max(x.shape[-1] for x in images) // multiple) * multiple
    batch = images[0].new_zeros((len(images), images[0].shape[0], height, width))
    for row, image in zip(batch, images):
        row[:, : image.shape[-2], : image.shape[-1]] = image
    return batch


def torchvision_batch(
    images: Sequence[Tensor], short_px: int = 800, long_px: int = 1333
) -> tuple[Tensor, list[tuple[int, int]]]:
    """Pictures (3, H, W) in 0 .. 1 -> normalised, resized, padded batch, and the sizes before padding.

    Raises:
        ValueError: a picture is not (3, H, W) floating point.
    """
    ready = []
    for image in images:
        if image.dim() != 3 or image.shape[0] != 3 or not image.is_floating_point():
            raise ValueError(
                f"Expected pictures as float tensors (3, H, W) in 0 .. 1, got {tuple(image.shape)} {image.dtype}. "
                "Divide 8-bit values by 255, and give a list of pictures."
            )
        mean, std = image.new_tensor(IMAGENET_MEAN)[:, None, None], image.new_tensor(IMAGENET_STD)[:, None, None]
        ready.append(interpolate((image - mean) / std, short_px, long_px))
    return pad_together(ready), [(x.shape[-2], x.shape[-1]) for x in ready]


def interpolate_array(image: NDArray[np.float32], short_px: int, long_px: int) -> NDArray[np.float32]:
    """:func:`interpolate` of a NumPy picture (3, H, W)."""
    return interpolate(torch.from_numpy(np.ascontiguousarray(image)), short_px, long_px).numpy()
