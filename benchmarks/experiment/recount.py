"""Stored figures that were changed by hand: they are not what the stored statistics give.

A result is written with a seal over its figures. Where the seal fits nothing is computed; where it does not, or where an older
version wrote none, the figures are computed anew from the statistics. Other seals tell that anything else of the record, or the
statistics, was changed.
"""

from __future__ import annotations

import math

import tasks
from benchmarks.store.record import seal_of
from benchmarks.store.store import AGAIN, StoredCell

TOLERANCE = 1e-9


def altered(stored: StoredCell) -> tuple[str, ...]:
    """Names of the figures of a finished cell that differ from what its statistics give; all of them where it has none to
    compare with, though its seal is broken."""
    record = stored.record
    if not stored.done or record.seal == seal_of(record):
        return ()
    try:
        stats = stored.stats()
    except ValueError:
        stats = {}
    if not stats:
        return tuple(record.figures) if record.seal is not None else ()
    try:
        found = tasks.get_task(record.cell.task).figures(record.cell.dataset, stats, record.cell.protocol)
    except Exception:  # statistics and protocol are data from outside: they may be those of nothing
        return tuple(record.figures)
    return tuple(
        name
        for name in dict.fromkeys([*record.figures, *found])
        if name not in record.figures or not _same(record.figures[name].value, found.get(name))
    )


def told(stored: StoredCell) -> str:
    """A sentence about altered figures, or else record or statistics, for rows and verdicts; "" where all is as written."""
    if not stored.done:
        return ""
    names = altered(stored)
    if not names and stored.edited:
        return f"cell.json: not as it was written; the file was edited. {AGAIN}"
    if not names and stored.statistics_edited():
        return f"stats.npz: not the statistics that were written; the file was edited. {AGAIN}"
    if not names:
        return ""
    some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{some}: not what the stored statistics give; the file was edited. {AGAIN}"


def _same(stored: float | None, found: float | None) -> bool:
    if stored is None or found is None or not math.isfinite(found):
        return stored is None and (found is None or not math.isfinite(found))
    return math.isclose(stored, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
