"""Folders of label maps, whoever made them, scored as our own predictions are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.base import Stats
from tasks.files.names import as_posix
from tasks.segmentation.entries.entry import Entry
from tasks.segmentation.files.classes import IGNORE, ClassTable
from tasks.segmentation.files.label_png import read_ids
from tasks.segmentation.files.layouts import Layout, check_once
from tasks.segmentation.metrics import confusion_matrix, stats_of
from tasks.segmentation.protocol import SegmentationProtocol


def label_map_stats(
    entry: Entry, root: Path, split: str, path: Path, protocol: SegmentationProtocol
) -> tuple[Stats, tuple[str, ...]]:
    """Confusion matrices of a folder of pngs that hold the dataset's own ids; the pictures need not be there.

    A map is found by its path below the folder, as submissions name it, or by its name alone where that tells it. Pixels that
    a map gives to no scored class, or to none at all (255), are misses of their true class and no false alarms: so count
    cityscapesscripts' `getIouScoreForLabel` and mmseg's `IoUMetric.intersect_and_union`.

    Raises:
        ValueError: a map is missing, no png, of another size, or holds other ids; or the split has no public truth.
    """
    layout = entry.open(root, split, protocol, False)
    check_once(layout.samples)
    if layout.label(0) is None:
        raise ValueError(f"{split} has no public ground truth: upload {path} to the benchmark's server")
    files, notes = find_maps(layout, path, entry.map_key)
    table, classes = layout.table, len(layout.table)
    kept = np.zeros((len(files), classes, classes), np.int64)
    lost = np.zeros((len(files), classes), np.int64)
    held: set[int] = set()
    for index, file in enumerate(files):
        label = layout.label(index)
        assert label is not None
        ids = read_ids(file, f"{entry.info.title} label map")
        held.update(np.unique(ids).tolist())
        found = _classes(ids, table, file)
        if found.shape != label.shape:
            raise ValueError(
                f"{file}: expected a map of the label's size {label.shape[1]}x{label.shape[0]}, got "
                f"{found.shape[1]}x{found.shape[0]}; write the predictions at the pictures' own size"
            )
        counts = confusion_matrix(label, found, classes + 1, str(file))
        kept[index], lost[index] = counts[:classes, :classes], counts[:classes, classes]
    _check_not_classes(table, held, path)
    stats = stats_of(layout.names(), kept)
    stats["truth"] = stats["truth"] + lost
    if lost.any():
        share = 100 * lost.sum() / max(1, stats["truth"].sum())
        notes = (*notes, f"{share:.2f} % of the labelled pixels are given to no scored class, and count as wrong")
    return stats, (*entry.notes, *layout.notes, *notes)


def find_maps(layout: Layout, path: Path, key: Callable[[str], str] = str) -> tuple[list[Path], tuple[str, ...]]:
    """The png of every sample in a submission, and what was left out.

    Args:
        key: stem of a file -> what a map is found by where its path is not the submission's.

    Raises:
        ValueError: the folder does not exist, or lacks a sample's map, or holds several that it could be.
    """
    if not path.is_dir():
        raise ValueError(
            f"{path}: expected a folder of label maps (png), found {'a file' if path.exists() else 'nothing'}"
        )
    by_path = {as_posix(str(file.relative_to(path))): file for file in sorted(path.rglob("*.png"))}
    by_name: dict[str, list[Path]] = {}
    for file in by_path.values():
        by_name.setdefault(key(file.stem), []).append(file)
    found: list[Path] = []
    lacking: list[str] = []
    for index in range(len(layout.samples)):
        name = layout.submission_name(index)
        alike = by_name.get(key(Path(name).stem), [])
        if name in by_path:
            found.append(by_path[name])
        elif len(alike) > 1:
            raise ValueError(
                f"{path}: expected one label map {name}, got {len(alike)} of that name ({alike[0]}, {alike[1]}); "
                "keep one of them"
            )
        elif alike:
            found.append(alike[0])
        else:
            lacking.append(name)
    if lacking:
        raise ValueError(
            f"{path}: expected a label map for each of {len(layout.samples)} pictures, {len(lacking)} are missing (first: "
            f"{lacking[0]}); choose the split that they were made for, or complete the folder"
        )
    if len(set(found)) < len(found):
        raise ValueError(f"{path}: expected {len(found)} label maps, got one for several pictures; keep their folders")
    spare = len(by_path) - len(found)
    return found, (f"{spare} png files of other names in {path.name} are left out",) * (spare > 0)


def _classes(ids: NDArray[np.uint8], table: ClassTable, path: Path) -> NDArray[np.uint8]:
    """Ids as classes; what the dataset has but does not score, and 255, becomes the class after the last.

    Raises:
        ValueError: an id that the dataset does not have.
    """
    lookup = table.decode_table()
    lookup[IGNORE] = IGNORE  # of no class, as `eval --predictions` writes it; no dataset has a class of this id
    wrong = np.unique(ids[lookup[ids] < 0])
    if wrong.size:
        raise ValueError(
            f"{path}: expected ids {min(table.file_ids)}..{max(table.file_ids)}, got {wrong[:5].tolist()}; predictions hold the "
            "ids of the dataset's own label files"
        )
    lookup[lookup == IGNORE] = len(table)
    return lookup[ids].astype(np.uint8)


def _check_not_classes(table: ClassTable, held: Sequence[int] | set[int], path: Path) -> None:
    """Raises ValueError where all maps together look like class numbers, not like the file's ids (Cityscapes' train ids)."""
    last, held = len(table) - 1, set(held) - {IGNORE} or {IGNORE}
    if max(table.file_ids) > last and max(held) <= last and any(i in table.ignored_ids for i in held):
        raise ValueError(
            f"{path}: expected ids of label files ({min(table.file_ids)}..{max(table.file_ids)}), got {min(held)}..{max(held)}, "
            "which look like train ids; map them as the dataset's tools do"
        )
