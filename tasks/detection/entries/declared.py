"""Objects of one's own in COCO's form, from a completed declaration: any classes, their numbers with any gaps."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tasks.base import declared_dataset
from tasks.coco.categories import Categories, plain_name
from tasks.declarations.declaration import FILE, Declaration
from tasks.detection.entries.entry import Entry
from tasks.detection.files.annotations import InstanceFiles, read_categories
from tasks.detection.files.categories import Classes
from tasks.files.names import as_posix


class DeclaredFiles(InstanceFiles):
    """Where a declaration says that the files are; the classes are its own, whichever of them a file lists."""

    def __init__(self, declaration: Declaration) -> None:
        self.declaration = declaration

    def has_truth(self, split: str) -> bool:
        return True

    def annotation_path(self, root: Path, split: str) -> tuple[Path, str | None]:
        return root / as_posix(str(self.declaration.splits[split].annotations)), None

    def image_folder(self, root: Path, split: str) -> str:
        return as_posix(str(self.declaration.splits[split].images)).rstrip("/")

    def classes(self, categories: Categories) -> Classes:
        stated = self.declaration.categories
        return Classes(tuple(number for number, _ in stated), tuple(name for _, name in stated))

    def files(self, root: Path, split: str) -> list[Path]:
        """The declaration and the split's annotation file."""
        return [root / FILE, self.annotation_path(root, split)[0]]


def declared_entry(declaration: Declaration) -> Entry:
    """The entry of a dataset whose declaration holds its categories."""
    places = DeclaredFiles(declaration)
    info = declared_dataset(declaration, num_outputs=len(declaration.categories), headline="AP", profile_hw=(800, 1344))
    return Entry(info, places, places.files, notes=declaration.derived)


def completed(declaration: Declaration, root: Path) -> Declaration:
    """The declaration with the categories of all its files, in order of their numbers.

    Raises:
        ValueError: a file cannot be read or lists none, or two give a number different names.
    """
    places = DeclaredFiles(declaration)
    found: dict[int, tuple[str, Path]] = {}
    for split in declaration.splits:
        path, _ = places.annotation_path(root, split)
        if split != "val" and not path.exists():
            continue
        listed = read_categories(path, f"correct {root / FILE}")
        for number, name in zip(listed.ids, listed.names):
            held, where = found.setdefault(number, (name, path))
            if plain_name(held) != plain_name(name):
                raise ValueError(
                    f"{path}: expected the category {number} to be {held!r}, as in {where.name}, got {name!r}; correct one of "
                    "them"
                )
    if not found:
        raise ValueError(f"{path}: expected categories, got none; list the classes with id and name")
    names = [name for name, _ in found.values()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(
            f"{path}: expected every category's name once, got {twice!r} under several numbers; correct them"
        )
    stated = tuple((number, found[number][0]) for number in sorted(found))
    return msgspec.structs.replace(declaration, categories=stated)
