"""Batches on their way to the network: copied without waiting, bytes normalised where they arrive."""

from __future__ import annotations

import benchmarks.engine.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
from typing import Any

import numpy as np
import torch
from mmengine.model import BaseDataPreprocessor
from numpy.typing import NDArray
from torch import Tensor

from tasks.accelerator import blank_beyond, is_far, looked_up
from tasks.base import EvalData, TrainData


def values_for(data: EvalData | TrainData, device: torch.device) -> NDArray[np.float32] | None:
    """Has samples made for the device of a network; returns what their bytes stand for there, None where they have none."""
    data.far = is_far(device)
    return data.byte_values() if data.far else None


STAY = ("index", "centre", "scale")
"""Entries of a batch that only the host reads: of which sample it is, and where its crop lies."""


class Mover(BaseDataPreprocessor):
    """Copies a batch to the network's device and finishes its ``images``: bytes (..., H, W, 3), one tensor or a list, become
    (..., 3, H, W) float32, normalised. What `STAY` names stays.

    Pictures that were padded together (``sizes_hw`` says from which sizes) are zero beyond their own.

    Args:
        values: (3, 256), what a byte of each channel stands for; None leaves the images as they come.
    """

    def __init__(self, values: NDArray[np.float32] | None = None) -> None:
        super().__init__(non_blocking=True)
        self.register_buffer("values", None if values is None else torch.from_numpy(values), persistent=False)

    def forward(self, data: Any, training: bool = False) -> Any:
        batch = {name: value if name in STAY else self.cast_data(value) for name, value in data.items()}
        if self.values is None:
            return batch
        images = batch.get("images")
        if isinstance(images, list):
            batch["images"] = [self._finished(image).contiguous() for image in images]
        elif isinstance(images, Tensor) and images.dtype == torch.uint8:
            batch["images"] = self._finished(images)
            if "sizes_hw" in batch:
                blank_beyond(batch["images"], batch["sizes_hw"])
        return batch

    def _finished(self, pixels: Tensor) -> Tensor:
        return looked_up(pixels, self.values) if pixels.dtype == torch.uint8 else pixels
