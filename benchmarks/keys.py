"""The key of a result: identity, data, weights, code. What a stored cell must match to count as done. Torch-free."""

from __future__ import annotations

from pathlib import Path

from benchmarks.cells import Cell, digest
from benchmarks.places import Places, checkpoint_path, dataset_root
from benchmarks.provenance import code_version, file_digest, files_digest
from tasks import get_task


def cell_key(cell: Cell, places: Places) -> str:
    """Hash of identity, data fingerprint, weights, task version and the code that matters.

    Raises:
        FileNotFoundError: data or weights are not there, so that no key can be told.
    """
    task = get_task(cell.task)
    weights = None
    if cell.checkpoint is not None:
        weights = file_digest(checkpoint_path(cell.checkpoint, places.weights))
    elif cell.recipe is not None and cell.recipe.init_from:
        weights = file_digest(checkpoint_path(cell.recipe.init_from, places.weights))
    return digest(
        {
            "cell": cell.identity(),
            "data": data_fingerprint(cell, places),
            "weights": weights,
            "task_version": task.version,
            "code": code_version(cell.task, cell.model, cell.checkpoint is not None),
        }
    )[:24]


def data_fingerprint(cell: Cell, places: Places) -> str:
    """Of embedded data: their writer's sources, sizes and seed. Of real data: the annotation files' contents.

    Raises:
        FileNotFoundError: a real dataset or one of its annotation files is missing; all missing files are named.
    """
    if cell.data is not None:
        return embedded_fingerprint(cell.data, cell.tier)
    task = get_task(cell.task)
    root = dataset_root(cell, places)
    files = task.data_files(cell.dataset, root, cell.split, cell.protocol)
    missing = missing_files(files)
    if missing:
        raise FileNotFoundError(f"Missing: {', '.join(map(str, missing))}.")
    return files_digest(files)[:16]


def embedded_fingerprint(dataset: str, tier: str) -> str:
    """What the embedded data of a tier would be, whether or not they are written yet."""
    from importlib import import_module

    from benchmarks.synthetic import WRITERS
    from benchmarks.synthetic.cache import fingerprint

    return fingerprint(dataset, import_module(WRITERS[dataset]).SIZES[tier], 0)


def missing_files(files: list[Path]) -> list[Path]:
    return [path for path in files if not path.exists()]
