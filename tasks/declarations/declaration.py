"""Datasets that a file declares: a folder with ``dataset.toml`` is a dataset of its task.

The form is that of docs/own_datasets.md. Paths are below the declaring folder. Everything that can be derived may be left out.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from hrnet.names import nearest
from tasks.files.opening import read_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = "dataset.toml"
TASK_OF = {
    "coco-keypoints": "pose",
    "coco-instances": "detection",
    "label-maps": "segmentation",
    "points-csv": "landmarks",
    "class-folders": "classification",
}
"""Layout -> the task that reads it."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the files of a split lie: ``annotations`` and ``images`` (coco-*), ``images`` and ``labels`` or a ``list`` of
    pairs (label-maps), ``csv`` and ``images`` (points-csv), ``images`` alone (class-folders)."""

    annotations: str | None = None
    images: str | None = None
    labels: str | None = None
    list: str | None = None
    csv: str | None = None


class Keypoints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Joints by name; pairs that a mirror swaps; COCO's constants of the object keypoint similarity; what a drawing connects;
    number and name of what they belong to."""

    names: tuple[str, ...] = ()
    flip_pairs: tuple[tuple[str, str], ...] | None = None
    sigmas: tuple[float, ...] = ()
    bones: tuple[tuple[str, str], ...] | None = None
    category: tuple[int, str] | None = None


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Classes of label maps by name, their RGB colours, and the label that is not scored."""

    names: tuple[str, ...] = ()
    colours: tuple[tuple[int, int, int], ...] = ()
    ignore: int = 255


class Points(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Landmarks by number (from 0): pairs that a mirror swaps, and what errors are divided by: the distance of two, or "box"."""

    count: int
    flip_pairs: tuple[tuple[int, int], ...] | None = None
    normaliser: tuple[int, int] | str = "box"


class Declaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The content of a ``dataset.toml``. ``recipe`` and ``protocol`` hold any fields of the task's.

    ``categories`` (number and name) and ``derived`` are no fields of the file: they hold what the dataset's own files say, and
    what was derived where nothing says it.
    """

    name: str
    task: str
    layout: str
    splits: dict[str, Split]
    title: str = ""
    keypoints: Keypoints | None = None
    labels: Labels | None = None
    points: Points | None = None
    recipe: dict[str, Any] = {}
    protocol: dict[str, Any] = {}
    categories: tuple[tuple[int, str], ...] = ()
    derived: tuple[str, ...] = ()

    @property
    def shown_title(self) -> str:
        """The title for headings; the name where none is given."""
        return self.title or self.name


_READ: dict[Path, tuple[tuple[int, int], Declaration]] = {}
"""Declarations by file, with the time and the size that it had: every cell of a run asks for them again."""


def read_declaration(path: Path) -> Declaration:
    """A ``dataset.toml``, checked.

    Raises:
        ValueError: the file is missing, no toml, or not of this form; the text names file, field and fix.
    """
    text = read_text(path, "the declaration of a dataset")
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: expected toml, got a text that is none ({error}); correct the line") from None
    for field in ("categories", "derived"):
        if field in plain:
            raise ValueError(f"{path}, the file: unknown field {field!r}; see docs/own_datasets.md")
    return declaration_of(plain, str(path))


def _read_once(path: Path) -> Declaration:
    state = path.stat()
    stamp = state.st_mtime_ns, state.st_size
    if path not in _READ or _READ[path][0] != stamp:
        _READ[path] = stamp, read_declaration(path)
    return _READ[path][1]


def declaration_of(plain: dict[str, Any], where: str) -> Declaration:
    """A declaration from plain data, checked; ``where`` begins the error's text. See `read_declaration`."""
    try:
        declared = msgspec.convert(plain, Declaration)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        field = place.strip("`.") or "the file"
        raise ValueError(f"{where}, {field}: {_plain_reason(reason)}; see docs/own_datasets.md") from None
    _check(declared, where)
    return declared


def stored_declaration(plain: Mapping[str, Any], where: str) -> Declaration:
    """A completed declaration from the plain data that weights carry, checked as a file's is. See `read_declaration`."""
    stated = {name: value for name, value in plain.items() if name != "derived" and value is not None}
    derived = plain.get("derived") or ()
    return msgspec.structs.replace(declaration_of(stated, where), derived=tuple(str(text) for text in derived))


def _plain_reason(reason: str) -> str:
    unknown = re.match(r"Object contains unknown field `(\w+)`", reason)
    if unknown is not None:
        known = [f for kind in (Declaration, Split, Keypoints, Labels, Points) for f in kind.__struct_fields__]
        return f"unknown field {unknown[1]!r}. {nearest(unknown[1], known)}"
    missing = re.match(r"Object missing required field `(\w+)`", reason)
    if missing is not None:
        return f"expected the field {missing[1]!r}, which is missing"
    kinds = {"int": "a whole number", "float": "a number", "str": "a text", "array": "a list", "object": "a table"}
    return re.sub(r"`(\w+)`", lambda found: kinds.get(found[1], found[1]), reason[:1].lower() + reason[1:])


def _check(declared: Declaration, where: str) -> None:
    def wrong(field: str, text: str) -> ValueError:
        return ValueError(f"{where}, {field}: {text}; see docs/own_datasets.md")

    if not _NAME.fullmatch(declared.name):
        raise wrong("name", f"expected small letters, digits, _ and -, got {declared.name!r}")
    if declared.layout not in TASK_OF:
        raise wrong("layout", f"unknown layout {declared.layout!r}. {nearest(declared.layout, TASK_OF)}")
    if declared.task != TASK_OF[declared.layout]:
        wanted = TASK_OF[declared.layout]
        raise wrong("task", f"expected {wanted!r} for the layout {declared.layout}, got {declared.task!r}")
    if "val" not in declared.splits:
        raise wrong("splits", f"expected a split val, got {', '.join(declared.splits) or 'none'}")
    for name, split in declared.splits.items():
        _check_split(declared, name, split, wrong)
    if declared.keypoints is not None:
        _check_keypoints(declared.keypoints, wrong)
    if declared.labels is not None:
        _check_labels(declared.labels, wrong)
    if declared.layout == "points-csv" and declared.points is None:
        raise wrong("points", "expected a table with count, the number of points, which is missing")
    if declared.points is not None:
        _check_points(declared.points, wrong)


_FIELDS = {
    "coco-keypoints": (("annotations", "images"),),
    "coco-instances": (("annotations", "images"),),
    "label-maps": (("images", "labels"), ("list",)),
    "points-csv": (("csv", "images"),),
    "class-folders": (("images",),),
}
"""Layout -> the fields that a split needs, one of these sets."""


def _check_split(declared: Declaration, name: str, split: Split, wrong: Any) -> None:
    given = {field for field in split.__struct_fields__ if getattr(split, field) is not None}
    choices = _FIELDS[declared.layout]
    if not any(given >= set(fields) for fields in choices):
        wanted = " or ".join(" and ".join(fields) for fields in choices)
        raise wrong(f"splits.{name}", f"expected {wanted}, got {', '.join(sorted(given)) or 'nothing'}")
    for field in sorted(given):
        path = PurePosixPath(str(getattr(split, field)).replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise wrong(f"splits.{name}.{field}", f"expected a path below the folder, got {str(path)!r}")


def _check_keypoints(keypoints: Keypoints, wrong: Any) -> None:
    names, sigmas = keypoints.names, keypoints.sigmas
    if len(set(names)) != len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise wrong("keypoints.names", f"expected every joint once, got {repeated!r} twice")
    if sigmas and names and len(sigmas) != len(names):
        raise wrong("keypoints.sigmas", f"expected one of each of the {len(names)} joints, got {len(sigmas)}")
    if any(not 0 < sigma < 1 for sigma in sigmas):
        raise wrong("keypoints.sigmas", f"expected numbers between 0 and 1, got {list(sigmas)}")
    _check_pairs("keypoints.flip_pairs", keypoints.flip_pairs or (), names, wrong)
    for name in (name for bone in keypoints.bones or () for name in bone if names and name not in names):
        raise wrong("keypoints.bones", f"unknown point {name!r}. {nearest(name, names)}")


def _check_pairs(field: str, pairs: Any, known: Any, wrong: Any) -> None:
    seen: set[Any] = set()
    for pair in pairs:
        for member in pair:
            if known and member not in known:
                hint = nearest(member, known) if isinstance(member, str) else f"There are {len(known)}, counted from 0."
                raise wrong(field, f"unknown point {member!r}. {hint}")
            if member in seen:
                raise wrong(field, f"expected every point in one pair at most, got {member!r} twice")
            seen.add(member)


def _check_labels(labels: Labels, wrong: Any) -> None:
    if len(set(labels.names)) != len(labels.names):
        raise wrong("labels.names", "expected every class once, got one twice")
    if labels.colours and len(labels.colours) != len(labels.names):
        raise wrong(
            "labels.colours", f"expected one of each of the {len(labels.names)} classes, got {len(labels.colours)}"
        )
    if any(not 0 <= value <= 255 for colour in labels.colours for value in colour):
        raise wrong("labels.colours", "expected values from 0 to 255")
    if not 0 <= labels.ignore <= 255:
        raise wrong("labels.ignore", f"expected a label from 0 to 255, got {labels.ignore}")
    if labels.ignore < len(labels.names):
        raise wrong(
            "labels.ignore", f"expected a label that is no class, got {labels.ignore} of {len(labels.names)} classes"
        )


def _check_points(points: Points, wrong: Any) -> None:
    if points.count < 1:
        raise wrong("points.count", f"expected at least 1, got {points.count}")
    _check_pairs("points.flip_pairs", points.flip_pairs or (), range(points.count), wrong)
    if isinstance(points.normaliser, str):
        if points.normaliser != "box":
            raise wrong("points.normaliser", f'expected two points or "box", got {points.normaliser!r}')
    elif len(set(points.normaliser)) != 2 or any(not 0 <= point < points.count for point in points.normaliser):
        raise wrong("points.normaliser", f"expected two of the {points.count} points, got {list(points.normaliser)}")


def declared_below(data_root: Path) -> Iterator[tuple[Path, Declaration]]:
    """(folder, declaration) of ``data_root`` itself and of the folders in it, as far as they hold a ``dataset.toml``.

    Raises:
        ValueError: a declaration is broken; as `read_declaration`.
    """
    for path in (data_root / FILE, *sorted(data_root.glob(f"*/{FILE}"))):
        if path.exists():
            yield path.parent, _read_once(path)
