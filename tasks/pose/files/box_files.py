"""Person boxes for pictures that are named on a command line: COCO annotations, or a list of detections.

A picture is found by the end of its path (the file name that an annotation file gives, with its folders) or by its id; two
pictures of one name in different folders are never taken for each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tasks.coco.annotations import FIELDS, Flag
from tasks.coco.boxes import OUTSIDE_PX, overhang, refuse_corners
from tasks.coco.categories import CategoryRecord, plain_name
from tasks.coco.pictures import ImageRecord
from tasks.files.json_file import many_records, read_json, shorten
from tasks.pose.files.coco import PERSON

FORM = "person boxes (COCO annotations, or a list of {image_id, bbox, score})"


class BoxRecord(msgspec.Struct, gc=False):
    """A box of an annotation file or of a detector's; every field may lack as far as json goes."""

    image_id: int | float | str | None = None
    category_id: int | float | str | None = None
    bbox: tuple[float, float, float, float] | None = None
    score: float | None = None
    iscrowd: Flag = None


class _Annotations(msgspec.Struct):
    images: list[ImageRecord]
    annotations: list[BoxRecord]
    categories: list[CategoryRecord] = []


@dataclass(frozen=True)
class Found:
    """Boxes (x, y, w, h px) of persons in a picture, and, where there are none or something is odd, why."""

    boxes: list[NDArray[np.float64]]
    why: str = ""


class BoxFile:
    """A file of person boxes, or of boxes of another category (``number`` and ``name``), read once.

    Raises:
        ValueError: no such file, another form, or an entry without picture or box.
    """

    @many_records()
    def __init__(self, path: Path, number: int = PERSON, name: str = "person") -> None:
        self.path = path
        kind: Any = list[BoxRecord] | _Annotations
        content = read_json(path, kind, FORM, fields=FIELDS, fix="check the file")
        self.images: list[ImageRecord] | None = None
        self.person: Any = number
        self.category = name
        if isinstance(content, _Annotations):
            self.images, records = content.images, content.annotations
            self.person = _boxed_category(content.categories, number, name)
        else:
            records = content
        self._of: dict[str, list[tuple[int, BoxRecord]]] = {}
        for line, record in enumerate(records):
            if record.image_id is None or record.bbox is None:
                missing = "image_id" if record.image_id is None else "bbox"
                raise ValueError(
                    f"{path}, entry {line}: expected the field {missing!r} but it is missing; check the file"
                )
            self._of.setdefault(_text(record.image_id), []).append((line, record))

    def of_picture(self, image: Path, size_wh: tuple[int, int], min_score: float = 0.0) -> Found | None:
        """The boxes of a picture; None where the file does not know it.

        Raises:
            ValueError: several entries are this picture's by their names, the file states another size, or boxes are corners.
        """
        name = self._id_of(image, size_wh)
        if name is None:
            return None
        records = [(line, record) for line, record in self._of.get(name, []) if record.iscrowd in (None, 0, "0", False)]
        persons = [
            entry
            for entry in records
            if entry[1].category_id is None or _text(entry[1].category_id) == str(self.person)
        ]
        likely = [entry for entry in persons if entry[1].score is None or entry[1].score >= min_score]
        large = [entry for entry in likely if entry[1].bbox is not None and min(entry[1].bbox[2:]) > 1]
        if not large:
            return Found([], self._why_none(image, len(records), len(persons), len(likely), min_score))
        boxes = np.array([record.bbox for _, record in large], np.float64)
        sizes = np.array([size_wh] * len(boxes))
        refuse_corners(boxes, sizes, f"{self.path}, boxes of {image.name}")
        over = overhang(boxes, sizes)
        outside = (boxes[:, :2] >= sizes).any(1) | (boxes[:, :2] + boxes[:, 2:] <= 0).any(1)
        for row in np.flatnonzero(outside)[:1]:
            raise ValueError(
                f"{self.path}, entry {large[row][0]}: expected a box in {image.name} of {size_wh[0]}x{size_wh[1]} pixels, got "
                f"{boxes[row].tolist()}, which is outside it; correct the box, or give the boxes of this picture"
            )
        leaving = int((over > OUTSIDE_PX).sum())
        why = f"{self.path.name}: {leaving} boxes leave {image.name}, by up to {over.max():.4g} px" if leaving else ""
        return Found(list(boxes), why)

    def _why_none(self, image: Path, records: int, persons: int, likely: int, min_score: float) -> str:
        where = f"{self.path} knows {image.name}"
        if not records:
            return f"{where} but has no box of it"
        if not persons:
            return f"{where} but none of its {records} boxes is of category {self.person} ({self.category})"
        if not likely:
            return f"{where} but its {persons} boxes have scores below {min_score:g}"
        return f"{where} but its {likely} boxes are not larger than a pixel"

    def _id_of(self, image: Path, size_wh: tuple[int, int]) -> str | None:
        """The text of a picture's id in this file."""
        if self.images is None:
            found = [name for name in ids_of(image) if name in self._of]
            if len(found) > 1:
                raise ValueError(
                    f"{self.path}: expected boxes of {image.name} under one image_id, got {', '.join(found)}; name pictures alike"
                )
            return found[0] if found else None
        matching = [(length, entry) for entry in self.images if (length := same_end(image, entry.file_name or ""))]
        if not matching:
            return None
        longest = max(length for length, _ in matching)
        entries = [entry for length, entry in matching if length == longest]
        if len(entries) > 1:
            raise ValueError(
                f"{self.path}: expected one entry for {image}, got {len(entries)} of the name {entries[0].file_name!r}; "
                "remove the others, or write their folders"
            )
        entry = entries[0]
        if None not in (entry.width, entry.height) and (entry.width, entry.height) != size_wh:
            raise ValueError(
                f"{self.path}, image {shorten(entry.id)} ({entry.file_name}): expected {image} of "
                f"{entry.width:g}x{entry.height:g} pixels, got {size_wh[0]}x{size_wh[1]}: another picture of this name, or a "
                "resized copy; give its own boxes"
            )
        return None if entry.id is None else _text(entry.id)

    def namesakes(self, image: Path) -> list[str]:
        """File names in the list that share nothing but the base name with a picture."""
        listed = [entry.file_name for entry in self.images or () if entry.file_name]
        return [name for name in listed if _parts(name)[-1:] == _parts(image.name) and not same_end(image, name)]


def _boxed_category(categories: Sequence[CategoryRecord], number: int, name: str) -> Any:
    """The id of the category whose boxes count: COCO's person by its number, else the one of this name, else the only one."""
    known = [c.id for c in categories if c.id is not None]
    named = [c.id for c in categories if c.id is not None and plain_name(str(c.name)) == plain_name(name)]
    if number == PERSON and name == "person" and PERSON in known:
        return PERSON
    return named[0] if named else known[0] if len(known) == 1 else number


def _text(name: object) -> str:
    return str(int(name)) if isinstance(name, float) and name.is_integer() else str(name)


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "."))


def same_end(image: Path, name: str) -> int:
    """How many parts a listed name has if a picture's path ends with all of them, else 0."""
    wanted, found = _parts(name), _parts(str(image.absolute()))
    return len(wanted) if wanted and found[-len(wanted) :] == wanted else 0


def ids_of(image: Path) -> list[str]:
    """The ids under which a detector may name a picture: ends of its path with and without the suffix, COCO's number."""
    parts = _parts(str(image.absolute()))
    ends = ["/".join(parts[-length:]) for length in range(1, len(parts) + 1)]
    names = [*ends, *(end.removesuffix(image.suffix) for end in ends)]
    number = image.stem.rpartition("_")[2]
    if number.isdecimal():
        names.append(str(int(number)))
    return list(dict.fromkeys(names))


def refuse_doubles(images: Sequence[Path], file: BoxFile) -> None:
    """Raises ValueError where two pictures of one call would get the same boxes: their names alone do not tell them apart."""
    taken: dict[str, Path] = {}
    for image in images:
        if file.images is None:
            names = {name for name in ids_of(image) if name in file._of}
        else:
            names = {entry.file_name for entry in file.images if entry.file_name and same_end(image, entry.file_name)}
        for name in names:
            other = taken.setdefault(name, image)
            if other.absolute() != image.absolute():
                raise ValueError(
                    f"{file.path}: expected one picture for {name!r}, got {other} and {image}, which have this name; write the "
                    "folders into the file, or predict them one by one with their own files"
                )
