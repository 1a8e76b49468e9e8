"""Which stored figures were made by other code or data than are here now. It takes a second or two.

Told of trained cells on embedded data, whose key needs nothing but source files. The key of a checkpoint or of a real dataset
takes reading gigabytes: `plan` does that, tables do not.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.key import cell_key
from benchmarks.experiment.paths import Places
from benchmarks.experiment.resolve import resolve
from benchmarks.store.store import Store

NOTE = "made by other code or data than are here now: run it again"


def comparable(cell: Cell) -> bool:
    """Whether a cell's key can be told from source files alone."""
    return cell.data is not None and cell.recipe is not None and not cell.recipe.init_from


def outdated(cells: Iterable[Cell], store: Store) -> frozenset[str]:
    """Ids of the finished cells whose stored key is not the one that a run would give them now."""
    places = Places(out=store.root)
    found = set()
    for cell in cells:
        if not comparable(cell):
            continue
        stored = store.load(cell.task, cell.id)
        if stored is not None and stored.done and stored.record.key != cell_key(resolve(cell, places)):
            found.add(cell.id)
    return frozenset(found)
