"""What a cell takes of a machine: cores, a share of an accelerator, memory from its recipe and model."""

from __future__ import annotations

from typing import Any

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.paths import Places
from benchmarks.running.cores import ONE_THREAD
from benchmarks.running.executors.interface import GIB, Resources

FULL_TIER_CORES = 4
"""Threads of a full-tier cell on a CPU of a cluster, where nothing else says how many."""
PROCESS_BYTES = 3 * GIB // 2
"""A process with torch, mmengine and a body of some ten million parameters."""
LOADER_BYTES = GIB // 2
ACTIVATIONS_PER_PX = (("micro", 30), ("small", 100), ("hourglass_s8", 1400))
"""Numbers (float32) that a forward pass holds for each pixel of the input, by a part of the model's name; from
`hrnet.profile`, of which most bodies have 250 to 700."""
USUAL_PER_PX = 700
DEFAULT_INPUT_WH = (512, 512)


def resources_of(cell: Cell, places: Places, gpu: bool) -> Resources:
    """What a cell takes.

    Args:
        gpu: whether it runs on an accelerator, or on the share of one that ``places.cells_per_gpu`` leaves it. Its activations
            are there then, not in main memory.
    """
    loaders = _loaders(cell, places)
    threads = places.threads or (1 if cell.tier in ONE_THREAD or gpu else FULL_TIER_CORES)
    memory = PROCESS_BYTES + loaders * LOADER_BYTES
    if not gpu and cell.recipe is not None:
        width, height = _input_wh(cell)
        batch = int(getattr(cell.recipe, "batch_size", 1))
        # The activations, and at most as much again for their gradients.
        memory += 2 * 4 * _per_px(cell.model) * width * height * batch
    return Resources(threads + loaders, 1 / places.cells_per_gpu if gpu else 0.0, int(memory))


def _loaders(cell: Cell, places: Places) -> int:
    if places.num_workers is not None:
        return places.num_workers
    return int(getattr(cell.recipe, "num_workers", 0)) if cell.recipe is not None else 0


def _per_px(model: str) -> int:
    return next((number for part, number in ACTIVATIONS_PER_PX if part in model), USUAL_PER_PX)


def _input_wh(cell: Cell) -> tuple[int, int]:
    """The size of a training input, where recipe or protocol state one."""
    holders: tuple[Any, ...] = (getattr(cell.recipe, "augment", None), cell.recipe, cell.protocol)
    for holder in holders:
        for name in ("crop_wh", "input_wh"):
            size = getattr(holder, name, None)
            if size:
                return int(size[0]), int(size[1])
    return DEFAULT_INPUT_WH
