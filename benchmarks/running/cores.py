"""How many processor cores there are for this process, and how many threads and loader processes a cell gets."""

from __future__ import annotations

import os

ONE_THREAD = ("smoke", "embedded")
"""Tiers whose figures and weights are the same bits however many cells run side by side: sums over several threads differ in
their last digits."""


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_of(tier: str, asked: int | None, count: int = 1) -> int:
    """Threads of a cell of which `count` run side by side: what was asked for, else one, or in the full tier its share."""
    if asked is not None:
        return asked
    return 1 if tier in ONE_THREAD else max(1, available_cores() // count)


MOST_LOADERS = 16
"""Loader processes of one cell; more only wait for each other."""


def training_workers(wanted: int, asked: int | None, accelerator: bool = False, side_by_side: int = 1) -> int:
    """Loader processes of a training: what was asked for, else by the cores.

    On a CPU the recipe's number, no more than there are cores; beside an accelerator as many as there are cores for each of
    the cells that run side by side, where the recipe has loaders at all.
    """
    if asked is not None:
        return asked
    return _beside(side_by_side) if accelerator and wanted else min(wanted, available_cores())


def evaluation_workers(
    tier: str, samples: int, asked: int | None, accelerator: bool = False, side_by_side: int = 1
) -> int:
    """Loader processes of an evaluation: what was asked for, else for the full tier's many samples up to two on a CPU, which the
    network needs itself, and beside an accelerator as many as there are cores."""
    if asked is not None:
        return asked
    if tier != "full" or samples <= 64:
        return 0
    return _beside(side_by_side) if accelerator else min(2, available_cores())


def _beside(side_by_side: int) -> int:
    return max(1, min(MOST_LOADERS, available_cores() // max(1, side_by_side)))
