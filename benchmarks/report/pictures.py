"""Pictures of cells on the page: copied beside it, with their size."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.store.files import is_inside
from benchmarks.store.store import StoredCell
from benchmarks.tables.rows import Measured, headline


@dataclass(frozen=True)
class Shot:
    """A sample with its truth and its prediction: names of files beside the page, and the prediction's size in pixels."""

    kind: str
    image: str
    score: str
    truth: str
    prediction: str
    width: int
    height: int

    @property
    def wide(self) -> bool:
        """Whether it takes the room of two."""
        return self.width > 1.35 * self.height


@dataclass(frozen=True)
class Gallery:
    """The pictures of a cell, with its name and its headline figure."""

    name: str
    headline: str
    pictures: tuple[Shot, ...]


def galleries(rows: Sequence[Measured], names: Mapping[str, str], out: Path) -> list[Gallery]:
    """Name (by cell id), headline figure and pictures of each row that has some; the pictures are copied to `out`."""
    return [
        Gallery(names[row.cell.id], headline(held), pictures)
        for row in rows
        for held in row.done[:1]
        if (pictures := copied(held, out))
    ]


def copied(stored: StoredCell, out: Path) -> tuple[Shot, ...]:
    """Copies a cell's pictures to `out/pictures/ID`, in place of those of an earlier run."""
    shown: list[Shot] = []
    for picture in stored.record.pictures:
        found = {"truth": stored.file(picture.truth), "prediction": stored.file(picture.prediction)}
        paths = {what: path for what, path in found.items() if path is not None}
        target = out / "pictures" / stored.id
        if len(paths) < len(found) or not is_inside(target, out):
            continue
        if not shown:
            shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True, exist_ok=True)
        names = {what: f"{picture.index}_{what}{path.suffix}" for what, path in paths.items()}
        for what, path in paths.items():
            if not (target / names[what]).exists():
                shutil.copyfile(path, target / names[what])
        width, height = picture_size(paths["prediction"])
        shown.append(
            Shot(
                picture.kind,
                picture.image,
                "" if picture.score is None else f"{picture.score:.3g}",
                f"pictures/{stored.id}/{names['truth']}",
                f"pictures/{stored.id}/{names['prediction']}",
                width,
                height,
            )
        )
    return tuple(shown)


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) of a jpeg or png from its header; (4, 3) if it is neither."""
    data = path.read_bytes()
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    place = 2
    while data[:2] == b"\xff\xd8" and place + 9 < len(data):
        kind, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return width, height
        place += 2 + length
    return 4, 3
