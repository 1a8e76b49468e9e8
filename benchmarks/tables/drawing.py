"""Draws the bootstrap intervals that a store does not hold yet, several cells at a time."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.store.store import Store, StoredCell
from benchmarks.tables.rows import Measured
from benchmarks.tables.uncertainty import cell_spread

FEW = 12
"""Fewer cells than this are drawn where they are needed: a process takes as long to start."""


def draw_missing(rows: Iterable[Measured], store: Store, jobs: int) -> int:
    """Draws the headline intervals of rows with one finished seed in `jobs` processes; returns how many were drawn.

    They are kept beside the cells, where the tables find them. Smoke cells have none.
    """
    due = []
    for row in rows:
        if row.cell.tier != "smoke" and len(row.done) == 1 and (metric := row.done[0].record.headline):
            held = row.done[0]
            if (held.folder / "stats.npz").exists() and not _has_interval(held, metric):
                due.append((store.root, held.record.cell.task, held.id, metric))
    if jobs < 2 or len(due) < FEW or not os.access(store.root, os.W_OK):
        return 0
    context = get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(due)), mp_context=context, initializer=_leave_interrupts) as pool:
        list(pool.map(_draw, *zip(*due, strict=True)))
    return len(due)


def _has_interval(stored: StoredCell, metric: str) -> bool:
    """Also True where what was kept was edited, which the row says."""
    try:
        return bool(cell_spread(stored, [metric], compute=False))
    except ValueError:
        return True


def _leave_interrupts() -> None:
    """Ctrl-C is the caller's, who ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _draw(root: Path, task: str, cell_id: str, metric: str) -> None:
    """What this process does not know (a declared dataset, a task of a plugin) is left to the caller's."""
    with contextlib.suppress(ValueError):
        stored = Store(root).load(task, cell_id)
        if stored is not None and stored.done:
            cell_spread(stored, [metric])
