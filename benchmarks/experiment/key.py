"""The key of a result: identity, data, weights, code. What a stored cell must match to count as done."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from benchmarks.experiment.cell import Cell, digest
from benchmarks.experiment.code_version import code_version
from benchmarks.experiment.paths import Places
from benchmarks.experiment.provenance import files_digest, sizes_digest
from benchmarks.experiment.resolve import Resolved
from benchmarks.store.digests import file_digest
from benchmarks.store.store import Store

PICTURES = (".jpg", ".jpeg")
"""Photographs: of a training split their sizes count. Label maps are png, and count whole."""


def cell_key(resolved: Resolved) -> str:
    """Hash of :func:`key_parts`.

    Raises:
        FileNotFoundError: data or weights are missing, so the key cannot be computed.
    """
    return key_of(key_parts(resolved))


def key_of(parts: dict[str, Any]) -> str:
    """Twenty-four hexadecimal digits over the parts of a key."""
    return digest(parts)[:24]


def key_parts(resolved: Resolved) -> dict[str, Any]:
    """What a key is made of, by name: identity, data, training_data, weights, boxes, task_version, code.

    ``boxes`` is the key of the cell whose predictions feed this one, as stored; None where there is none.

    Raises:
        FileNotFoundError: data or weights are missing, so the key cannot be computed.
        ValueError: annotation files contradict the protocol.
    """
    cell = resolved.cell
    resolved.require("weights")
    return {
        "identity": cell.fingerprint()[:16],
        "data": data_fingerprint(resolved),
        "training_data": training_fingerprint(resolved),
        "weights": None if resolved.weights is None else file_digest(resolved.weights),
        "boxes": _key_of_boxes(cell, resolved.paths),
        "task_version": resolved.task.version,
        "code": code_version(cell.task, cell.model, cell.checkpoint is not None),
    }


def changed_parts(resolved: Resolved, key: str | None, held: Mapping[str, Any] | None) -> list[str]:
    """Names of the parts of the key in which a stored result differs from what a run would give; none if it is current.

    Args:
        key: the stored key. held: the stored parts of the key, where the result has them.

    Raises:
        FileNotFoundError, ValueError: as :func:`key_parts`.
    """
    parts = key_parts(resolved)
    if key == key_of(parts):
        return []
    names = [name.replace("_", " ") for name, value in parts.items() if held and held.get(name) != value]
    return names or ["data, weights or code"]


def data_fingerprint(resolved: Resolved) -> str:
    """Of embedded data: their writer's sources, sizes and seed. Of real data: the annotation files' contents.

    Raises:
        FileNotFoundError: a dataset or one of its annotation files is missing; the text says where it belongs.
        ValueError: annotation files contradict the protocol.
    """
    cell = resolved.cell
    if cell.data is not None:
        return embedded_fingerprint(cell.data, cell.tier)
    resolved.require("root", "files", "layout")
    return files_digest(resolved.files)[:16]


def training_fingerprint(resolved: Resolved) -> str | None:
    """The split that real training data come from, with the contents of its annotation files; of pictures, the sizes.

    None where nothing is trained, and for embedded data, whose fingerprint holds for all splits.

    Raises:
        FileNotFoundError, ValueError: as :func:`data_fingerprint`.
    """
    if resolved.train_split is None or resolved.cell.data is not None:
        return None
    resolved.require("root", "files", "layout")
    pictures = [path for path in resolved.train_files if path.suffix.lower() in PICTURES]
    others = [path for path in resolved.train_files if path.suffix.lower() not in PICTURES]
    return f"{resolved.train_split}:" + digest([files_digest(others), sizes_digest(pictures)])[:16]


@lru_cache
def embedded_fingerprint(dataset: str, tier: str) -> str:
    """What the embedded data of a tier would be, whether or not they are written yet."""
    from importlib import import_module

    from benchmarks.synthetic import WRITERS
    from benchmarks.synthetic.cache import fingerprint

    return fingerprint(dataset, import_module(WRITERS[dataset]).SIZES[tier], 0)


def _key_of_boxes(cell: Cell, places: Places) -> str | None:
    """The key of the stored cell that ``boxes_from`` names."""
    if cell.boxes_from is None:
        return None
    for path in sorted(places.out.glob(f"*/{cell.boxes_from}/cell.json")):
        stored = Store(places.out).load(path.parent.parent.name, cell.boxes_from)
        if stored is not None and stored.done:
            return stored.record.key
    return None
