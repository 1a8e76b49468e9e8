"""Keeps embedded data on disk: written once, kept while nothing that made it changes, replaced when it does."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import json
import os
import shutil
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from benchmarks.store.sources import source_digests
from benchmarks.store.user_lock import user_lock
from benchmarks.store.workspace import scratch_folder
from benchmarks.synthetic import WRITERS

STAMP = "embedded.json"
"""The file that marks a folder as ours; a folder without it is somebody's data."""

_PACKAGE = "benchmarks.synthetic"


def ensure(dataset: str, data_root: Path, tier: str, seed: int = 0, sizes: Mapping[str, int] | None = None) -> Path:
    """Make sure that `data_root/<dataset>` holds the embedded data of `tier`, and return that folder.

    Numbers of pictures by split are the tier's, or `sizes`.

    An existing folder made by the same code, seed and sizes is kept; one made by others of ours is replaced. The new
    folder appears at once by a rename, so an interruption leaves either the old or the new data.

    Raises:
        ValueError: unknown dataset or tier; or the folder exists without `embedded.json`: it may be real data and is
            not touched.
    """
    of_tier = sizes_of(dataset, tier)
    chosen = of_tier if sizes is None else dict(sizes)
    wanted = fingerprint(dataset, chosen, seed)
    target = Path(data_root) / dataset
    if _is_current(target, wanted):
        return target
    Path(data_root).mkdir(parents=True, exist_ok=True)
    # One process at a time writes it; where there are no locks several do, and what comes last is dropped.
    with user_lock(hashlib.sha256(os.path.realpath(target).encode()).hexdigest()[:16]):
        if not _is_current(target, wanted):
            _write(dataset, tier, chosen, seed, target, wanted)
    return target


def sizes_of(dataset: str, tier: str) -> dict[str, int]:
    """Numbers of pictures (or videos) of a tier's embedded data, by split as the dataset's writer names it.

    Raises:
        ValueError: unknown dataset or tier.
    """
    if dataset not in WRITERS:
        raise ValueError(f"expected a dataset out of {sorted(WRITERS)}, got {dataset!r}: only these have embedded data")
    writer = importlib.import_module(WRITERS[dataset])
    if tier not in writer.SIZES:
        raise ValueError(
            f"expected a tier out of {sorted(writer.SIZES)} for {dataset}, got {tier!r}: choose one of them"
        )
    return dict(writer.SIZES[tier])


def _write(dataset: str, tier: str, sizes: dict[str, int], seed: int, target: Path, wanted: str) -> None:
    writer = importlib.import_module(WRITERS[dataset])
    fresh = scratch_folder(target.parent, dataset)
    try:
        writer.write(fresh, dict(sizes), seed)
        stamp = {
            "dataset": dataset,
            "tier": tier,
            "seed": seed,
            "sizes": sizes,
            "fingerprint": wanted,
            "version": writer.VERSION,
        }
        (fresh / STAMP).write_text(json.dumps(stamp, indent=1) + "\n")
        _replace(fresh, target, wanted)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def fingerprint(dataset: str, sizes: dict[str, int], seed: int) -> str:
    """Return the hash (16 hex digits) of all that decides the data: the writer's sources (comments aside), sizes and seed."""
    digest = hashlib.sha256()
    files = dict(sorted(source_files(WRITERS[dataset]).items()))
    for name, tokens in zip(files, source_digests(files.values()), strict=True):
        digest.update(f"{name}\0{tokens}".encode())
    digest.update(json.dumps([dataset, sorted(sizes.items()), seed]).encode())
    return digest.hexdigest()[:16]


def source_files(module: str) -> dict[str, Path]:
    """Return name -> file of `module` and of all modules of `benchmarks.synthetic` that it needs."""
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        found[name] = Path(spec.origin)
        waiting += _imported(found[name], found[name].stat().st_mtime_ns)
    return found


@lru_cache
def _imported(path: Path, modified_ns: int) -> list[str]:
    """The modules of `benchmarks.synthetic` that a file imports; most of them serve several datasets."""
    imported: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            imported += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in imported if name.startswith(_PACKAGE + ".") and _is_module(name)]


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        # `from module import function` was tried as a module below a plain module.
        return False


def _is_current(target: Path, wanted: str) -> bool:
    """Tell whether `target` holds what is wanted; raise where it may be somebody's own data."""
    if not target.exists():
        return False
    stamp_path = target / STAMP
    if not stamp_path.is_file():
        raise ValueError(
            f"expected {target} to be absent or embedded data (with {STAMP}), but got a folder without it: it may hold "
            "real data and is left alone; name another --data-root for the embedded data, or move that folder away"
        )
    try:
        stamp = json.loads(stamp_path.read_text())
    except json.JSONDecodeError:
        return False
    return isinstance(stamp, dict) and stamp.get("fingerprint") == wanted


def _replace(fresh: Path, target: Path, wanted: str) -> None:
    """Put `fresh` in the place of `target`; an equal folder that another process put there meanwhile is kept."""
    if _is_current(target, wanted):
        return
    aside = fresh.with_name(fresh.name + "-old")
    if target.exists():
        target.replace(aside)
    try:
        fresh.replace(target)
    except OSError:
        if not _is_current(target, wanted):
            raise
    shutil.rmtree(aside, ignore_errors=True)
