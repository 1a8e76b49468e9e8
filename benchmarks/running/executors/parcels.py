"""Results that travel between machines without a common folder: packed where they were made, stored where they are wanted."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.store import record as records
from benchmarks.store.store import Store


def pack(folder: Path, names: Iterable[str] = ("*",)) -> bytes:
    """The entries of a folder that match one of the patterns, as an archive of regular files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in sorted({path for name in names for path in folder.glob(name)}):
            archive.add(path, path.relative_to(folder).as_posix())
    return buffer.getvalue()


def unpack(parcel: bytes, folder: Path) -> None:
    """Writes an archive's files below a folder; one that would lead out of it is refused."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(parcel)) as archive:
        archive.extractall(folder, filter="data")


def store_parcel(parcel: bytes, store: Store, task: str, cell_id: str) -> None:
    """Puts a packed result into a store, whole or not at all.

    Raises:
        ValueError: it is another cell's. OSError: the disk refused.
    """
    store.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store.root, prefix=".parcel-") as made:
        folder = Path(made) / cell_id
        unpack(parcel, folder)
        record = records.read(folder / "cell.json")
        if (record.cell.task, record.id) != (task, cell_id):
            raise ValueError(
                f"Expected the result of {task} {cell_id}, got {record.cell.task} {record.id}; run it again."
            )
        (folder / "cell.json").unlink()
        stats = None
        if (folder / "stats.npz").exists():
            with np.load(folder / "stats.npz", allow_pickle=False) as held:
                stats = {name: held[name] for name in held.files}
            (folder / "stats.npz").unlink()
        store.save(record, stats, folder)
