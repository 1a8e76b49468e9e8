"""A cell that several processes want: one runs it, the others wait or take its result."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.engine.hooks import Progress, Report
from benchmarks.experiment.cell import Cell
from benchmarks.experiment.key import changed_parts
from benchmarks.experiment.paths import Places
from benchmarks.experiment.resolve import resolve
from benchmarks.store.claims import BusyError
from benchmarks.store.store import Store, StoredCell

WAIT_S = 1.0
"""Between two looks at whether another process has ended."""


def claimed(store: Store, cell: Cell, report: Report, wait: bool) -> Path:
    """Claims the cell for this process and returns its workspace.

    Args:
        wait: until another process that runs the cell has ended; `report` is told so.

    Raises:
        BusyError: another process runs the cell, and this one does not wait.
    """
    told = False
    while True:
        try:
            return store.workspace(cell.task, cell.id)
        except BusyError as error:
            if not wait:
                raise
            if not told:
                report(Progress("waits", note=f"waits: {error}"))
            told = True
        time.sleep(WAIT_S)


def made_meanwhile(store: Store, cell: Cell, places: Places, seen: str) -> StoredCell | None:
    """What another process has stored since the plan was made, if it is what this one would make; a failure is one too."""
    stored = store.load(cell.task, cell.id)
    if stored is None or stored.damage or stored.stamp == seen:
        return None
    if not stored.done:
        return stored
    try:
        changed = changed_parts(resolve(cell, places), stored.record.key, stored.record.provenance.key_parts)
    except (FileNotFoundError, ValueError):  # the trial tells what is missing
        return None
    return None if changed else stored
