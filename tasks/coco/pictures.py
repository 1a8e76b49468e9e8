"""The pictures that a COCO file lists: ids, names, sizes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import msgspec
import numpy as np
from numpy.typing import NDArray

from tasks.coco.identities import Id, Identities
from tasks.files.json_file import shorten

LARGEST_SIDE_PX = 1_000_000


class ImageRecord(msgspec.Struct, gc=False):
    """An entry of `images`; every field may lack as far as json goes."""

    id: int | str | None = None
    file_name: str | None = None
    width: float | None = None
    height: float | None = None


@dataclass(frozen=True)
class Pictures:
    """N pictures in the file's order.

    Attributes:
        path: the annotation file. ids: as written, each once. names: file names with forward slashes.
        sizes_wh: (N, 2) int32 px.
    """

    path: Path
    ids: tuple[Id, ...]
    names: tuple[str, ...]
    sizes_wh: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def identities(self) -> Identities:
        """Their rows by id."""
        return Identities(self.ids)


def pictures_of(records: Sequence[ImageRecord], path: Path) -> Pictures:
    """Checks the list `images` of the file `path`.

    Raises:
        ValueError: none, or an entry without one of its fields, with a size that is no whole number of pixels, or with an id
            that another one has.
    """
    if not records:
        raise ValueError(f"{path}: expected pictures under 'images', got an empty list; fetch the file again")
    seen: set[Id] = set()
    for row, record in enumerate(records):
        for field in ("id", "file_name", "width", "height"):
            if getattr(record, field) in (None, ""):
                raise ValueError(
                    f"{_where(record, row, path)}: expected the field {field!r} but it is missing or empty; correct the entry "
                    "or fetch the file again"
                )
        for field in ("width", "height"):
            side = getattr(record, field)
            if not (1 <= side <= LARGEST_SIDE_PX) or side != int(side):
                raise ValueError(
                    f"{_where(record, row, path)}: expected {field} as a positive whole number of pixels, got {side:g}; "
                    "correct it"
                )
        assert record.id is not None
        if record.id in seen:
            raise ValueError(
                f"{_where(record, row, path)}: expected an id (number or text) of its own, got a second picture of this id; "
                "correct or remove the entry"
            )
        seen.add(record.id)
    sizes = np.array([(record.width, record.height) for record in records], np.int32).reshape(-1, 2)
    names = tuple(str(record.file_name).replace("\\", "/") for record in records)
    return Pictures(path, tuple(record.id for record in records), names, sizes)  # type: ignore[misc]


def _where(record: ImageRecord, row: int, path: Path) -> str:
    return f"{path}, images[{row}] (id {shorten(record.id)})"


def require_pictures(root: Path, folder: str, pictures: Pictures) -> None:
    """Checks that every listed picture lies in `root`/`folder`.

    Folders are listed once: asking for each file takes longer. A name that leaves the folder is refused when it is read.

    Raises:
        ValueError: the folder, or a picture, is missing.
    """
    place = root / folder
    if not place.is_dir():
        raise ValueError(
            f"Expected the pictures of {pictures.path.name} in {place} but there is no such folder; unpack them there, "
            f"or into {root / 'images'}, or correct --data-root"
        )
    listed: dict[str, set[str]] = {}
    missing = []
    for row, name in enumerate(pictures.names):
        parent, _, base = name.rpartition("/")
        if parent not in listed:
            listed[parent] = _names_in(place / PurePosixPath(parent))
        if base not in listed[parent] and not (place / name).exists():
            missing.append(row)
    if missing:
        row = missing[0]
        raise ValueError(
            f"{pictures.path}, image {pictures.ids[row]}: expected the picture {place / pictures.names[row]} but there is no "
            f"such file ({len(missing)} of {len(pictures)} are missing); complete the download"
        )


def _names_in(folder: Path) -> set[str]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries}
    except (OSError, ValueError):
        return set()
