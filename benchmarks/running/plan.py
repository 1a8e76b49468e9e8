"""What a run would do: every cell's status before anything starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.installation import program
from benchmarks.experiment.key import changed_parts
from benchmarks.experiment.paths import Places
from benchmarks.experiment.resolve import resolve
from benchmarks.experiment.suite import Suite
from benchmarks.running.estimates import Basis, History
from benchmarks.store.store import Store, StoredCell
from hrnet.names import close_names

DONE, STALE, FAILED, TO_RUN = "done", "stale", "failed", "to run"
MISSING_DATA, MISSING_WEIGHTS = "missing data", "missing weights"


@dataclass(frozen=True)
class Planned:
    """A cell, its status, why, what is stored of it, the estimated seconds that it would take, and what they come from."""

    cell: Cell
    status: str
    detail: str
    stored: StoredCell | None
    estimate_s: float
    basis: Basis = "guess"

    @property
    def runs(self) -> bool:
        return self.status in (STALE, FAILED, TO_RUN)


def select(cells: Sequence[Cell], patterns: Sequence[str]) -> list[Cell]:
    """The cells whose name or id matches one of the shell patterns; all of them without patterns.

    Raises:
        ValueError: a pattern matches nothing; the nearest names are given.
    """
    if not patterns:
        return list(cells)
    for pattern in patterns:
        if not any(_matches(cell, pattern) for cell in cells):
            near = ", ".join(close_names(pattern, sorted({cell.name for cell in cells}), 3, cutoff=0))
            raise ValueError(
                f"--only {pattern!r} matches no cell. Nearest: {near}; `{program()} plan` without --only lists all {len(cells)}."
            )
    return [cell for cell in cells if any(_matches(cell, pattern) for pattern in patterns)]


def _matches(cell: Cell, pattern: str) -> bool:
    return fnmatch(cell.name, pattern) or fnmatch(cell.id, pattern) or fnmatch(cell.name, pattern + "/*")


def plan(suite: Suite, places: Places, only: Sequence[str] = (), rerun: Sequence[str] = ()) -> list[Planned]:
    """Status of every selected cell, in suite order.

    Args:
        rerun: statuses that are run again although a result is stored: "failed" always is, "all" reruns everything.
    """
    store = Store(places.out)
    history = History.of(store.all())
    planned = [_planned(cell, places, store, history, rerun) for cell in select(suite.cells, only)]
    anew = {item.cell.id for item in planned if item.runs}
    return [_after_its_sources(item, anew, history) for item in planned]


def _after_its_sources(item: Planned, anew: set[str], history: History) -> Planned:
    """A cell that reads boxes or weights of one that runs anew runs after it: a finished one is stale too."""
    if not set(item.cell.sources) & anew:
        return item
    estimate = history.estimate(item.cell)
    later = replace(item, estimate_s=estimate.seconds, basis=estimate.basis)
    if item.status == DONE:
        what = "boxes" if item.cell.boxes_from in anew else "weights"
        return replace(later, status=STALE, detail=f"the cell whose {what} it reads runs anew")
    if item.status == MISSING_WEIGHTS and item.cell.weights_from in anew:
        return replace(later, status=TO_RUN, detail="")
    return item


def _planned(cell: Cell, places: Places, store: Store, history: History, rerun: Sequence[str]) -> Planned:
    stored = store.load(cell.task, cell.id)
    estimate = history.estimate(cell)

    def made(status: str, detail: str = "") -> Planned:
        return Planned(cell, status, detail, stored, 0.0 if status == DONE else estimate.seconds, estimate.basis)

    resolved = resolve(cell, places)
    lack = resolved.lack()
    if lack is not None:
        return made(MISSING_WEIGHTS if lack.kind == "weights" else MISSING_DATA, lack.text)
    if stored is None:
        return made(TO_RUN)
    if stored.newer:
        raise ValueError(f"{stored.damage} Or choose another folder with --out.")
    if not stored.done:
        return made(FAILED, stored.record.reason or "")
    if "all" in rerun:
        return made(STALE, "asked to run again")
    changed = changed_parts(resolved, stored.record.key, stored.record.provenance.key_parts)
    if changed:
        return made(STALE, f"changed: {', '.join(changed)}")
    return made(DONE)
