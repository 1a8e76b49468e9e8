"""The result store: one folder per cell, written whole or not at all. Torch-free.

``<root>/<task>/<cell id>/`` holds ``cell.json`` (written last: its presence says that the cell is finished), ``stats.npz``
(per-image statistics), and what the run kept beside them (``weights.pt``, ``curves.json``, ``pictures/``, predictions).
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.store.workspace import OWNER, claim, scratch_folder

SCHEMA = 1
LAST_FAILURE = "last_failure"
"""In a finished cell's folder: what a later run of it failed with."""
NEEDED = ("id", "name", "status", "cell")
NEEDED_OF_FIGURES = ("figures", "headline")
NEEDED_OF_CELL = ("task", "dataset", "split", "model", "protocol", "seed", "tier")
SPOILT_ARCHIVE = (OSError, EOFError, ValueError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)
"""What NumPy and zipfile raise at an archive whose bytes are cut or changed."""


class BusyError(ValueError):
    """Another process that lives runs the cell."""


@dataclass(frozen=True)
class StoredCell:
    """A finished (or failed) cell as it lies on disk.

    ``record`` is cell.json: schema, id, key, name, label, status ("done" or "failed"), reason, cell (the identity),
    figures {metric: {value, unit, higher_is_better, decimals, n}}, headline, model {params, macs, macs_as_published,
    input_hw}, protocol_header, n {images, samples}, provenance, durations_s, curves {training: [{epoch, lr, loss, ...}],
    evaluation: {name: [[x, y], ...]}}, pictures [{kind, index, image, score, truth, prediction}], report (of the checkpoint).
    """

    folder: Path
    record: dict[str, Any]

    @property
    def id(self) -> str:
        return self.record["id"]

    @property
    def done(self) -> bool:
        return self.record["status"] == "done"

    def value(self, metric: str) -> float | None:
        """The figure, or None where the cell failed or lacks it."""
        entry = self.record.get("figures", {}).get(metric)
        return None if entry is None else entry["value"]

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
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"{path}: expected a result in JSON, got {error}. Delete its folder and run again."
            ) from None
        if not isinstance(record, dict):
            raise ValueError(
                f"{path}: expected a result, got a {type(record).__name__}. Delete its folder and run again."
            )
        if record.get("schema") != SCHEMA:
            raise ValueError(f"{path}: expected schema {SCHEMA}, got {record.get('schema')}. Update, or run again.")
        lacking = _lacking(record)
        if lacking:
            raise ValueError(f"{path}: expected a result, got one without {lacking}. Delete its folder and run again.")
        return StoredCell(path.parent, record)

    def all(self) -> Iterator[StoredCell]:
        """Every cell on disk, in order of task and id; hidden folders are results that are still being written."""
        for path in sorted(self.root.glob("*/[!.]*/cell.json")):
            stored = self.load(path.parent.parent.name, path.parent.name)
            if stored is not None:
                yield stored

    def remember(self, record: Mapping[str, Any]) -> StoredCell:
        """Keeps a record for this object's tables alone: a failure that the disk has no room for, a cell without its data."""
        task, cell_id = record["cell"]["task"], record["id"]
        stored = StoredCell(self.folder(task, cell_id), without_nan({"schema": SCHEMA, **record}))
        self._unsaved[task, cell_id] = stored
        return stored

    def _lay_beside(self, record: Mapping[str, Any], files: Path | None) -> StoredCell:
        task, cell_id = record["cell"]["task"], record["id"]
        folder = self.folder(task, cell_id) / LAST_FAILURE
        with contextlib.suppress(OSError):  # the disk may be what failed
            folder.mkdir(exist_ok=True)
            (folder / "failure.json").write_text(
                json.dumps(without_nan({"schema": SCHEMA, **record}), indent=1), encoding="utf-8"
            )
            if files is not None and (files / "traceback.txt").exists():
                shutil.move(str(files / "traceback.txt"), folder / "traceback.txt")
        stored = StoredCell(folder, without_nan({"schema": SCHEMA, **record}))
        self._unsaved[task, cell_id] = stored
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
        self, record: Mapping[str, Any], stats: Mapping[str, np.ndarray] | None = None, files: Path | None = None
    ) -> StoredCell:
        """Puts a cell on disk, whole: everything is written to a temporary folder, synced, and renamed into place.

        A failure does not replace a finished result, whose weights may have taken days: it lies beside it in ``last_failure/``,
        and only this object's tables show it.

        Args:
            record: without ``schema``; needs ``id``, ``status`` and ``cell``. Not-a-number becomes null.
            stats: per-image statistics.
            files: a folder whose content is moved into the cell's.

        Raises:
            OSError: the disk refused; the message says how much room was needed and where.
        """
        task, cell_id = record["cell"]["task"], record["id"]
        target = self.folder(task, cell_id)
        if record["status"] == "failed" and _finished(target):
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
            with (temporary / "cell.json").open("w", encoding="utf-8") as text:
                json.dump(without_nan({"schema": SCHEMA, **record}), text, indent=1, allow_nan=False)
                text.write("\n")
                _sync(text)
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
        return json.loads((folder / "cell.json").read_text(encoding="utf-8"))["status"] == "done"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


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


def _lacking(record: Mapping[str, Any]) -> str:
    """The fields that a stored record needs and does not have, in words; empty if none."""
    needed = NEEDED + (NEEDED_OF_FIGURES if record.get("status") == "done" else ())
    missing = [repr(name) for name in needed if name not in record]
    cell = record.get("cell")
    if isinstance(cell, dict):
        missing += [f"'cell.{name}'" for name in NEEDED_OF_CELL if name not in cell]
    elif "cell" in record:
        missing.append("'cell' as an object")
    return ", ".join(missing)


def without_nan(value: Any) -> Any:
    """Plain data with not-a-number and infinities as None, NumPy scalars as Python's."""
    if isinstance(value, Mapping):
        return {str(k): without_nan(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(v) for v in value]
    if isinstance(value, np.ndarray):
        return without_nan(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _sync(handle: Any) -> None:
    handle.flush()
    os.fsync(handle.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
