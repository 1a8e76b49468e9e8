"""Classes of pictures of one's own: the result and the network's way to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tasks.classification.datasets import centre_crop
from tasks.classification.metrics import labelled
from tasks.classification.protocol import ClassificationProtocol
from tasks.images import normalise
from tasks.results.result import Result, supervision

if TYPE_CHECKING:
    from torch import nn

    from tasks.base import Task

BEST = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassificationResult(Result):
    """A probability for every class.

    Attributes:
        probabilities: (C,) float32, which sum to 1. names: (C,) of the classes, in the order of the network's outputs.
    """

    probabilities: NDArray[np.float32]
    names: tuple[str, ...]

    def best(self, count: int = BEST) -> list[int]:
        """The numbers of the most probable classes, the best first."""
        return [int(k) for k in np.argsort(-self.probabilities, kind="stable")[:count]]

    def draw(self, image: Any = None) -> NDArray[np.uint8]:
        """The picture with the name and the probability of its best class."""
        top = self.best(1)[0]
        return labelled(self.shown(image), f"{self.names[top]}: {100 * self.probabilities[top]:.1f} %")

    def to_coco(self) -> list[dict[str, Any]]:
        """The five best classes: image_id, category_id (the class's number), category, score (its probability)."""
        return [
            {
                **self.image_id(),
                "category_id": k,
                "category": self.names[k],
                "score": float(self.probabilities[k]),
            }
            for k in self.best()
        ]

    def to_plain(self) -> dict[str, Any]:
        """{image, classes: [{category_id, category, class, probability}]}, the five best."""
        found = [
            {"category_id": k, "category": self.names[k], "class": k, "probability": float(self.probabilities[k])}
            for k in self.best()
        ]
        return {"image": self.image, "classes": found}

    def to_supervision(self) -> Any:
        """supervision.Classifications."""
        return supervision().Classifications(class_id=np.arange(len(self.probabilities)), confidence=self.probabilities)


def predict_pictures(
    task: Task,
    model: nn.Module,
    names: tuple[str, ...],
    pictures: Sequence[NDArray[np.uint8]],
    protocol: ClassificationProtocol,
) -> list[ClassificationResult]:
    """The classes of RGB pictures, all in one batch.

    Args:
        names: of the classes, where they are known.
    """
    from tasks.model import network_batch, require_finite_values

    inputs = np.stack([normalise(centre_crop(picture, protocol)) for picture in pictures])
    logits = np.stack(task.predict(model, {"images": network_batch(inputs, model)}, protocol)).astype(np.float32)
    require_finite_values(logits)
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    count = shares.shape[1]
    shown = (*names[:count], *(f"class {k}" for k in range(len(names), count)))
    return [ClassificationResult(probabilities=row, names=shown) for row in shares]
