"""How long a cell would take, from what was measured on this machine. Torch-free."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from benchmarks.experiment.cell import Cell
from benchmarks.store.record import Identity
from benchmarks.store.store import StoredCell

GUESS_S = {"smoke": 4.0, "embedded": 60.0, "full": 3600.0}
"""Seconds of a cell of a tier of which nothing is known; only the order of cells is made of it."""
EMBEDDED_S = {"detection": 85.0, "pose": 50.0, "segmentation": 40.0, "landmarks": 20.0}
"""The same for the embedded tier, by task: the longest begin first."""
PREPARED_S = {"compiled": 30.0, "onnxruntime": 12.0, "openvino": 12.0}
"""Seconds that a runtime takes to compile or export a network, where no cell in it was measured."""
Basis = Literal["measured", "per sample", "guess"]


@dataclass(frozen=True)
class Estimate:
    """Seconds, and what they come from: the network's earlier run on the set, its seconds per sample, or nothing measured."""

    seconds: float
    basis: Basis


@dataclass
class History:
    """What stored cells say.

    Attributes:
        totals: seconds of whole cells, those that train apart from those that evaluate, and runtimes from each other.
        without_training: seconds of a cell that trains, its training left out, by task, dataset, tier and model.
        training_s, evaluation_s: seconds per sample by task and model, then by dataset: a sample of one is a person, of
            another a whole video.
        trained, evaluated: numbers of samples, by task, dataset and tier.
    """

    totals: dict[tuple[str, ...], float] = field(default_factory=dict)
    without_training: dict[tuple[str, ...], float] = field(default_factory=dict)
    training_s: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)
    evaluation_s: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)
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
        total = spent.get("total", 0.0)
        self.totals[_kind(cell)] = total
        if record.trained_on is not None and cell.recipe is not None and record.trained_on.samples:
            self.trained[data] = record.trained_on.samples
            seen = record.trained_on.samples * max(1, len(record.curves.training))
            self.training_s.setdefault(network, {})[cell.dataset] = spent.get("train", 0.0) / seen
            training = spent.get("train", 0.0) + spent.get("open_train_data", 0.0)
            within = (*data, cell.model)
            self.without_training[within] = max(0.0, total - training)
        if record.n is not None and record.n.samples:
            self.evaluated[data] = record.n.samples
            self.evaluation_s.setdefault(network, {})[cell.dataset] = spent.get("evaluate", 0.0) / record.n.samples

    def estimate(self, cell: Cell) -> Estimate:
        """Seconds that a cell would take."""
        whole = self.totals.get(_kind(cell))
        if whole is not None:
            return Estimate(whole, "measured")
        data, before = (cell.task, cell.dataset, cell.tier), PREPARED_S.get(cell.runtime, 0.0)
        if cell.recipe is None and (rest := self.without_training.get((*data, cell.model))) is not None:
            return Estimate(before + rest, "measured")
        parts: list[float | None] = [before]
        if cell.recipe is not None:
            parts.append(_product(_per_sample_s(self.training_s, cell), self.trained.get(data), cell.recipe.epochs))
        parts.append(_product(_per_sample_s(self.evaluation_s, cell), self.evaluated.get(data), 1))
        if all(part is not None for part in parts):
            return Estimate(sum(part for part in parts if part is not None), "per sample")
        guess = EMBEDDED_S.get(cell.task) if cell.tier == "embedded" else None
        return Estimate(guess or GUESS_S[cell.tier], "guess")


def _kind(cell: Cell | Identity) -> tuple[str, ...]:
    done = "trained" if cell.recipe is not None else "evaluated"
    return cell.task, cell.dataset, cell.model, cell.tier, done, cell.runtime


def _per_sample_s(known: dict[tuple[str, str], dict[str, float]], cell: Cell) -> float | None:
    """Seconds per sample of a network: on the dataset itself, else the median of the task's others."""
    of_network = known.get((cell.task, cell.model), {})
    if cell.dataset in of_network or not of_network:
        return of_network.get(cell.dataset)
    return median(of_network.values())


def _product(per_sample_s: float | None, samples: int | None, times: int) -> float | None:
    return None if per_sample_s is None or samples is None else per_sample_s * samples * times
