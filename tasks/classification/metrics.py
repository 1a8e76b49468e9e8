"""Top-1 and top-5 from the place of the true class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.base import EvalData, Evaluation, Stats
from tasks.classification.datasets import ClassificationEvalData
from tasks.classification.submissions import BEST, NO_CLASS
from tasks.files.writing import write_text


def top_figures(rank: NDArray[np.integer], counts: NDArray[np.integer] | None = None) -> dict[str, float]:
    """Shares and errors in per cent from `rank` (N,): how many classes score higher than the true one."""
    weight = np.ones(len(rank)) if counts is None else np.asarray(counts, dtype=np.float64)
    total = weight.sum()
    made: dict[str, float] = {}
    for k in (1, 5):
        share = float(100 * (weight * (rank < k)).sum() / total) if total > 0 else float("nan")
        made[f"top{k}"], made[f"top{k}_err"] = share, 100 - share
    return made


class ClassificationEvaluation(Evaluation):
    """Keeps the logits of every picture as ranks: the true class's place and the five best."""

    data: ClassificationEvalData
    per_sample = ("rank", "best", "margin")

    def __init__(self, data: EvalData, protocol: Any) -> None:
        super().__init__(data, protocol)
        self.rank = np.full(len(self.data), -1, dtype=np.int64)
        self.best = np.full((len(self.data), BEST), -1, dtype=np.int64)
        self.margin = np.full(len(self.data), np.nan)

    def add(self, indices: Sequence[int], predictions: Sequence[Any]) -> None:
        for index, logits in zip(indices, predictions, strict=True):
            label = self.data.folders.labels[index]
            if not np.isfinite(logits).all():
                raise ValueError(
                    f"Expected finite scores for {self.data.folders.files[index]}; look for NaN in the weights"
                )
            others = np.delete(logits, label)
            # A tie counts against us.
            self.rank[index] = int((others >= logits[label]).sum())
            best = np.argsort(-logits, kind="stable")[:BEST]
            self.best[index, : len(best)] = best
            self.margin[index] = logits[label] - others.max() if len(others) else np.nan

    def stats(self) -> Stats:
        lacking = np.flatnonzero(self.rank < 0)
        if len(lacking):
            first = self.data.folders.files[int(lacking[0])]
            raise ValueError(
                f"Expected predictions of {len(self.rank)} pictures but {len(lacking)} are missing (first: {first})"
            )
        return {"image": np.array(self.data.image_ids()), "rank": self.rank}

    def write_predictions(self, path: Path) -> None:
        """A csv: picture, and its best classes; an output that is no class of the dataset is written as "-"."""
        target = path if path.suffix else path.with_suffix(".csv")
        classes = len(self.data.folders.classes)
        words = [[str(b) if b < classes else NO_CLASS for b in row if b >= 0] for row in self.best.tolist()]
        rows = [f"{name},{' '.join(best)}" for name, best in zip(self.data.image_ids(), words, strict=True)]
        write_text(target, "\n".join(["image,classes", *rows]) + "\n")

    def sample_scores(self) -> np.ndarray:
        """The true class's logit over the best other one's; NaN of a network of one class."""
        return self.margin

    def picture(self, index: int, what: Literal["truth", "prediction"]) -> np.ndarray:
        number = self.data.folders.labels[index] if what == "truth" else self.best[index, 0]
        classes = self.data.folders.classes
        return labelled(self.data.picture(index), classes[int(number)] if number < len(classes) else "of no class")


def labelled(picture: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    """A copy of an RGB picture with a line of text."""
    canvas = np.ascontiguousarray(picture).copy()
    for colour, thick in (((0, 0, 0), 4), ((255, 255, 255), 1)):
        cv2.putText(canvas, text, (6, canvas.shape[0] - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, thick, cv2.LINE_AA)
    return canvas
