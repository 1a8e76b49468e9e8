"""CLEAR MOT events of one joint over a sequence (Bernardin and Stiefelhagen 2008), by the rules of motmetrics. NumPy, SciPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.tracking.joining import pairs_of_least_cost

COUNTS = ("misses", "switches", "false_positives", "matches", "dist_match", "dist_all")


class JointTracks:
    """Which hypothesis each object had last, and the counts so far.

    `dist_match` sums the distances of matches and switches; `dist_all` those of every row of today's motmetrics: all allowed
    pairs once more, and its rows of transfers, ascents and migrations.
    """

    def __init__(self) -> None:
        self.misses = self.switches = self.false_positives = self.matches = 0
        self.dist_match = self.dist_all = 0.0
        self._held: dict[int, int] = {}
        self._owner: dict[int, int] = {}
        self._seen_hypotheses: set[int] = set()
        self._seen_objects: set[int] = set()

    def counts(self) -> tuple[float, ...]:
        """The values of `COUNTS`."""
        return tuple(float(getattr(self, name)) for name in COUNTS)

    def nothing_to_match(self) -> None:
        """A frame in which persons or predictions are lacking: the official evaluator enters one object and one hypothesis that
        do not match, whatever their number."""
        self.misses += 1
        self.false_positives += 1

    def update(self, objects: ArrayLike, hypotheses: ArrayLike, costs: NDArray[np.float64]) -> None:
        """Takes a frame: ids of objects (G,) and hypotheses (P,), costs (G, P), infinite where a pair is not allowed."""
        names = np.asarray(objects, dtype=np.int64).tolist()
        offered = np.asarray(hypotheses, dtype=np.int64).tolist()
        self.dist_all += float(costs[np.isfinite(costs)].sum())
        free_objects, free_hypotheses = set(range(len(names))), set(range(len(offered)))
        for row, name in enumerate(names):
            held = self._held.get(name)
            column = offered.index(held) if held is not None and held in offered else -1
            if column in free_hypotheses and np.isfinite(costs[row, column]):
                free_objects.discard(row)
                free_hypotheses.discard(column)
                self._match(name, offered[column], float(costs[row, column]))
        rows, columns = sorted(free_objects), sorted(free_hypotheses)
        for row, column in pairs_of_least_cost(costs[np.ix_(rows, columns)]):
            at, to = rows[row], columns[column]
            self._pair(names[at], offered[to], float(costs[at, to]))
            free_objects.discard(at)
            free_hypotheses.discard(to)
        self.misses += len(free_objects)
        self.false_positives += len(free_hypotheses)

    def _match(self, name: int, hypothesis: int, cost: float) -> None:
        self.matches += 1
        self.dist_match += cost
        self.dist_all += cost
        self._seen_objects.add(name)
        self._seen_hypotheses.add(hypothesis)

    def _pair(self, name: int, hypothesis: int, cost: float) -> None:
        switched = name in self._held and self._held[name] != hypothesis
        extra = 0
        if switched and hypothesis not in self._seen_hypotheses:
            extra += 1  # an ascent
        if hypothesis in self._owner and self._owner[hypothesis] != name:
            extra += 1 + (name not in self._seen_objects)  # a transfer, and a migration
        self.dist_all += extra * cost
        if switched:
            self.matches -= 1
            self.switches += 1
        self._match(name, hypothesis, cost)
        self._held[name], self._owner[hypothesis] = hypothesis, name
