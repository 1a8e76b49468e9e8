"""COCO keypoint annotations: the persons of a file as arrays, with what follows from their joints derived."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tasks.coco.annotations import FIELDS, AnnotationRecord, Annotations, columns, listed, named
from tasks.coco.apart import put_together, taken_apart
from tasks.coco.categories import Categories, CategoryRecord, plain_name
from tasks.coco.pictures import ImageRecord
from tasks.files.json_file import decode_json, many_records, read_json, shorten
from tasks.files.opening import read_bytes
from tasks.readings.kept import through_cache

PERSON = 1
_CHUNK = 4096
NO_AREA = "have no area"
FORM = "COCO keypoint annotations (COCO's form: an object with images, annotations, categories)"


class KeypointRecord(AnnotationRecord, gc=False):
    """An annotation with joints."""

    num_keypoints: float | None = None
    keypoints: msgspec.Raw = msgspec.Raw()


class KeypointFile(msgspec.Struct):
    """A keypoint annotation file, as far as it is read. A test set's list of pictures has no annotations."""

    images: list[ImageRecord]
    annotations: list[KeypointRecord] = []
    categories: list[CategoryRecord] | None = None


@dataclass(frozen=True)
class Keypoints(Annotations):
    """Annotations of the one category that has the joints.

    Attributes:
        person: that category's id. points: (N, J, 3) float64 x, y px and visibility, zeros where the record has none.
    """

    person: int
    points: NDArray[np.float64]

    @property
    def person_name(self) -> str:
        """The category's name; "person" where the file lists none."""
        names = dict(zip(self.categories.ids, self.categories.names))
        return names.get(self.person, "person")

    @property
    def labelled(self) -> NDArray[np.int64]:
        """(N,) how many joints are labelled: what `num_keypoints` shall say."""
        counts: NDArray[np.int64] = (self.points[..., 2] > 0).sum(1)
        return counts


def read_keypoints(
    path: Path, joints: Sequence[str], truth: bool = True, advice: str = "", own: bool = False
) -> Keypoints:
    """Reads and checks a keypoint annotation file, or takes what reading it gave before (:mod:`tasks.readings.kept`).

    Args:
        joints: names of the dataset's joints in their order. truth: whether annotations are expected (test sets have none).
        advice: what to do where the file is missing.
        own: whether joints of one's own are read, of whatever category has them.

    Raises:
        ValueError: no such file, not of this form, of another skeleton, or a record that cannot be used; the text names file,
            record and fix.
    """
    asked = {"what": "keypoints", "joints": list(joints), "truth": truth, "own": own}
    read = partial(_read, path, joints, truth, advice, own)
    return through_cache(path, asked, read, lambda: read_bytes(path, FORM, advice), _apart, partial(_together, path))


def _apart(read: Keypoints) -> tuple[Any, dict[str, NDArray[Any]]]:
    plain, arrays = taken_apart(read)
    return plain | {"person": read.person}, arrays | {"points": read.points}


def _together(path: Path, plain: Any, arrays: Mapping[str, NDArray[Any]]) -> Keypoints:
    return Keypoints(**put_together(plain, arrays, path), person=plain["person"], points=arrays["points"])


@many_records()
def _read(
    path: Path, joints: Sequence[str], truth: bool, advice: str, own: bool, content: bytes | None = None
) -> Keypoints:
    fields = FIELDS | {"keypoints": f"keypoints as {3 * len(joints)} numbers x, y, visibility"}
    file = read_json(path, KeypointFile, FORM, advice, fields, content=content)
    del content
    pictures, categories = listed(file.images, file.categories, path)
    choose = own_category if own else person_category
    person = choose(categories, joints, path) if truth else PERSON
    records, others = [], 0
    for record in file.annotations:
        if record.category_id is None or _is(record.category_id, person):
            records.append(record)
        else:
            others += 1
    if truth and records and not any(_given(record) for record in records):
        raise ValueError(
            f"{path}, annotation {records[0].id}: expected keypoints but no record has any; is this an instances file? Use "
            "person_keypoints_<split>.json"
        )
    order, made = columns(records, pictures, categories, path, np.zeros(len(records), np.int32))
    points = joint_points(records, len(joints), path)[order]
    notes = [f"{path.name}: {others} annotations of other categories than {person} are left out"] if others else []
    stated = np.array([np.nan if r.num_keypoints is None else r.num_keypoints for r in records])[order]
    read = Keypoints(path, pictures, categories, **made, notes=(), person=person, points=points)
    _check_places(read)
    wrong = int((~np.isnan(stated) & (stated != read.labelled)).sum())
    if wrong:
        notes.append(
            f"{path.name}: num_keypoints of {wrong} annotations is not the number of labelled joints, which counts"
        )
    return _derived(read, notes)


def person_category(categories: Categories, joints: Sequence[str], path: Path) -> int:
    """The id of the category whose joints these are: COCO's 1, else the one that is called person or lists the joints.

    Raises:
        ValueError: none is listed, or its joints are others.
    """
    wanted = [plain_name(joint) for joint in joints]
    by_joints = [
        number
        for number, names in zip(categories.ids, categories.keypoints)
        if [plain_name(name) for name in names] == wanted
    ]
    by_name = [number for number, name in zip(categories.ids, categories.names) if plain_name(name) == "person"]
    if len(by_joints) == 1:
        return by_joints[0]
    chosen = PERSON if PERSON in categories.ids else by_name[0] if len(by_name) == 1 else None
    if chosen is None:
        raise ValueError(
            f"Expected COCO's form in {path} with the person among its categories (a list with the id {PERSON}) but got "
            f"{categories.shown() or 'none'}; fetch the file again, or add it"
        )
    row = categories.ids.index(chosen)
    found = categories.keypoints[row]
    if found and [plain_name(name) for name in found] != wanted:
        different = next((i for i, (a, b) in enumerate(zip(found, joints)) if plain_name(a) != plain_name(b)), None)
        first = (
            ""
            if different is None
            else f" (joint {different} is {shorten(found[different])}, not {joints[different]!r})"
        )
        raise ValueError(
            f"{path}, category {chosen} ({categories.names[row]}): expected the skeleton of this dataset, {len(joints)} "
            f"keypoints {joints[0]}, {joints[1]}, ..., got {len(found)} others: {shorten(', '.join(found))}{first}; joints of "
            "another skeleton need a dataset of their own: declare their names, mirror pairs and sigmas (docs/own_datasets.md)"
        )
    return chosen


def own_category(categories: Categories, joints: Sequence[str], path: Path) -> int:
    """The id of the category with these joints, or of the only one that is listed where that lists no joints.

    Raises:
        ValueError: none or several, or its joints are others.
    """
    wanted = [plain_name(joint) for joint in joints]
    rows = [row for row, names in enumerate(categories.keypoints) if [plain_name(name) for name in names] == wanted]
    if not rows and len(categories) == 1 and not categories.keypoints[0]:
        rows = [0]
    if len(rows) == 1:
        return categories.ids[rows[0]]
    held = "; ".join(
        f"{number} {name}: {shorten(', '.join(names)) if names else 'none'}"
        for number, name, names in zip(categories.ids, categories.names, categories.keypoints)
    )
    raise ValueError(
        f"{path}: expected one category with the {len(joints)} keypoints {joints[0]}, ..., {joints[-1]}, got "
        f"{len(rows) or 'none'} of {len(categories)} ({held[:300]}); correct keypoints.names, or the file"
    )


def _is(category: Any, person: int) -> bool:
    return category == person or str(category) == str(person)


def _given(record: KeypointRecord) -> bool:
    return bytes(record.keypoints) not in (b"", b"null", b"[]")


def joint_points(records: Sequence[KeypointRecord], num_joints: int, path: Path) -> NDArray[np.float64]:
    """Joints (N, J, 3) of records; zeros where one has none.

    Raises:
        ValueError: another number of numbers than 3 J.
    """
    decoder = msgspec.json.Decoder(list[int | float])
    made = np.zeros((len(records), 3 * num_joints))
    for first in range(0, len(records), _CHUNK):
        part = records[first : first + _CHUNK]
        values: list[list[int | float]] = []
        rows = []
        for offset, record in enumerate(part):
            try:
                numbers = decoder.decode(record.keypoints)
            except msgspec.MsgspecError:
                if not _given(record):
                    continue
                numbers = decode_json(  # for its error text
                    record.keypoints,
                    list[float],
                    f"{named(path, record.id, first + offset)}, keypoints",
                    "joints",
                    fix=f"write {3 * num_joints} numbers x, y, visibility",
                )
            if len(numbers) != 3 * num_joints:
                if not numbers:
                    continue
                raise ValueError(
                    f"{named(path, record.id, first + offset)}: expected keypoints of {3 * num_joints} numbers but got "
                    f"{len(numbers)}; is this the annotation file of another dataset?"
                )
            values.append(numbers)
            rows.append(first + offset)
        try:
            flat = np.fromiter(chain.from_iterable(values), np.float64, len(values) * 3 * num_joints)
        except OverflowError:
            raise ValueError(
                f"{path}: expected keypoints in pixels, got a whole number of too many digits; correct it"
            ) from None
        made[rows] = flat.reshape(-1, 3 * num_joints)
    return made.reshape(-1, num_joints, 3)


def _check_places(read: Keypoints) -> None:
    """Raises ValueError where a labelled joint is farther outside its picture than the picture is long."""
    limit = read.pictures.sizes_wh[read.image].max(1, initial=1)[:, None, None]
    places = read.points[..., :2]
    far = ((places < -limit) | (places > 2 * limit)).any(2) & (read.points[..., 2] > 0)
    for row in np.flatnonzero(far.any(1))[:1]:
        joint = int(np.flatnonzero(far[row])[0])
        x, y = places[row, joint]
        width, height = read.size_wh(row)
        raise ValueError(
            f"{read.where(row)}: expected joints in a picture of {width}x{height}, got joint {joint} at {x:g}, {y:g} "
            f"({int(far.any(1).sum())} such records); correct or remove them"
        )


def _derived(read: Keypoints, notes: list[str]) -> Keypoints:
    """With boxes from joints where only those lack, and what is said about areas."""
    lacking = np.isnan(read.boxes).any(1)
    seen = read.points[..., 2] > 0
    derived = lacking & seen.any(1)
    boxes = read.boxes.copy()
    if derived.any():
        low = np.where(seen[derived, :, None], read.points[derived, :, :2], np.inf).min(1)
        high = np.where(seen[derived, :, None], read.points[derived, :, :2], -np.inf).max(1)
        boxes[derived] = np.concatenate([low, high - low + 1], 1)
        notes.append(
            f"{read.path.name}: {int(derived.sum())} boxes are missing; the extent of the labelled joints stands in"
        )
    boxes[lacking & ~derived] = 0.0
    unknown = ~(read.areas > 0) & seen.any(1) & ~read.crowd
    if unknown.any():
        first = read.ids[int(np.flatnonzero(unknown)[0])]
        notes.append(
            f"{read.path.name}: {int(unknown.sum())} of {int((seen.any(1) & ~read.crowd).sum())} persons {NO_AREA} (missing, "
            f"null or 0; first: annotation {first}): OKS has no scale for them, so that they count as missed"
        )
    return dataclasses.replace(read, boxes=boxes, notes=tuple(notes))
