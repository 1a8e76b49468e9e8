"""What an accelerator is told: loaders that keep it busy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from benchmarks.engine.spawned_data import server

READ_EVERY = 20
"""Losses are read from an accelerator after so many steps: reading waits until all steps before are done."""


AHEAD_BYTES = 2**30
"""Of batches that wait in main memory: sixteen pictures of 800x1333 are a fifth of it."""


def loading(workers: int, device: torch.device, batch_bytes: int = 0) -> dict[str, Any]:
    """Options of a loader: processes that stay and run ahead as far as main memory allows; pinned memory where batches travel to
    an accelerator.

    Args:
        batch_bytes: of one batch, see :func:`bytes_of`; 0 where it is small.
    """
    cuda = device.type == "cuda"
    options: dict[str, Any] = {"num_workers": workers, "pin_memory": cuda, "persistent_workers": workers > 0}
    if workers:
        most = 4 if cuda else 2
        options["prefetch_factor"] = max(1, min(most, AHEAD_BYTES // max(1, workers * batch_bytes)))
        options |= server()
    return options


def bytes_of(batch: Any) -> int:
    """What the arrays of a batch take, however they are nested."""
    if isinstance(batch, Mapping):
        return sum(map(bytes_of, batch.values()))
    if isinstance(batch, list | tuple):
        return sum(map(bytes_of, batch))
    return int(getattr(batch, "nbytes", 0))
