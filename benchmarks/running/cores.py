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


def training_workers(wanted: int, asked: int | None) -> int:
    """Loader processes of a training: what was asked for, else the recipe's number, but no more than there are cores."""
    return min(wanted, available_cores()) if asked is None else asked


def evaluation_workers(tier: str, samples: int, asked: int | None) -> int:
    """Loader processes of an evaluation: what was asked for, else up to two for the full tier's many samples."""
    if asked is not None:
        return asked
    return min(2, os.cpu_count() or 1) if tier == "full" and samples > 64 else 0
