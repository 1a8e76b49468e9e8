"""The result store: one folder per cell, written whole or not at all.

``<root>/<task>/<cell id>/`` holds ``cell.json`` (written last: its presence says that the cell is finished), ``stats.npz``
(per-image statistics), and what the run kept beside them (``weights.pt``, ``curves.json``, ``pictures/``, predictions).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.store import record as records
from benchmarks.store.claims import claim, is_held, release
from benchmarks.store.digests import file_digest
from benchmarks.store.files import check_inside, is_inside, no_room, put, waiting_place
from benchmarks.store.record import Record
from benchmarks.store.workspace import scratch_folder, scratch_name
from tasks import get_task
from tasks.files.writing import write_bytes

AGAIN = "Run the cell again."
LAST_FAILURE = "last_failure"
"""In a finished cell's folder: what a later run of it failed with."""
SPOILT_ARCHIVE = (OSError, EOFError, ValueError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)
"""What NumPy and zipfile raise at an archive whose bytes are cut or changed."""


@dataclass(frozen=True)
class StoredCell:
    """A finished (or failed) cell as it lies on disk: its folder, and what its ``cell.json`` holds."""

    folder: Path
    record: Record
    damage: str = ""
    """Why its ``cell.json`` cannot be used; the record then says that it failed, with this reason."""
    newer: bool = False
    """Whether that is because a newer version wrote it."""
    edited: bool = False
    """Whether its ``cell.json`` is not as it was written, which its seal tells."""

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def done(self) -> bool:
        return self.record.done

    def value(self, metric: str) -> float | None:
        """The figure, or None where the cell failed or lacks it."""
        figure = self.record.figures.get(metric)
        return None if figure is None else figure.value

    @property
    def stamp(self) -> str:
        """Tells this result from any other of the same cell."""
        return hashlib.sha256(records.encode(self.record)).hexdigest()

    def file(self, name: str) -> Path | None:
        """A file of the cell's folder; None where there is none, or where a link leads out of the folder."""
        path = self.folder / name
        return path if path.is_file() and is_inside(path, self.folder) else None

    def stats(self) -> dict[str, np.ndarray]:
        """The per-image statistics; empty if none were kept.

        Raises:
            ValueError: the file is cut or spoilt, or not the one that the run wrote.
        """
        path = self.file("stats.npz")
        if path is None:
            return {}
        try:
            with path.open("rb") as handle, np.load(handle, allow_pickle=False) as data:
                held = {name: data[name] for name in data.files}
        except SPOILT_ARCHIVE as error:
            raise ValueError(
                f"{path}: expected statistics, got a file that cannot be read ({error or 'it is empty'}). {AGAIN}"
            ) from error
        if self.statistics_edited():
            raise ValueError(
                f"{path}: expected the statistics as they were written, got others; the file was edited. {AGAIN}"
            )
        return held

    def statistics_edited(self) -> bool:
        """Whether `stats.npz` is not the file that the run wrote; False of what older versions wrote without a digest."""
        path, written = self.file("stats.npz"), self.record.statistics
        if path is None or isinstance(written, msgspec.UnsetType):
            return False
        try:
            return file_digest(path) != written
        except OSError:
            return True


class Store:
    """Cells below one folder.

    Args:
        root: usually ``results/runs``.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._unsaved: dict[tuple[str, str], StoredCell] = {}
        self._read_before: dict[tuple[str, str], tuple[Path, tuple[int, int, int], StoredCell]] = {}

    def folder(self, task: str, cell_id: str) -> Path:
        return self.root / task / cell_id

    def work_folder(self, task: str, cell_id: str) -> Path:
        """Where a cell's workspace lies; :meth:`workspace` makes and claims it."""
        return self.root / task / f"{cell_id}.work"

    def load(self, task: str, cell_id: str) -> StoredCell | None:
        """None if the cell was never finished; what :meth:`remember` holds goes before what is on disk.

        A ``cell.json`` that cannot be used (broken, of another cell, of a newer version, with links that lead out of the results
        folder) is a failed cell with that reason and its ``damage``.
        """
        if (task, cell_id) in self._unsaved:
            return self._unsaved[task, cell_id]
        target = self.folder(task, cell_id)
        for folder in (target, waiting_place(target), target):  # a replacement may be going on
            mark = _mark(folder / "cell.json")
            if mark is None:
                continue
            kept = self._read_before.get((task, cell_id))
            if kept is not None and kept[:2] == (folder, mark):
                return kept[2]
            stored = self._read(folder, task, cell_id)
            if not stored.damage or _mark(folder / "cell.json") == mark:
                self._read_before[task, cell_id] = (folder, mark, stored)
                return stored
        return None

    def _read(self, folder: Path, task: str, cell_id: str) -> StoredCell:
        try:
            self._check_inside(folder.parent, folder, *(Path(entry) for entry in os.scandir(folder)))
            record, whole = records.read_sealed(folder / "cell.json")
            if (record.cell.task, record.id) != (task, cell_id):
                raise ValueError(
                    f"{folder / 'cell.json'}: expected cell {cell_id} of {task}, got {record.id} of {record.cell.task}; "
                    f"{records.FIX}"
                )
            if record.declaration is not None:  # its figures can be computed without the data
                known = get_task(record.cell.task)
                if record.declaration.name not in known.datasets:
                    known.declare_completed(record.declaration)
        except (ValueError, OSError) as error:
            newer = isinstance(error, records.NewerError)
            return StoredCell(folder, records.damaged(task, cell_id, str(error)), str(error), newer)
        return StoredCell(folder, record, edited=not whole)

    def stamp(self, task: str, cell_id: str) -> str:
        """Tells the stored result from any other of the same cell; "" where there is none."""
        stored = self.load(task, cell_id)
        return "" if stored is None else stored.stamp

    def all(self) -> Iterator[StoredCell]:
        """Every cell on disk, in order of task and id; hidden folders are results that are still being written."""
        for task in sorted(path.name for path in self.root.glob("[!.]*") if path.is_dir()):
            folders = (self.root / task).iterdir() if is_inside(self.root / task, self.root) else iter(())
            found = {_cell_of(path) for path in folders} - {""}
            for cell_id in sorted(found):
                stored = self.load(task, cell_id)
                if stored is not None:
                    yield stored

    def remember(self, record: Record | Mapping[str, Any]) -> StoredCell:
        """Keeps a record for this object's tables alone: a failure that the disk has no room for, a cell without its data."""
        record = _typed(record)
        stored = StoredCell(self.folder(record.cell.task, record.id), record)
        self._unsaved[record.cell.task, record.id] = stored
        return stored

    def _lay_beside(self, record: Record, files: Path | None) -> StoredCell:
        folder = self.folder(record.cell.task, record.id) / LAST_FAILURE
        with contextlib.suppress(OSError):  # the disk may be what failed
            if folder.exists():
                shutil.rmtree(folder)
            write_bytes(folder / "failure.json", records.encode(record))
            if files is not None and (files / "traceback.txt").exists():
                shutil.move(str(files / "traceback.txt"), folder / "traceback.txt")
        stored = StoredCell(folder, record)
        self._unsaved[record.cell.task, record.id] = stored
        return stored

    def release(self, task: str, cell_id: str) -> None:
        """Gives a claim up; the workspace stays, to continue from."""
        release(self.work_folder(task, cell_id))

    def discard_workspace(self, task: str, cell_id: str) -> None:
        """Gives a claim of this process up, and removes the workspace where it holds nothing to continue from."""
        path = self.work_folder(task, cell_id)
        if not is_held(path):
            return
        if not (path / "resume.pt").exists():
            shutil.rmtree(path, ignore_errors=True)
        release(path)

    def workspace(self, task: str, cell_id: str) -> Path:
        """A folder for what a running cell keeps between interruptions (resumable checkpoints), claimed for this process.

        Raises:
            BusyError: another process that lives has it.
            ValueError: a link in it leads out of the results folder.
            OSError: the disk refused; the text names the folder and what to do.
        """
        path = self.work_folder(task, cell_id)
        held = [Path(place, name) for place, folders, files in os.walk(path) for name in (*folders, *files)]
        self._check_inside(path.parent, path, *held)
        try:
            claim(path)
        except OSError as error:
            raise no_room(error, path, "the workspace") from error
        return path

    def _check_inside(self, *places: Path) -> None:
        """Raises ValueError where one of them is a link that leads out of the results folder."""
        for place in places:
            if place.is_symlink():
                check_inside(place, self.root)

    def save(
        self,
        record: Record | Mapping[str, Any],
        stats: Mapping[str, np.ndarray] | None = None,
        files: Path | None = None,
    ) -> StoredCell:
        """Puts a cell on disk, whole: everything is written to a temporary folder, synced, and renamed into place.

        A failure does not replace a finished result, whose weights may have taken days: it lies beside it in ``last_failure/``,
        and only this object's tables show it.

        Args:
            record: or plain data in its written form. Not-a-number becomes null.
            stats: per-image statistics.
            files: a folder whose content is moved into the cell's.

        Raises:
            OSError: the disk refused; the message says how much room was needed and where.
        """
        record = _typed(record)
        task, cell_id = record.cell.task, record.id
        target = self.folder(task, cell_id)
        self._check_inside(target.parent, target)
        held = None if record.done else self.load(task, cell_id)
        if held is not None and held.done:
            return self._lay_beside(record, files)
        self._unsaved.pop((task, cell_id), None)
        temporary: Path | None = None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = scratch_folder(target.parent, cell_id)
            if files is not None and files.exists():
                for item in sorted(files.iterdir()):
                    shutil.move(str(item), temporary / item.name)
            if stats is not None:
                with (temporary / "stats.npz").open("wb") as handle:
                    np.savez_compressed(handle, **stats)  # type: ignore[arg-type]
            digest = file_digest(temporary / "stats.npz") if (temporary / "stats.npz").exists() else msgspec.UNSET
            record = msgspec.structs.replace(record, statistics=digest)
            (temporary / "cell.json").write_bytes(records.encode(records.sealed(record)))
            put(temporary, target, scratch_name(target.parent, f"{cell_id}.old"))
        except OSError as error:
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)
            raise no_room(error, target, "the result") from error
        stored = self.load(task, cell_id)
        assert stored is not None
        return stored


def _mark(path: Path) -> tuple[int, int, int] | None:
    """Tells a file from what was there before, without reading it; None where there is none."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _cell_of(folder: Path) -> str:
    """The id of the cell that a folder holds, or is to replace; "" of others."""
    if folder.name.startswith("."):
        name = folder.name[1:].removesuffix(".new")
        return name if waiting_place(folder.with_name(name)) == folder else ""
    return folder.name if not folder.name.endswith(".work") else ""


def _typed(record: Record | Mapping[str, Any]) -> Record:
    return record if isinstance(record, Record) else records.record_of(record)
