"""Loader processes of a worker: they share its annotations, one copy in memory however many read it, and begin at once.

A forked process sees its parent's memory; a spawned one gets a pickled copy of the dataset. Here the arrays of the dataset lie in
one block of shared memory, and what is pickled are their places in it. Where a process's children are spawned (those of the local
engine's workers are), its loaders are forked off a server process that has imported torch and nothing else, once for all: four
loaders that import it each would take 8 s of two cores, and a gigabyte.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import sys
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

ALIGNED = 64
"""Bytes: every array begins at a multiple."""


PRELOADED = ["benchmarks.engine.spawned_data", "torch.utils.data", "cv2", "PIL.Image", "msgspec"]
"""What the server process imports: no more than is safe to fork."""


def server() -> dict[str, Any]:
    """The option of a loader that has its processes forked off the server; nothing where they are forked off this process, and
    on systems whose libraries do not survive a fork (macOS)."""
    if multiprocessing.get_start_method() == "fork" or sys.platform != "linux":
        return {}
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return {"multiprocessing_context": context}


def begin_server() -> None:
    """Starts the server process, where there is to be one, while this process reads its annotations."""
    if server():
        from multiprocessing import forkserver

        with contextlib.suppress(OSError):  # loaders say so, where there are some
            forkserver.ensure_running()


def for_loaders(data: Any, workers: int) -> Any:
    """The dataset as a loader with so many processes should have it: itself where it need not be sent."""
    if workers == 0 or multiprocessing.get_start_method() == "fork":
        return data
    return SpawnedData(data)


class SpawnedData(Dataset[Any]):
    """A dataset that is sent to other processes by its place in shared memory.

    What else is sent beside it must go through it: the dataset's own method would take a copy of all its arrays along.
    """

    def __init__(self, data: Any) -> None:
        self.data = data
        self._packed: tuple[Tensor, list[tuple[int, int]]] | None = None

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, key: Any) -> Any:
        return self.data[key]

    def collate(self, samples: list[Any]) -> Any:
        """A batch, as the dataset makes it."""
        return self.data.collate(samples)

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
