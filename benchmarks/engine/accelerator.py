"""What an accelerator is told: loaders that keep it busy."""

from __future__ import annotations

from typing import Any

import torch

READ_EVERY = 20
"""Losses are read from an accelerator after so many steps: reading waits until all steps before are done."""


def loading(workers: int, device: torch.device) -> dict[str, Any]:
    """Options of a loader: processes that stay and run ahead; pinned memory where batches travel to an accelerator."""
    cuda = device.type == "cuda"
    options: dict[str, Any] = {"num_workers": workers, "pin_memory": cuda, "persistent_workers": workers > 0}
    if workers and cuda:
        options["prefetch_factor"] = 4
    return options
