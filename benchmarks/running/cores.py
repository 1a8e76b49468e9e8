"""How many processor cores there are for this process, and how many threads a cell gets."""

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
