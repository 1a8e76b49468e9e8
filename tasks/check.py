"""Opens a split as an evaluation would, and tells what it would stumble over: ``doctor`` calls it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasks.base import Task
from tasks.readings.kept import reading_anew

DECODED = 12
"""Samples, evenly spread, that are read whole: their pictures decoded, their label maps looked up."""


@dataclass(frozen=True)
class SplitCheck:
    """What a look at a split told.

    Attributes:
        split: its name. problem: why an evaluation could not go through; empty where nothing was found.
        read: how much was read, in words. notes: what a reader of its figures must know.
    """

    split: str
    problem: str = ""
    read: str = ""
    notes: tuple[str, ...] = ()


def check_split(task: Task, dataset: str, root: Path, split: str, protocol: Any) -> SplitCheck:
    """Reads the annotations of a split whole, the headers of its pictures (`tasks.survey`), and a few samples."""
    try:
        with reading_anew():
            data = task.eval_data(dataset, root, split, protocol)
        if len(data) == 0:
            return SplitCheck(split, f"no samples in {split}")
        for index in np.unique(np.linspace(0, len(data) - 1, DECODED).astype(int)).tolist():
            data[index]
    except (ValueError, OSError) as error:
        return SplitCheck(split, str(error))
    headers = f", {data.surveyed.extent} read" if data.surveyed is not None and data.surveyed.total else ""
    return SplitCheck(split, "", f"{len(data):,} samples{headers}", data.notes)


def check_dataset(task: Task, dataset: str, root: Path) -> list[SplitCheck]:
    """The split that is evaluated first, then the others that are there and have a truth to be checked."""
    info = task.dataset(dataset)
    protocol = task.protocol(dataset)
    checks = []
    for split in (info.eval_split, *(name for name in info.splits if name != info.eval_split and "test-" not in name)):
        if split != info.eval_split and not _is_there(task, dataset, root, split, protocol):
            continue
        checks.append(check_split(task, dataset, root, split, protocol))
    return checks


def _is_there(task: Task, dataset: str, root: Path, split: str, protocol: Any) -> bool:
    try:
        files = task.data_files(dataset, root, split, protocol)
    except OSError:
        return False
    except ValueError:
        return True  # there, and wrong: the check says how
    return bool(files) and all(path.exists() for path in files)
