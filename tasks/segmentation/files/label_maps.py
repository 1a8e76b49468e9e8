"""Label maps of a dataset that a file declares: two folders of equal stems, or a list of pairs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.declarations.declaration import FILE, Split
from tasks.files.names import as_posix
from tasks.images import inside
from tasks.segmentation.files.classes import ClassTable
from tasks.segmentation.files.label_png import read_label_png
from tasks.segmentation.files.layouts import Layout, Sample, identifying_files, read_list

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


class LabelMaps(Layout):
    """One split. A picture's label map has its path below the other folder, whatever the endings; a list names both.

    Args:
        title: of the dataset, for error texts.
        pictures: False where only label maps will be read: they are walked where the pictures are not there.

    Raises:
        FileNotFoundError: a folder or the list is missing.
        ValueError: no pictures, a picture without a label map, or two of one name.
    """

    def __init__(self, root: Path, split: Split, table: ClassTable, title: str, pictures: bool = True) -> None:
        self.root, self.table, self.title = root, table, title
        found = None
        if split.list is not None:
            found = root / as_posix(split.list)
            if not found.exists():
                raise FileNotFoundError(
                    f"{found}: expected the list of {title}, found no such file; correct {root / FILE}."
                )
            self.samples = [
                Sample(Path(image).stem, image, label, f"{found}:{number}")
                for number, (image, label) in read_list(found, (2, 2))
            ]
        else:
            folders = as_posix(str(split.images)), as_posix(str(split.labels))
            self.samples, self.notes = paired(root, *folders, pictures, f"correct {root / FILE}")
        self.files = [root / FILE, *identifying_files(root, found, self.samples)]

    def label(self, index: int) -> NDArray[np.uint8] | None:
        name = self.samples[index].label
        assert name is not None
        hint = f"name {len(self.table)} or more classes, or another ignore, in {self.root / FILE}."
        hints = dict.fromkeys(range(256), hint)
        return read_label_png(inside(self.root, name), self.table.decode_table(), f"{self.title} label map", hints)


class LabelFolders(Layout):
    """One split of a benchmark that is two folders of equal stems. ``hint`` says what to do where one is missing."""

    def __init__(
        self, root: Path, images: str, labels: str, table: ClassTable, title: str, hint: str, pictures: bool = True
    ) -> None:
        self.root, self.table, self.title = root, table, title
        self.samples, self.notes = paired(root, images, labels, pictures, hint)
        self.files = identifying_files(root, None, self.samples)

    def label(self, index: int) -> NDArray[np.uint8] | None:
        name = self.samples[index].label
        assert name is not None
        return read_label_png(inside(self.root, name), self.table.decode_table(), f"{self.title} label map")


def paired(root: Path, images: str, labels: str, pictures: bool, hint: str) -> tuple[list[Sample], tuple[str, ...]]:
    """The samples of two folders of equal stems, and what a reader must know of them.

    Args:
        pictures: False where only label maps will be read. hint: what to do about a missing folder.

    Raises:
        FileNotFoundError: no such folder. ValueError: no files, a picture without a label map, or two files of one stem.
    """
    maps = _by_stem(root, labels, "label maps", hint)
    if not pictures and not (root / images).is_dir():
        return [Sample(Path(s).name, f"{images}/{s}", f"{labels}/{f}", str(root / labels)) for s, f in maps.items()], ()
    shown = _by_stem(root, images, "pictures", hint)
    lacking = [stem for stem in shown if stem not in maps]
    if lacking:
        raise ValueError(
            f"{root / labels}: expected a label map for each of the {len(shown)} pictures in {root / images}, {len(lacking)} are "
            f"missing (first: {lacking[0]}); complete the folder, or name the pairs in a list."
        )
    where = str(root / images)
    samples = [Sample(Path(s).name, f"{images}/{shown[s]}", f"{labels}/{maps[s]}", where) for s in shown]
    spare = len(maps) - len(shown)
    return samples, (f"{spare} label maps in {labels} have no picture and are left out",) * (spare > 0)


def _by_stem(root: Path, folder: str, what: str, hint: str) -> Mapping[str, str]:
    """Path below a folder without the ending -> that path, in the order of their text.

    Raises:
        FileNotFoundError: no such folder. ValueError: no file of a picture's ending, or two that differ in it alone.
    """
    place = root / folder
    if not place.is_dir():
        raise FileNotFoundError(f"{place}: expected {what} there, found no such folder; {hint}.")
    found: dict[str, str] = {}
    for path in sorted(place.rglob("*")):
        relative = path.relative_to(place)
        if path.suffix.lower() not in SUFFIXES or any(part.startswith(".") for part in relative.parts):
            continue
        stem = relative.with_suffix("").as_posix()
        if stem in found:
            raise ValueError(
                f"{place}: expected one file {stem}, got {found[stem]} and {relative.as_posix()}; keep one of them."
            )
        found[stem] = relative.as_posix()
    if not found:
        raise ValueError(f"{place}: expected {what} ({', '.join(SUFFIXES)}), got none; {hint}.")
    return found
