"""Where the boxes of pictures come from: files that are named, or the dataset that a picture lies in. Torch-free."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.declarations.declaration import FILE, Declaration, read_declaration

ABOVE = 5
"""Folders above a picture in which its dataset is looked for."""


@dataclass(frozen=True)
class GivenBoxes:
    """Boxes (N, 4) x0, y0, x1, y1 px of a picture, (0, 0) the middle of its first pixel; where they come from; why there are
    none, or what is odd about them; a detector's scores (N,), None where the boxes are known; whether they are a dataset's
    annotations, which an evaluation may read by a rule of its own."""

    xyxy_px: NDArray[np.float64]
    origin: str
    why: str = ""
    scores: NDArray[np.float64] | None = None
    annotated: bool = False


class BoxSource(ABC):
    """Boxes of pictures from files."""

    @abstractmethod
    def of(self, image: Path, size_wh: tuple[int, int], min_score: float = 0.0) -> GivenBoxes | None:
        """The boxes of a picture of this size; None where nothing is known of it.

        Args:
            min_score: boxes with a lower score are left out.

        Raises:
            ValueError: a file cannot be read, or contradicts the picture.
        """


def declared_above(image: Path, layout: str) -> Iterator[tuple[Path, Declaration]]:
    """(folder, declaration) of the folders above a picture whose ``dataset.toml`` has this layout, the nearest first."""
    for folder in list(image.absolute().parents)[:ABOVE]:
        if (folder / FILE).is_file():
            declared = read_declaration(folder / FILE)
            if declared.layout == layout:
                yield folder, declared
