"""How long a cell would take, from what was measured on this machine. Torch-free."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.experiment.cell import Cell
from benchmarks.store.store import StoredCell

GUESS_S = {"smoke": 4.0, "embedded": 60.0, "full": 3600.0}
"""Seconds of a cell of a tier of which nothing is known; only the order of cells is made of it."""
EMBEDDED_S = {"detection": 85.0, "pose": 50.0, "segmentation": 40.0, "landmarks": 20.0}
"""The same for the embedded tier, by task: the longest begin first."""
Basis = Literal["measured", "per sample", "guess"]


@dataclass(frozen=True)
class Estimate:
    """Seconds, and what they come from: the same cell's earlier run, its network's seconds per sample, or nothing measured."""

    seconds: float
    basis: Basis


@dataclass
class History:
    """What stored cells say.

    Attributes:
        totals: seconds of whole cells, by task, dataset, model and tier, those that train apart from those that evaluate.
        training_s, evaluation_s: seconds per sample, by task and model.
        trained, evaluated: numbers of samples, by task, dataset and tier.
    """

    totals: dict[tuple[str, str, str, str], float] = field(default_factory=dict)
    training_s: dict[tuple[str, str], float] = field(default_factory=dict)
    evaluation_s: dict[tuple[str, str], float] = field(default_factory=dict)
    trained: dict[tuple[str, str, str], int] = field(default_factory=dict)
    evaluated: dict[tuple[str, str, str], int] = field(default_factory=dict)

    @staticmethod
    def of(stored: Iterable[StoredCell]) -> History:
        """From every finished cell of a store."""
        made = History()
        for one in stored:
            if one.done:
                made._add(one)
        return made

    def _add(self, one: StoredCell) -> None:
        record, cell = one.record, one.record.cell
        spent, network, data = record.durations_s, (cell.task, cell.model), (cell.task, cell.dataset, cell.tier)
        self.totals[cell.task, cell.dataset, cell.model, _kind(cell.tier, cell.recipe)] = spent.get("total", 0.0)
        if record.trained_on is not None and cell.recipe is not None and record.trained_on.samples:
            self.trained[data] = record.trained_on.samples
            seen = record.trained_on.samples * max(1, len(record.curves.training))
            self.training_s[network] = spent.get("train", 0.0) / seen
        if record.n is not None and record.n.samples:
            self.evaluated[data] = record.n.samples
            self.evaluation_s[network] = spent.get("evaluate", 0.0) / record.n.samples

    def estimate(self, cell: Cell) -> Estimate:
        """Seconds that a cell would take."""
        whole = self.totals.get((cell.task, cell.dataset, cell.model, _kind(cell.tier, cell.recipe)))
        if whole is not None:
            return Estimate(whole, "measured")
        network, data = (cell.task, cell.model), (cell.task, cell.dataset, cell.tier)
        parts: list[float | None] = []
        if cell.recipe is not None:
            parts.append(_product(self.training_s.get(network), self.trained.get(data), cell.recipe.epochs))
        parts.append(_product(self.evaluation_s.get(network), self.evaluated.get(data), 1))
        if all(part is not None for part in parts):
            return Estimate(sum(part for part in parts if part is not None), "per sample")
        guess = EMBEDDED_S.get(cell.task) if cell.tier == "embedded" else None
        return Estimate(guess or GUESS_S[cell.tier], "guess")


def _kind(tier: str, recipe: object) -> str:
    return tier if recipe is not None else f"{tier}, evaluated"


def _product(per_sample_s: float | None, samples: int | None, times: int) -> float | None:
    return None if per_sample_s is None or samples is None else per_sample_s * samples * times
