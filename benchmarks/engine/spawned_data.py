"""Annotations that loader processes share where they are spawned: one copy in memory, however many processes read it.

A forked process sees its parent's memory; a spawned one gets a pickled copy of the dataset. Here the arrays of the dataset lie in
one block of shared memory, and what is pickled are their places in it.
"""

from __future__ import annotations

import multiprocessing
import pickle
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

ALIGNED = 64
"""Bytes: every array begins at a multiple."""


def for_loaders(data: Any, workers: int) -> Any:
    """The dataset as a loader with so many processes should have it: itself where it need not be sent."""
    if workers == 0 or multiprocessing.get_start_method() == "fork":
        return data
    return SpawnedData(data)


class SpawnedData(Dataset[Any]):
    """A dataset that is sent to other processes by its place in shared memory."""

    def __init__(self, data: Any) -> None:
        self.data = data
        self._packed: tuple[Tensor, list[tuple[int, int]]] | None = None

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, key: Any) -> Any:
        return self.data[key]

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        if self._packed is None:
            self._packed = _pack(self.data)
        return _unpacked, self._packed


def _pack(data: Any) -> tuple[Tensor, list[tuple[int, int]]]:
    """A block with the pickled object and its arrays, and (start, length) of each."""
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(data, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(body), *(buffer.raw() for buffer in buffers)]
    sizes = [-(-part.nbytes // ALIGNED) * ALIGNED for part in parts]
    starts = [0, *accumulate(sizes)]
    block = torch.empty(starts[-1], dtype=torch.uint8).share_memory_()  # type: ignore[no-untyped-call]
    into = memoryview(block.numpy().data)
    for start, part in zip(starts, parts, strict=False):
        into[start : start + part.nbytes] = part
    return block, [(start, part.nbytes) for start, part in zip(starts, parts, strict=False)]


def _unpacked(block: Tensor, places: list[tuple[int, int]]) -> SpawnedData:
    view = memoryview(block.numpy().data)  # keeps the block; the arrays keep the view
    body, *buffers = (view[start : start + length] for start, length in places)
    return SpawnedData(pickle.loads(body, buffers=buffers))
