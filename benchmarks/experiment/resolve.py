"""What a cell needs, looked up once: its task, dataset, folder, files, weights, training split, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.installation import program
from benchmarks.experiment.paths import Places, checkpoint_path, dataset_root, initial_path
from tasks import get_task
from tasks.base import DatasetInfo, Task
from tasks.preparation import advice


@dataclass(frozen=True)
class Lack:
    """Something that keeps a cell from being run.

    Attributes:
        kind: "root" (the dataset's folder), "files" (annotation files in it), "layout" (files that contradict the protocol,
            such as none or several of a detector's boxes) or "weights".
        text: what was expected where, and what to do, in a line.
        files: the missing files; of kind "files" alone.
    """

    kind: Literal["root", "files", "layout", "weights"]
    text: str
    files: tuple[Path, ...] = ()

    @property
    def error(self) -> Exception:
        """What a run that needs this raises."""
        return ValueError(self.text) if self.kind == "layout" else FileNotFoundError(self.text)


@dataclass(frozen=True)
class Resolved:
    """A cell with everything that it needs from the disk.

    Attributes:
        root: the dataset's own folder; None where it was not found.
        files: annotation files of the evaluation, which identify the data; empty for embedded data.
        train_split: where it is trained; None where nothing is.
        train_note: what a reader must know of that split; None for the usual one.
        train_files: annotation files of the training split; empty for embedded data.
        weights: the checkpoint to evaluate, or to start from; None where there is none or it was not found.
        lacks: what is missing, the data first.
    """

    cell: Cell
    paths: Places
    task: Task
    dataset: DatasetInfo
    root: Path | None
    files: tuple[Path, ...]
    train_split: str | None
    train_note: str | None
    train_files: tuple[Path, ...]
    weights: Path | None
    lacks: tuple[Lack, ...]

    def lack(self, *kinds: str) -> Lack | None:
        """The first thing that is missing, of these kinds; of any kind where none is named."""
        return next((lack for lack in self.lacks if not kinds or lack.kind in kinds), None)

    def require(self, *kinds: str) -> None:
        """Raises FileNotFoundError or ValueError, with what to do, if something of these kinds is missing."""
        lack = self.lack(*kinds)
        if lack is not None:
            raise lack.error

    def require_root(self) -> Path:
        """The dataset's folder; raises FileNotFoundError where it was not found."""
        self.require("root")
        assert self.root is not None
        return self.root


def resolve(cell: Cell, paths: Places) -> Resolved:
    """Looks up what a cell needs; nothing is read but folders, and nothing is raised: what is missing is listed."""
    task = get_task(cell.task)
    dataset = task.dataset(cell.dataset)
    lacks: list[Lack] = []
    root, files = _evaluation_data(cell, task, paths, lacks)
    split, note, train_files = _training_data(cell, task, root, lacks)
    weights = _weights(cell, paths, lacks)
    return Resolved(cell, paths, task, dataset, root, files, split, note, train_files, weights, tuple(lacks))


def _evaluation_data(cell: Cell, task: Task, paths: Places, lacks: list[Lack]) -> tuple[Path | None, tuple[Path, ...]]:
    try:
        root = dataset_root(cell, paths)
    except FileNotFoundError as error:
        lacks.append(Lack("root", str(error)))
        return None, ()
    if cell.data is not None:
        return root, ()
    return root, _files(cell, task, root, cell.split, lacks)


def _training_data(
    cell: Cell, task: Task, root: Path | None, lacks: list[Lack]
) -> tuple[str | None, str | None, tuple[Path, ...]]:
    """The split to train on: the cell's own choice, else the dataset's; the evaluation's where that one is missing, said so."""
    if cell.recipe is None or root is None:
        return None, None, ()
    split, note = cell.train_split or task.dataset(cell.dataset).train_split, None
    if cell.train_split is not None:
        note = f"trained on {split}" + " = evaluated" * (split == cell.split)
    elif split == cell.split and cell.data is None:
        note = f"trained on {split}, which is also evaluated: the figures say how well it fits, not how well it generalises"
    if cell.data is not None:
        return split, note, ()
    mine: list[Lack] = []
    files = _files(cell, task, root, split, mine)
    missing = next((lack.files for lack in mine if lack.kind == "files"), ())
    if missing and cell.train_split is None and split != cell.split:
        return cell.split, _fallback(split, cell.split, missing[0]), _files(cell, task, root, cell.split, [])
    if split != cell.split:
        lacks += mine
    return split, note, files


def _fallback(wanted: str, taken: str, missing: Path) -> str:
    return (
        f"the training split {wanted} is missing ({missing.name}), so it was trained on {taken}, which is also "
        "evaluated: the figures say how well it fits, not how well it generalises"
    )


def _weights(cell: Cell, paths: Places, lacks: list[Lack]) -> Path | None:
    try:
        if cell.weights_from is not None:
            path = paths.out / cell.task / cell.weights_from / "weights.pt"
            if not path.exists():
                raise FileNotFoundError(
                    f"{path}: the weights of the cell {cell.weights_from} are missing; run that cell first."
                )
            return path
        if cell.checkpoint is not None:
            return checkpoint_path(cell.checkpoint, paths.weights)
        if cell.recipe is not None and cell.recipe.init_from:
            return initial_path(cell.recipe, paths.weights)
    except FileNotFoundError as error:
        lacks.append(Lack("weights", str(error)))
    return None


def _files(cell: Cell, task: Task, root: Path, split: str, lacks: list[Lack]) -> tuple[Path, ...]:
    """The annotation files of a split; those that are missing join ``lacks``."""
    try:
        files = tuple(task.data_files(cell.dataset, root, split, cell.protocol))
    except (OSError, ValueError) as error:
        lacks.append(Lack("root" if isinstance(error, FileNotFoundError) else "layout", str(error)))
        return ()
    missing = missing_files(files)
    if missing:
        title = task.dataset(cell.dataset).title
        lacks.append(
            Lack("files", f"{title}, split {split}: {missing_text(missing, cell.task, cell.dataset)}.", missing)
        )
    return files


def missing_files(files: Sequence[Path]) -> tuple[Path, ...]:
    """Those that do not exist."""
    return tuple(path for path in files if not path.exists())


def missing_text(files: Sequence[Path], task: str, dataset: str) -> str:
    """What is missing and what to do, in a line."""
    made = advice(dataset, None, program())
    more = f" and {len(files) - 1} more files" if len(files) > 1 else ""
    return (
        f"Expected {files[0]}{more} but there is no such file; tasks/{task}/README.md says where it comes from and where "
        f"it belongs{f', {made}' * bool(made)} (or correct --data-root and --split)"
    )
