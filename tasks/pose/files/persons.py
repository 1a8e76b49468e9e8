"""The persons of a split as arrays, whichever dataset they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.coco.keypoints import Keypoints
from tasks.files.picture_entry import EntriesOfFiles, PictureEntry


@dataclass(frozen=True)
class Persons:
    """N persons in the order in which they are evaluated.

    Attributes:
        root: the dataset's folder. annotation: the file that the persons come from, for error texts.
        files: picture paths below `root`, one per picture. image_ids: the dataset's own id of each picture.
        image: (N,) row of `files`. record: (N,) annotation id or line of the file, for error texts.
        centres, scales: (N, 2), px and 200-px units, of the crop. scores: (N,) of the box, 1 for ground truth.
        joints: (N, J, 2) float64 px, 0-based. visible: (N, J) float32, 0 or 1. areas: (N,) of the person, px^2 (0: unknown).
        sizes_wh: (pictures, 2) px that the annotations state; None where they state none.
        truth: the checked annotations of the split's COCO file, where it has public ones.
        notes: what a reader of figures on these persons must know.
    """

    root: Path
    annotation: Path
    files: tuple[str, ...]
    image_ids: tuple[Any, ...]
    image: NDArray[np.int64]
    record: tuple[Any, ...]
    centres: NDArray[np.floating]
    scales: NDArray[np.floating]
    scores: NDArray[np.float64]
    joints: NDArray[np.float64]
    visible: NDArray[np.float32]
    areas: NDArray[np.float64]
    sizes_wh: NDArray[np.int32] | None = None
    truth: Keypoints | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.image)

    def stated_sizes(self) -> dict[str, tuple[int, int]]:
        """Stated width and height by the picture's path; empty where the annotations state none."""
        if self.sizes_wh is None:
            return {}
        return {file: (width, height) for file, (width, height) in zip(self.files, self.sizes_wh.tolist(), strict=True)}

    def entries(self) -> Sequence[PictureEntry]:
        """The pictures with persons, for `tasks.survey`; where no sizes are stated, with the box that a network is shown."""
        if self.sizes_wh is not None:
            sizes = self.stated_sizes()
            files = list(dict.fromkeys(self.files[row] for row in np.unique(self.image).tolist()))

            def made(row: int) -> PictureEntry:
                return PictureEntry(self.root / files[row], f"{self.annotation}, {files[row]}", sizes[files[row]])

            return EntriesOfFiles(len(files), made)
        half = np.asarray(self.scales, np.float64) * 100
        corners = np.concatenate([self.centres - half, self.centres + half], axis=1).tolist()
        return [
            PictureEntry(
                self.root / self.files[row], self.where(index), region=(x0, y0, x1, y1), extent=self._extent(index)
            )
            for index, (row, (x0, y0, x1, y1)) in enumerate(zip(self.image.tolist(), corners, strict=True))
        ]

    def _extent(self, index: int) -> tuple[float, float, float, float] | None:
        """What the annotated joints of a person span: x0, y0, x1, y1 in px; None without any."""
        seen = self.joints[index][self.visible[index] > 0]
        if not len(seen):
            return None
        (x0, y0), (x1, y1) = seen.min(0).tolist(), seen.max(0).tolist()
        return x0, y0, x1, y1

    def where(self, index: int) -> str:
        """Names a person's record: file, id and picture."""
        return f"{self.annotation}, record {self.record[index]} ({self.files[self.image[index]]})"


def require_folder(path: Path, what: str) -> None:
    """Raises ValueError where a folder is missing."""
    if not path.is_dir():
        raise ValueError(
            f"Expected {what} in {path} but there is no such folder; put the dataset in its official layout "
            "(tasks/pose/README.md) or correct --data-root"
        )


def finite_row(values: Any, count: int, what: str, where: str) -> NDArray[np.float64]:
    """`values` as (count,) finite float64.

    Raises:
        ValueError: another length, no numbers, or NaN or infinity among them.
    """
    try:
        row = np.asarray(values, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError):
        raise ValueError(
            f"{where}: expected {what} of {count} numbers but got {str(values)[:80]}; correct it"
        ) from None
    if row.size != count:
        raise ValueError(
            f"{where}: expected {what} of {count} numbers but got {row.size}; is this the annotation file of another dataset?"
        )
    if not np.isfinite(row).all():
        raise ValueError(
            f"{where}: expected {what} of finite numbers but got {row.tolist()}; correct or remove the record"
        )
    return row
