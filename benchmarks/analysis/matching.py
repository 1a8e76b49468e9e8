"""Which results of two runs answer the same question.

A run is a folder of results (what `--out` named, its `runs/`, or one cell's own folder); a family is a cell under all its seeds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
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
        """Tier and name, with the checkpoint's file; of several seeds their number, of one its own."""
        record = self.members[0].record
        name = f"{record.cell.tier}: {record.name}" + (f" [{self.checkpoint}]" if self.checkpoint else "")
        return name if len(self.members) == 1 else f"{self.base_name} ({len(self.members)} seeds)"

    @property
    def checkpoint(self) -> str | None:
        """File name of the evaluated weights; None of trained cells."""
        path = self.members[0].record.cell.checkpoint
        return None if path is None else Path(path).name

    @property
    def weights(self) -> str | None:
        """SHA-256 of the evaluated weights; None of trained cells, and where the result does not say."""
        file = self.first.record.provenance.weights
        return None if file is None else file.sha256

    @property
    def base_name(self) -> str:
        """Tier and name without seed, as the gate has it."""
        record = self.members[0].record
        return f"{record.cell.tier}: {record.name.removesuffix(f'@{record.cell.seed}')}"


def families(run: Sequence[StoredCell]) -> list[Family]:
    """Results grouped by all of their identity but the seed, in order of first appearance."""
    grouped: dict[str, list[StoredCell]] = {}
    for stored in run:
        grouped.setdefault(family_of(stored.record.cell), []).append(stored)
    return [Family(tuple(sorted(found, key=lambda stored: stored.record.cell.seed))) for found in grouped.values()]


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


@dataclass(frozen=True)
class Match:
    """Families of two runs that answer the same question; one side alone where the other run has none.

    `why` says why they cannot be told apart, where several could be meant.
    """

    a: Family | None
    b: Family | None
    why: str = ""


AMBIGUOUS = (
    "ambiguous: {a} results of A and {b} of B answer this question and share neither weights nor file name; give the folder "
    "of one cell of each run"
)


def match(run_a: Sequence[StoredCell], run_b: Sequence[StoredCell]) -> list[Match]:
    """Pairs the families of two runs: by identity and weights, then of each question by weights, then by file name.

    What is left of a question is paired where each run has one; several are ambiguous. Two runs of one cell each are always
    paired.
    """
    if len(run_a) == len(run_b) == 1:
        return [Match(Family(tuple(run_a)), Family(tuple(run_b)))]
    rest_a, rest_b = families(run_a), families(run_b)
    order = {id(family): place for place, family in enumerate(rest_a)}
    matches: list[Match] = []
    for key in (_identity_and_weights, _question_and_weights, _question_and_file, _identity):
        matches += _take_pairs(rest_a, rest_b, key)
    left = _grouped(rest_b, _question)
    for question, members in _grouped(rest_a, _question).items():
        others = left.pop(question, [])
        if len(members) == len(others) == 1:
            matches.append(Match(members[0], others[0]))
            continue
        why = AMBIGUOUS.format(a=len(members), b=len(others)) if others else ""
        matches += [Match(a, None, why) for a in members] + [Match(None, b, why) for b in others]
    alone = [Match(None, family) for members in left.values() for family in members]
    return sorted(matches, key=lambda one: order.get(id(one.a), len(order))) + alone


Key = Callable[[Family], str | None]


def _take_pairs(rest_a: list[Family], rest_b: list[Family], key: Key) -> list[Match]:
    """Takes out of both lists, and pairs, the families that alone of their run have a key in common."""
    of_a, of_b = _grouped(rest_a, key), _grouped(rest_b, key)
    found = [
        Match(members[0], of_b[shared][0])
        for shared, members in of_a.items()
        if len(members) == len(of_b.get(shared, ())) == 1
    ]
    taken = {id(family) for one in found for family in (one.a, one.b)}
    rest_a[:] = [family for family in rest_a if id(family) not in taken]
    rest_b[:] = [family for family in rest_b if id(family) not in taken]
    return found


def _grouped(members: Sequence[Family], key: Key) -> dict[str, list[Family]]:
    """Families by a key, in order; those without it are left out."""
    groups: dict[str, list[Family]] = {}
    for family in members:
        found = key(family)
        if found is not None:
            groups.setdefault(found, []).append(family)
    return groups


def _identity(family: Family) -> str | None:
    """Of trained cells alone: a checkpoint's name does not say what is in it."""
    record = family.members[0].record
    return family_of(record.cell) if record.cell.checkpoint is None else None


def _identity_and_weights(family: Family) -> str:
    return f"{family_of(family.members[0].record.cell)} {family.weights}"


def _question_and_weights(family: Family) -> str | None:
    return f"{_question(family)} {family.weights}" if family.weights else None


def _question_and_file(family: Family) -> str | None:
    return f"{_question(family)} {family.checkpoint}" if family.checkpoint else None


def _question(family: Family) -> str:
    """What two families must share to be compared: all but seed, recipe, checkpoint and code."""
    record = family.members[0].record
    cell = record.cell
    shared = (cell.task, cell.dataset, cell.split, cell.model, cell.representation, cell.tier, cell.data)
    return json.dumps([*shared, record.label])
