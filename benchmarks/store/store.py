"""The result store: one folder per cell, written whole or not at all. Torch-free.

``<root>/<task>/<cell id>/`` holds ``cell.json`` (written last: its presence says that the cell is finished), ``stats.npz``
(per-image statistics), and what the run kept beside them (``weights.pt``, ``curves.json``, ``pictures/``, predictions).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.store import record as records
from benchmarks.store.record import Record
from benchmarks.store.workspace import OWNER, claim, scratch_folder
from tasks import get_task

LAST_FAILURE = "last_failure"
"""In a finished cell's folder: what a later run of it failed with."""
SPOILT_ARCHIVE = (OSError, EOFError, ValueError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)
"""What NumPy and zipfile raise at an archive whose bytes are cut or changed."""


class BusyError(ValueError):
    """Another process that lives runs the cell."""


@dataclass(frozen=True)
class StoredCell:
    """A finished (or failed) cell as it lies on disk: its folder, and what its ``cell.json`` holds."""

    folder: Path
    record: Record

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

    def stats(self) -> dict[str, np.ndarray]:
        """The per-image statistics; empty if none were kept.

        Raises:
            ValueError: the file is cut or spoilt.
        """
        path = self.folder / "stats.npz"
        if not path.exists():
            return {}
        try:
            with path.open("rb") as handle, np.load(handle, allow_pickle=False) as data:
                return {name: data[name] for name in data.files}
        except SPOILT_ARCHIVE as error:
            raise ValueError(
                f"{path}: expected statistics, got a file that cannot be read ({error or 'it is empty'}). Run the cell again."
            ) from error


class Store:
    """Cells below one folder.

    Args:
        root: usually ``results/runs``.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._unsaved: dict[tuple[str, str], StoredCell] = {}

    def folder(self, task: str, cell_id: str) -> Path:
        return self.root / task / cell_id

    def work_folder(self, task: str, cell_id: str) -> Path:
        """Where a cell's workspace lies; :meth:`workspace` makes and claims it."""
        return self.root / task / f"{cell_id}.work"

    def load(self, task: str, cell_id: str) -> StoredCell | None:
        """None if the cell was never finished; what :meth:`remember` holds goes before what is on disk.

        Raises:
            ValueError: cell.json is there but is not readable, lacks a field, or is of a newer schema.
        """
        if (task, cell_id) in self._unsaved:
            return self._unsaved[task, cell_id]
        path = self.folder(task, cell_id) / "cell.json"
        if not path.exists():
            return None
        record = records.read(path)
        if record.declaration is not None:  # its figures can be computed without the data
            known = get_task(record.cell.task)
            if record.declaration.name not in known.datasets:
                known.declare_completed(record.declaration)
        return StoredCell(path.parent, record)

    def all(self) -> Iterator[StoredCell]:
        """Every cell on disk, in order of task and id; hidden folders are results that are still being written."""
        for path in sorted(self.root.glob("*/[!.]*/cell.json")):
            stored = self.load(path.parent.parent.name, path.parent.name)
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
            folder.mkdir(exist_ok=True)
            (folder / "failure.json").write_bytes(records.encode(record))
            if files is not None and (files / "traceback.txt").exists():
                shutil.move(str(files / "traceback.txt"), folder / "traceback.txt")
        stored = StoredCell(folder, record)
        self._unsaved[record.cell.task, record.id] = stored
        return stored

    def release(self, task: str, cell_id: str) -> None:
        """Gives a workspace up that is kept to continue from."""
        (self.work_folder(task, cell_id) / OWNER).unlink(missing_ok=True)

    def workspace(self, task: str, cell_id: str) -> Path:
        """A folder for what a running cell keeps between interruptions (resumable checkpoints), claimed for this process.

        Raises:
            BusyError: another process that lives has it.
            OSError: the disk refused; the text names the folder and what to do.
        """
        path = self.work_folder(task, cell_id)
        try:
            path.mkdir(parents=True, exist_ok=True)
            other = claim(path)
        except OSError as error:
            raise no_room(error, path, "the workspace") from error
        if other is not None:
            raise BusyError(
                f"{path}: process {other} runs this cell. Wait until it has ended, or choose another folder with --out."
            )
        return path

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
        if not record.done and _finished(target):
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
                    _sync(handle)
            with (temporary / "cell.json").open("wb") as handle:
                handle.write(records.encode(record))
                _sync(handle)
            if target.exists():
                old = scratch_folder(target.parent, f"{cell_id}.old")
                target.rename(old / "cell")
                temporary.rename(target)
                shutil.rmtree(old)
            else:
                temporary.rename(target)
            _sync_folder(target.parent)
        except OSError as error:
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)
            raise no_room(error, target, "the result") from error
        stored = self.load(task, cell_id)
        assert stored is not None
        return stored


def _finished(folder: Path) -> bool:
    try:
        return records.read(folder / "cell.json").done
    except ValueError:
        return False


def _typed(record: Record | Mapping[str, Any]) -> Record:
    return record if isinstance(record, Record) else records.record_of(record)


def no_room(error: OSError, path: Path, what: str) -> OSError:
    """The error of a write that the disk refused: the file, and what to do: about room where that is what lacks, else about
    the folder."""
    place = path.parent
    while not os.access(place, os.F_OK):  # Path.exists raises where a folder may not be entered
        place = place.resolve().parent
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return OSError(
            error.errno,
            f"{path}: could not write {what} ({error.strerror or error}); {place} must be a writable folder: correct that, or "
            "choose another folder with --out, and run again: finished cells are kept",
        )
    return OSError(
        error.errno,
        f"{path}: could not write {what} ({error.strerror or error}); {shutil.disk_usage(place).free / 2**20:.0f} MiB are "
        "free there. Free space, or choose another folder with --out, and run again: finished cells are kept",
    )


def _sync(handle: Any) -> None:
    handle.flush()
    os.fsync(handle.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
