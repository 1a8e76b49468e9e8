"""Pictures of cells on the page: small copies beside it, with links to the originals."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from benchmarks.report import thumbnails
from benchmarks.store.files import is_inside
from benchmarks.store.record import Picture
from benchmarks.store.store import StoredCell
from benchmarks.tables.rows import Measured, headline


@dataclass(frozen=True)
class Meaning:
    """What a picture's score is: its name, what it says in words, its unit, and whether it is stored with a minus."""

    name: str
    words: str
    unit: str = ""
    negated: bool = False

    def text(self, score: float) -> str:
        """The score as people read it: "NME 5.2 %"."""
        return f"{self.name} {(-score if self.negated else score) + 0.0:.3g}{self.unit}"


_MOTA = Meaning(
    "MOTA", "tracking accuracy of this video alone, 100 % at best, below 0 where errors outnumber joints", " %"
)
MEANINGS = {
    "pose": Meaning("OKS", "similarity to the annotated joints, 1 at best"),
    "pose/mpii": Meaning("error", "mean error in head sizes, each joint's at most 1; 0 at best", " head sizes", True),
    "pose/posetrack17": _MOTA,
    "pose/posetrack18": _MOTA,
    "segmentation": Meaning("IoU", "mean over this picture's classes, 1 at best"),
    "landmarks": Meaning("NME", "mean error of this face's points, 0 at best", " %", True),
    "detection": Meaning("F1", "of the detections drawn (score 0.3 and more, IoU 0.5), 1 at best"),
    "classification": Meaning("margin", "logit of the true class over the best other one; below 0 is wrong"),
}
"""What a picture's score is, by task, or by task and dataset where that has its own."""
OTHER = Meaning("score", "the task's quality of a sample, higher is better")
KINDS = {"best": "Among the best", "worst": "Among the worst", "random": "Drawn at random"}
MOST = 6
"""Pictures of a cell that the page shows, so that its size grows by cell."""


@dataclass(frozen=True)
class Shot:
    """A sample with its truth and its prediction: small copies beside the page, links to the originals, size in pixels.

    `words` say what makes it the best, the worst, or one of the others.
    """

    kind: str
    image: str
    score: str
    truth: str
    prediction: str
    truth_original: str
    prediction_original: str
    width: int
    height: int
    words: str

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
    """Name (by cell id), headline figure and pictures of each row that has some; small copies are written below `out`."""
    return [
        Gallery(names[row.cell.id], headline(held) + (", first seed" if len(row.done) > 1 else ""), pictures)
        for row in rows
        for held in row.done[:1]
        if (pictures := copied(held, out))
    ]


def copied(stored: StoredCell, out: Path) -> tuple[Shot, ...]:
    """Small copies of a cell's pictures below `out`, and where the originals are."""
    shown: list[Shot] = []
    cell = stored.record.cell
    pairs: list[tuple[Path, Path]] = []
    target = out / thumbnails.FOLDER / stored.id
    for picture in _chosen(stored):
        found = {"truth": stored.file(picture.truth), "prediction": stored.file(picture.prediction)}
        paths = {what: path for what, path in found.items() if path is not None}
        if len(paths) < len(found) or not is_inside(target, out):
            continue
        small = {what: target / f"{picture.index}_{what}.jpg" for what in paths}
        pairs += [(paths[what], small[what]) for what in paths]
        width, height = picture_size(paths["prediction"])
        meaning = MEANINGS.get(f"{cell.task}/{cell.dataset}", MEANINGS.get(cell.task, OTHER))
        score = "" if picture.score is None else meaning.text(picture.score)
        words = KINDS.get(picture.kind, picture.kind) + (f": {score} ({meaning.words})" if score else "")
        shown.append(
            Shot(
                picture.kind,
                picture.image,
                score,
                truth=small["truth"].relative_to(out).as_posix(),
                prediction=small["prediction"].relative_to(out).as_posix(),
                truth_original=Path(os.path.relpath(paths["truth"], out)).as_posix(),
                prediction_original=Path(os.path.relpath(paths["prediction"], out)).as_posix(),
                width=width,
                height=height,
                words=words,
            )
        )
    thumbnails.make(pairs)
    return tuple(shot for shot in shown if (out / shot.truth).exists() and (out / shot.prediction).exists())


def _chosen(stored: StoredCell) -> list[Picture]:
    """At most six of a cell's pictures: of every kind in turn."""
    kinds: dict[str, list[Picture]] = {}
    for picture in stored.record.pictures:
        kinds.setdefault(picture.kind, []).append(picture)
    rounds = zip_longest(*kinds.values())
    first = [picture for one in rounds for picture in one if picture is not None][:MOST]
    return [picture for picture in stored.record.pictures if picture in first]


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) of a jpeg or png from its header; (4, 3) if it is neither."""
    with path.open("rb") as handle:
        data = handle.read(4096)
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
