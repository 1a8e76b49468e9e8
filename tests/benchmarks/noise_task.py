"""The least data and the least task that the engine can train and evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from tasks.base import EvalData, Evaluation, TrainData
from tasks.recipe import Recipe


class Noise(TrainData):
    """Pictures of noise, drawn from (epoch, index); the target is their local mean."""

    def __init__(self, size: int = 20, grouped: bool = False) -> None:
        self.size, self.grouped = size, grouped

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Any]:
        epoch, index = key
        image = np.random.default_rng([7, epoch, index]).standard_normal((3, 32, 32)).astype(np.float32)
        return {"images": image, "target": image.mean(0)[::4, ::4].copy(), "index": index}

    def groups(self) -> np.ndarray | None:
        return np.arange(self.size) % 2 if self.grouped else None


class NoiseEval(EvalData):
    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> dict[str, Any]:
        return Noise()[(0, index)]

    def image_ids(self) -> list[str]:
        return [str(i) for i in range(5)]


class Collected(Evaluation):
    def __init__(self, data: EvalData, protocol: Any) -> None:
        super().__init__(data, protocol)
        self.found: dict[int, Any] = {}

    def add(self, indices: Any, predictions: Any) -> None:
        self.found.update(zip(indices, predictions, strict=True))

    def stats(self) -> dict[str, np.ndarray]:
        return {"value": np.array([self.found[i] for i in range(5)])}

    def write_predictions(self, path: Path) -> None:
        raise NotImplementedError

    def sample_scores(self) -> np.ndarray:
        return np.zeros(5)

    def picture(self, index: int, what: str) -> np.ndarray:
        return np.zeros((2, 2, 3), np.uint8)


class MeanTask:
    """The least that the engine asks of a task."""

    def prepare(self, model: Any, recipe: Any) -> None:
        return

    name = "mean"

    def loss(self, model: Any, batch: dict[str, Any], recipe: Recipe) -> dict[str, torch.Tensor]:
        found = torch.nn.functional.dropout(model(batch["images"])[0][:, 0], 0.1)
        return {"loss": (found - batch["target"]).square().mean()}

    def predict(self, model: Any, batch: dict[str, Any], protocol: Any) -> list[float]:
        return [float(v) for v in model(batch["images"])[0].mean((1, 2, 3))]

    def evaluation(self, data: EvalData, protocol: Any) -> Evaluation:
        return Collected(data, protocol)
