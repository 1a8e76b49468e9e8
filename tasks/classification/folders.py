"""Pictures in one folder per class, as ImageNet has them.

Layout below the dataset's folder: <split>/<class>/*.JPEG. A class's number is the place of its folder among
all classes: in the order of the numbers where folders are named by numbers, else of the sorted names. A part of the classes
can be read where `classes.txt` beside them lists all names in order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec
import numpy as np
from numpy.typing import NDArray

from tasks.declarations.declaration import FILE, Declaration, Labels
from tasks.files.names import as_posix
from tasks.files.opening import read_text

SUFFIXES = (".jpeg", ".jpg", ".png")
LISTING = "classes.txt"


@dataclass(frozen=True)
class ClassFolders:
    """A dataset of class folders: its title, its number of classes, the folder of each split, and the declared names."""

    title: str
    num_classes: int
    folders: Mapping[str, str]
    names: tuple[str, ...] = ()

    @staticmethod
    def of(declared: Declaration) -> ClassFolders:
        """From a completed declaration."""
        assert declared.labels is not None
        folders = {name: as_posix(str(split.images)) for name, split in declared.splits.items()}
        return ClassFolders(declared.shown_title, len(declared.labels.names), folders, declared.labels.names)


def completed(declared: Declaration, root: Path) -> Declaration:
    """The declaration with the names of its classes: those that it states, of `classes.txt`, or all folders of all its splits.

    Raises:
        ValueError: no class folder in any split, or folders whose order is unknown.
    """
    if declared.labels is not None and declared.labels.names:
        return declared
    folders = [root / as_posix(str(split.images)) for split in declared.splits.values()]
    listing = root / LISTING
    if listing.exists():
        names = _listed(listing)
    else:
        found = {name for folder in folders if folder.is_dir() for name in class_folders(folder)}
        if not found:
            raise ValueError(f"Expected class folders in {folders[0]} but found none; correct {root / FILE}")
        names = tuple(class_order(found, str(root)))
    return msgspec.structs.replace(declared, labels=Labels(names=names))


@dataclass(frozen=True)
class Folders:
    """Pictures of a split: paths below `root`, class numbers (N,), the class names, and what was left out.

    `folder` is the split's, below `root`.
    """

    root: Path
    files: tuple[str, ...]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    folder: str = ""

    def image_ids(self) -> list[str]:
        """Folder and stem of every picture; with the ending where two pictures of a folder differ in nothing else."""
        inside = [PurePosixPath(file).relative_to(self.folder) for file in self.files]
        bare = [str(path.with_suffix("")) for path in inside]
        return bare if len(set(bare)) == len(bare) else [str(path) for path in inside]


def read_folders(root: Path, split: str, source: ClassFolders) -> Folders:
    """List a split's pictures, in order of class and name.

    Raises:
        ValueError: the folder is missing, empty, or holds classes whose numbers cannot be told.
    """
    inside = source.folders[split]
    folder = root / inside
    if not folder.is_dir():
        raise ValueError(
            f"Expected {source.title}'s pictures in {folder}/<class>/ but there is no such folder; sort them into one folder per "
            "class (tasks/classification/README.md) or correct --data-root"
        )
    found = class_folders(folder)
    classes = source.names or _class_names(root, folder, found, source.num_classes)
    unknown = sorted(set(found) - set(classes))
    if unknown:
        raise ValueError(
            f"Expected no other class folders in {folder} than declared ones, got {unknown[0]!r}; correct {root / FILE}"
        )
    _check_other_splits(root, split, classes, source)
    numbers = {name: number for number, name in enumerate(classes)}
    files: list[str] = []
    labels: list[int] = []
    others: list[str] = []
    for name in sorted(found, key=numbers.__getitem__):
        here = sorted(path.name for path in (folder / name).iterdir() if not path.name.startswith("."))
        kept = [file for file in here if file.lower().endswith(SUFFIXES)]
        others += [f"{inside}/{name}/{file}" for file in here if not file.lower().endswith(SUFFIXES)]
        files += [f"{inside}/{name}/{file}" for file in kept]
        labels += [numbers[name]] * len(kept)
    if not files:
        raise ValueError(f"Expected pictures ({', '.join(SUFFIXES)}) in the class folders of {folder} but found none")
    notes = (
        (f"{len(others)} files that are no {', '.join(SUFFIXES)} are left out (first: {others[0]})",) if others else ()
    )
    return Folders(root, tuple(files), np.array(labels, dtype=np.int64), classes, notes, inside)


def class_folders(folder: Path) -> list[str]:
    """Names of a split's class folders; hidden ones (.ipynb_checkpoints) are none."""
    return [path.name for path in folder.iterdir() if not path.name.startswith(".") and path.is_dir()]


def class_order(names: Collection[str], where: str) -> list[str]:
    """Class names in the order of their numbers: 2 before 10 where all are numbers, else by the alphabet.

    Raises:
        ValueError: numbers and words together, or one number twice (7 and 07).
    """
    numbers = [name for name in names if name.isascii() and name.isdigit()]
    if not numbers:
        return sorted(names)
    if len(numbers) < len(names):
        word = next(name for name in sorted(names) if name not in set(numbers))
        raise ValueError(
            f"Expected class folders named by numbers or by words in {where} but got both ({numbers[0]!r} and {word!r}): their "
            f"order is unknown; list the names in order in {LISTING} beside the splits"
        )
    if len({int(name) for name in names}) < len(names):
        raise ValueError(
            f"Expected every class number once in {where} but one comes twice, with and without zeros in front"
        )
    return sorted(names, key=int)


def _class_names(root: Path, folder: Path, found: Sequence[str], num_classes: int) -> tuple[str, ...]:
    listing = root / LISTING
    names = _listed(listing) if listing.exists() else ()
    if len(found) == num_classes and (set(names) != set(found) or len(names) != num_classes):
        return tuple(class_order(found, str(folder)))
    if not names:
        raise ValueError(
            f"Expected {num_classes} class folders in {folder} but found {len(found)}: their numbers are unknown; complete the "
            f"data, or list all {num_classes} folder names in order in {listing}"
        )
    unknown = sorted(set(found) - set(names))
    if len(names) != num_classes or len(set(names)) != num_classes or unknown:
        raise ValueError(
            f"Expected {num_classes} different names in {listing} that cover {folder} but got {len(set(names))} of {len(names)}"
            + (f", without {unknown[0]!r}" if unknown else "")
            + "; correct the list"
        )
    return names


def _listed(listing: Path) -> tuple[str, ...]:
    text = read_text(listing, "the list of classes")
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _check_other_splits(root: Path, split: str, classes: tuple[str, ...], source: ClassFolders) -> None:
    """Raises ValueError where another whole split has other class folders: equal numbers would mean other classes."""
    num_classes = source.num_classes
    for name, other in source.folders.items():
        found = class_folders(root / other) if name != split and (root / other).is_dir() else []
        strange = sorted(set(found) ^ set(classes))
        if len(found) == num_classes and strange:
            raise ValueError(
                f"Expected the same class folders in {root / source.folders[split]} and {root / other} but {strange[0]!r} is "
                f"in one of them alone ({len(strange)} such); name both alike, or list the classes in {root / LISTING}"
            )
