"""Pictures in one folder per class."""

from __future__ import annotations

from pathlib import Path

from tasks.classification.folders import SUFFIXES, class_folders
from tasks.describing.guess import Guess, by_split, relative, split_of


def guess_class_folders(root: Path) -> Guess | None:
    """The layout of a folder whose folders, or whose splits' folders, hold pictures class by class."""
    parents = [root, *(folder for folder in _folders(root))]
    parents += [inner for folder in parents[1:] for inner in _folders(folder)]
    holding = [folder for folder in parents if _holds_classes(folder)]
    named = [folder for folder in holding if folder != root and split_of(folder.name) is not None]
    chosen = named or holding[:1]
    if not chosen:
        return None
    splits, check = by_split((relative(folder, root) or ".", {"images": relative(folder, root)}) for folder in chosen)
    told = tuple(
        f"{relative(folder, root)}: class-folders, {len(class_folders(folder))} classes "
        f"({', '.join(sorted(class_folders(folder))[:8])})"
        for folder in chosen
    )
    check = (*check, "the classes are the folders' names in the alphabet's order; [labels] names states another")
    return Guess(root, "class-folders", splits, {}, told, check)


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def _holds_classes(folder: Path) -> bool:
    """Whether there are two folders or more and every one of them holds pictures."""
    inner = _folders(folder)
    return len(inner) > 1 and all(any(p.suffix.lower() in SUFFIXES for p in one.iterdir()) for one in inner)
