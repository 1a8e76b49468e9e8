"""Cells of two made-up tasks, written through the real store, for tests of everything that stands on stored cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

import tasks
from benchmarks.experiment.cell import Cell
from benchmarks.store.store import Store, StoredCell
from tasks.base import Task
from tasks.direction import Direction
from tasks.recipe import Recipe


@dataclass(frozen=True)
class MadeUpProtocol:
    boxes: str = "gt"
    flip: bool = True
    colour: str = "rgb"


class MadeUpTask:
    """Images with hits and errors: "rate" pools hits over people (higher is better), "error" is a mean (lower)."""

    input_fields = ("colour",)
    figures_by_name = Task.figures_by_name
    body_name, class_figures = Task.body_name, Task.class_figures

    def __init__(self, name: str, headline: str) -> None:
        self.name, self._headline = name, headline
        info = {"rate": ("%", True), "error": ("px", False)}
        self.metrics = {
            key: SimpleNamespace(name=key, unit=unit, direction=Direction.of(higher), decimals=1)
            for key, (unit, higher) in info.items()
        }

    def dataset(self, name: str) -> Any:
        return SimpleNamespace(name=name, title=name.upper(), headline=self._headline)

    def headline(self, dataset: str) -> str:
        return self._headline

    def figures(
        self,
        dataset: str,
        stats: Mapping[str, np.ndarray],
        protocol: Mapping[str, Any],
        counts: np.ndarray | None = None,
    ) -> dict[str, float]:
        weights = np.ones(len(stats["image"])) if counts is None else counts
        people = (stats["people"] * weights).sum()
        return {
            "rate": float(100 * (stats["hits"] * weights).sum() / people),
            "error": float((stats["error"] * weights).sum() / weights.sum()),
        }


def make(task: str = "people", model: str = "net", **changes: Any) -> Cell:
    """A cell of a made-up task."""
    recipe = Recipe("made-up", epochs=2, batch_size=4, lr=0.1)
    plain: dict[str, Any] = {"representation": "V1", "protocol": MadeUpProtocol(), "recipe": recipe, "tier": "embedded"}
    return Cell(task, "street", "val", model, **(plain | changes))


@dataclass
class Runs:
    """A store and what writes made-up results into it."""

    store: Store
    images: int = 60
    folder: Path = field(default_factory=Path)

    def finish(self, cell: Cell, quality: float = 0.6, **record: Any) -> StoredCell:
        """Stores a finished cell: each person is hit with probability `quality`."""
        generator = np.random.default_rng([1, cell.seed])
        people = np.random.default_rng(0).integers(1, 5, self.images)
        stats = {
            "image": np.array([f"{index:06d}" for index in range(self.images)]),
            "people": people,
            "hits": generator.binomial(people, quality),
            "error": generator.gamma(4, (1 - quality) * 2, self.images),
        }
        task = tasks.get_task(cell.task)
        figures = task.figures(cell.dataset, stats, {})  # type: ignore[arg-type]
        full = {
            "id": cell.id,
            "key": "key-" + cell.id,
            "name": cell.name,
            "label": cell.label,
            "status": "done",
            "reason": "",
            "cell": cell.identity(),
            "figures": {
                name: {
                    "value": value,
                    "unit": task.metrics[name].unit,
                    "higher_is_better": task.metrics[name].direction.higher_is_better,
                    "decimals": 1,
                    "n": int(people.sum()),
                }
                for name, value in figures.items()
            },
            "headline": task.headline(cell.dataset),
            "model": {"params": 123456, "macs": 98765432, "macs_as_published": 0.0919, "input_hw": [64, 48]},
            "protocol_header": "gt boxes, flip",
            "n": {"images": self.images, "samples": int(people.sum())},
            "provenance": {"code": "abc", "seed": cell.seed, "hardware": {"cpu": "test"}},
            "durations_s": {"data": 1.0, "train": 30.0, "evaluate": 2.5},
            "curves": {
                "training": [{"epoch": k, "lr": 0.1, "loss": 1.0 / (k + 1)} for k in range(5)],
                "evaluation": {"cumulative error": [[x, 1 - 2.0**-x] for x in range(6)]},
            },
            "pictures": [],
            "report": None,
        }
        return self.store.save(full | record, stats)

    def fail(self, cell: Cell, reason: str = "out of memory") -> StoredCell:
        """Stores a failed cell."""
        return self.store.save(
            {
                "id": cell.id,
                "key": "",
                "name": cell.name,
                "label": cell.label,
                "status": "failed",
                "reason": f"Traceback ...\nRuntimeError: {reason}",
                "cell": cell.identity(),
                "figures": {},
                "headline": tasks.get_task(cell.task).headline(cell.dataset),
                "provenance": {},
                "durations_s": {},
                "protocol_header": "",
            }
        )
