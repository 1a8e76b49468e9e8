"""The key of a result: identity, data, weights, code. What a stored cell must match to count as done. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmarks.experiment.cell import Cell, digest
from benchmarks.experiment.paths import Places, checkpoint_path, dataset_root, initial_path
from benchmarks.experiment.provenance import code_version, file_digest, files_digest, sizes_digest
from benchmarks.store.store import Store
from tasks import get_task
from tasks.base import Task

PICTURES = (".jpg", ".jpeg")
"""Photographs: of a training split their sizes count. Label maps are png, and count whole."""


def cell_key(cell: Cell, places: Places) -> str:
    """Hash of :func:`key_parts`.

    Raises:
        FileNotFoundError: data or weights are not there, so that no key can be told.
    """
    return key_of(key_parts(cell, places))


def key_of(parts: dict[str, Any]) -> str:
    """Twenty-four hexadecimal digits over the parts of a key."""
    return digest(parts)[:24]


def key_parts(cell: Cell, places: Places) -> dict[str, Any]:
    """What a key is made of, by name: identity, data, training_data, weights, boxes, task_version, code.

    ``boxes`` is the key of the cell whose predictions feed this one, as stored; None where there is none.

    Raises:
        FileNotFoundError: data or weights are not there, so that no key can be told.
    """
    task = get_task(cell.task)
    weights = None
    if cell.checkpoint is not None:
        weights = file_digest(checkpoint_path(cell.checkpoint, places.weights))
    elif cell.recipe is not None and cell.recipe.init_from:
        weights = file_digest(initial_path(cell.recipe, places.weights))
    return {
        "identity": cell.fingerprint()[:16],
        "data": data_fingerprint(cell, places),
        "training_data": training_fingerprint(cell, places),
        "weights": weights,
        "boxes": _key_of_boxes(cell, places),
        "task_version": task.version,
        "code": code_version(cell.task, cell.model, cell.checkpoint is not None),
    }


def changed_parts(cell: Cell, places: Places, record: dict[str, Any]) -> list[str]:
    """Names of the parts of the key in which a stored record differs from what a run would give; none if it is current.

    Raises:
        FileNotFoundError: as :func:`key_parts`.
    """
    parts = key_parts(cell, places)
    if record.get("key") == key_of(parts):
        return []
    held = (record.get("provenance") or {}).get("key_parts") or {}
    names = [name.replace("_", " ") for name, value in parts.items() if held and held.get(name) != value]
    return names or ["data, weights or code"]


def data_fingerprint(cell: Cell, places: Places) -> str:
    """Of embedded data: their writer's sources, sizes and seed. Of real data: the annotation files' contents.

    Raises:
        FileNotFoundError: a real dataset or one of its annotation files is missing; the text says where it belongs.
    """
    if cell.data is not None:
        return embedded_fingerprint(cell.data, cell.tier)
    root = dataset_root(cell, places)
    files = get_task(cell.task).data_files(cell.dataset, root, cell.split, cell.protocol)
    _require(files, cell, cell.split)
    return files_digest(files)[:16]


def training_fingerprint(cell: Cell, places: Places) -> str | None:
    """The split that real training data come from, with the contents of its annotation files; of pictures, the sizes.

    None where nothing is trained, and for embedded data, whose fingerprint holds for all splits.

    Raises:
        FileNotFoundError: as :func:`data_fingerprint`.
    """
    if cell.recipe is None or cell.data is not None:
        return None
    task, root = get_task(cell.task), dataset_root(cell, places)
    split, _ = train_split(task, cell, root, cell.protocol)
    files = task.data_files(cell.dataset, root, split, cell.protocol)
    _require(files, cell, split)
    pictures = [path for path in files if path.suffix.lower() in PICTURES]
    others = [path for path in files if path.suffix.lower() not in PICTURES]
    return f"{split}:" + digest([files_digest(others), sizes_digest(pictures)])[:16]


def train_split(task: Task, cell: Cell, root: Path, protocol: Any) -> tuple[str, str | None]:
    """The split to train on: the cell's own choice, else the dataset's; the evaluation's where that one is missing, said so."""
    info = task.dataset(cell.dataset)
    if cell.train_split is not None:
        return cell.train_split, f"trained on {cell.train_split}" + " = evaluated" * (cell.train_split == cell.split)
    wanted = info.train_split
    missing = missing_files(task.data_files(cell.dataset, root, wanted, protocol))
    if missing and wanted != cell.split and not cell.data:
        return cell.split, (
            f"the training split {wanted} is missing ({missing[0].name}), so it was trained on {cell.split}, which is also "
            "evaluated: the figures say how well it fits, not how well it generalises"
        )
    return wanted, None


@lru_cache
def embedded_fingerprint(dataset: str, tier: str) -> str:
    """What the embedded data of a tier would be, whether or not they are written yet."""
    from importlib import import_module

    from benchmarks.synthetic import WRITERS
    from benchmarks.synthetic.cache import fingerprint

    return fingerprint(dataset, import_module(WRITERS[dataset]).SIZES[tier], 0)


def missing_files(files: Sequence[Path]) -> list[Path]:
    return [path for path in files if not path.exists()]


def missing_text(files: Sequence[Path], task: str) -> str:
    """What is missing and what to do, in a line."""
    more = f" and {len(files) - 1} more files" if len(files) > 1 else ""
    return (
        f"Expected {files[0]}{more} but there is no such file; tasks/{task}/README.md says where it comes from and where "
        "it belongs (or correct --data-root and --split)"
    )


def _require(files: Sequence[Path], cell: Cell, split: str) -> None:
    missing = missing_files(files)
    if missing:
        title = get_task(cell.task).dataset(cell.dataset).title
        raise FileNotFoundError(f"{title}, split {split}: {missing_text(missing, cell.task)}.")


def _key_of_boxes(cell: Cell, places: Places) -> str | None:
    """The key of the stored cell that ``boxes_from`` names."""
    if cell.boxes_from is None:
        return None
    for path in sorted(places.out.glob(f"*/{cell.boxes_from}/cell.json")):
        stored = Store(places.out).load(path.parent.parent.name, cell.boxes_from)
        if stored is not None and stored.done:
            return stored.record.get("key")
    return None
