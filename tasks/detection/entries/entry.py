"""What a dataset of detection is to the task: files and classes. Each stands in a file of this folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tasks.base import DatasetInfo
from tasks.detection.files.annotations import InstanceFiles


@dataclass(frozen=True)
class Entry:
    """A dataset.

    Attributes:
        places: where its files lie, and its classes.
        files: (folder, split) -> what identifies a split's data.
        outputs: (folder, split) -> number of classes that a network trained on a split has, where that is not the dataset's.
        notes: what a reader of its figures must know.
    """

    info: DatasetInfo
    places: InstanceFiles
    files: Callable[[Path, str], list[Path]]
    outputs: Callable[[Path, str], int | None] = lambda root, split: None
    notes: tuple[str, ...] = ()
