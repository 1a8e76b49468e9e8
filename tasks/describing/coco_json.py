"""COCO's form: json files with keypoints or with boxes, and the folders of their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tasks.coco.categories import CategoryRecord
from tasks.describing.guess import Guess, by_split, folders_below, picture_folder, relative, split_of
from tasks.files.json_file import shorten
from tasks.files.opening import read_bytes


class _Image(msgspec.Struct):
    file_name: str | None = None


class _Annotation(msgspec.Struct):
    keypoints: Any = None
    bbox: Any = None
    segmentation: msgspec.Raw = msgspec.Raw()


class _File(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[CategoryRecord] = []


@dataclass(frozen=True)
class _Found:
    path: Path
    file: _File

    @property
    def layout(self) -> str | None:
        """coco-keypoints, coco-instances, or None where nothing of either is in it."""
        if any(one.keypoints for one in self.file.annotations[:200]):
            return "coco-keypoints"
        boxes = any(one.bbox or bytes(one.segmentation) not in (b"", b"null", b"[]") for one in self.file.annotations)
        return "coco-instances" if boxes and self.file.categories else None

    def names(self) -> list[str]:
        return [one.file_name.replace("\\", "/") for one in self.file.images if one.file_name]


def read_one(path: Path) -> _Found | None:
    """A json file, where it is of COCO's form; None where it is another.

    Raises:
        ValueError: it cannot be read.
    """
    data = read_bytes(path, "json")
    try:
        return _Found(path, msgspec.json.decode(data, type=_File))
    except msgspec.MsgspecError:
        return None


def guess_coco(root: Path) -> Guess | None:
    """The layout of a folder by its json files; keypoints before boxes, where there are both."""
    found = [read_one(path) for folder in folders_below(root) for path in sorted(folder.glob("*.json"))]
    usable = [one for one in found if one is not None and one.layout is not None]
    for layout in ("coco-keypoints", "coco-instances"):
        mine = [one for one in usable if one.layout == layout]
        if mine:
            others = sorted({str(one.layout) for one in usable} - {layout})
            more = (f"there are files of {others[0]} too: describe one of them by its own name",) if others else ()
            return _guess(root, layout, mine, more)
    return None


def guess_coco_file(path: Path) -> Guess:
    """The layout of one json file, with those beside it that are alike.

    Raises:
        ValueError: it is no json of COCO's form, or its pictures are nowhere.
    """
    found = read_one(path)
    if found is None or found.layout is None:
        raise ValueError(
            f"{path}: expected COCO's form (an object with images, annotations with keypoints, bbox or segmentation, and "
            "categories), got another; name the dataset's folder, or write the toml by docs/own_datasets.md"
        )
    root = path.parent
    if picture_folder(root, found.names(), None) is None:
        root = path.parent.parent
    beside = [read_one(other) for other in sorted(path.parent.glob("*.json")) if other != path]
    alike = [one for one in beside if one is not None and one.layout == found.layout]
    alike = [one for one in alike if split_of(one.path.stem) not in (None, split_of(path.stem))]
    return _guess(root, found.layout, [found, *alike], ())


def _guess(root: Path, layout: str, found: Sequence[_Found], check: tuple[str, ...]) -> Guess:
    listed: list[tuple[str, Mapping[str, str]]] = []
    guessed: list[str] = []
    for one in found:
        names = one.names()
        folder = picture_folder(root, names, split_of(one.path.stem))
        if folder is None:
            raise ValueError(
                f"{one.path}: expected its pictures below {root} (first: {shorten(names[0]) if names else 'none listed'}), found "
                "none; put them there, or name the folder that holds both"
            )
        place = {"annotations": relative(one.path, root), "images": relative(folder, root)}
        listed.append((one.path.stem, place))
        guessed.append(f"{place['annotations']}: {layout}, {len(names)} pictures in {place['images']}")
    splits, more = by_split(listed)
    kept = [one for one in found if any(relative(one.path, root) == s["annotations"] for s in splits.values())]
    tables = _keypoints(kept[0].file) if layout == "coco-keypoints" else {}
    if tables:
        more = (
            *more,
            "keypoints.names: the file names no joints; call them left_... and right_..., or nothing is mirrored",
        )
    if layout == "coco-instances":
        named = ", ".join(f"{c.id} {c.name}" for c in kept[0].file.categories[:20])
        guessed.append(f"classes of the file: {named}")
    return Guess(root, layout, splits, tables, tuple(guessed), (*check, *more))


def _keypoints(file: _File) -> Mapping[str, Mapping[str, Any]]:
    """Numbered names where the file names no joints, so that there is something to fill in."""
    if any(category.keypoints for category in file.categories):
        return {}
    numbers = next((one.keypoints for one in file.annotations if isinstance(one.keypoints, list) and one.keypoints), [])
    return {"keypoints": {"names": [f"joint {k}" for k in range(len(numbers) // 3)]}} if numbers else {}
