"""Which results of two runs answer the same question.  Torch-free.

A run is a folder of results (what `--out` named, its `runs/`, or one cell's own folder); a family is a cell under all its seeds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.analysis.expected import family_of
from benchmarks.store.store import Store, StoredCell


@dataclass(frozen=True)
class Family:
    """The results of one cell under its seeds, in order of seeds."""

    members: tuple[StoredCell, ...]

    @property
    def first(self) -> StoredCell:
        """The first that is finished; the first of all where none is."""
        return next((stored for stored in self.members if stored.done), self.members[0])

    @property
    def done(self) -> tuple[StoredCell, ...]:
        return tuple(stored for stored in self.members if stored.done)

    @property
    def name(self) -> str:
        """Tier and name; of several seeds their number, of one its own."""
        record = self.members[0].record
        name = f"{record['cell']['tier']}: {record['name']}"
        return name if len(self.members) == 1 else f"{self.base_name} ({len(self.members)} seeds)"

    @property
    def base_name(self) -> str:
        """Tier and name without seed, as the gate has it."""
        record = self.members[0].record
        return f"{record['cell']['tier']}: {record['name'].removesuffix('@' + str(record['cell']['seed']))}"


def families(run: Sequence[StoredCell]) -> list[Family]:
    """Results grouped by all of their identity but the seed, in order of first appearance."""
    grouped: dict[str, list[StoredCell]] = {}
    for stored in run:
        grouped.setdefault(family_of(stored.record["cell"]), []).append(stored)
    return [
        Family(tuple(sorted(found, key=lambda stored: stored.record["cell"]["seed"]))) for found in grouped.values()
    ]


def open_run(path: Path) -> list[StoredCell]:
    """The cells of a run given by its folder, or the one cell whose own folder (or cell.json) it is.

    Raises:
        ValueError: no result lies there.
    """
    if path.is_file() and path.name == "cell.json":
        path = path.parent
    if (path / "cell.json").is_file():
        folder = path.resolve()
        stored = Store(folder.parent.parent).load(folder.parent.name, folder.name)
        assert stored is not None
        return [stored]
    for root in (path, path / "runs", path / "results" / "runs"):
        if root.is_dir():
            cells = list(Store(root).all())
            if cells:
                return cells
    raise ValueError(
        f"{path}: expected a folder of results (TASK/ID/cell.json below it or below its runs/) or one cell's folder, "
        "found no cell.json; give what --out named"
    )


def _question(family: Family) -> str:
    """What two families must share to be compared: all but seed, recipe, checkpoint and code."""
    record = family.members[0].record
    names = ("task", "dataset", "split", "model", "representation", "tier", "data")
    return json.dumps([*(record["cell"].get(name) for name in names), record.get("label", "")])


def match(run_a: Sequence[StoredCell], run_b: Sequence[StoredCell]) -> list[tuple[Family | None, Family | None]]:
    """Families of two runs that answer the same question: equal but for the seed first, then the same question.

    Two runs of one cell each are always paired.
    """
    if len(run_a) == len(run_b) == 1:
        return [(Family(tuple(run_a)), Family(tuple(run_b)))]
    rest_b = families(run_b)
    keys_b = [family_of(family.members[0].record["cell"]) for family in rest_b]
    pairs: list[tuple[Family | None, Family | None]] = []
    rest_a: list[Family] = []
    for family in families(run_a):
        key = family_of(family.members[0].record["cell"])
        if key in keys_b:
            place = keys_b.index(key)
            pairs.append((family, rest_b.pop(place)))
            keys_b.pop(place)
        else:
            rest_a.append(family)
    for family in rest_a:
        other = next((candidate for candidate in rest_b if _question(candidate) == _question(family)), None)
        if other is not None:
            rest_b.remove(other)
        pairs.append((family, other))
    return [*pairs, *((None, family) for family in rest_b)]
