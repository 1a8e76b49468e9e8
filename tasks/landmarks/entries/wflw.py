"""WFLW: 98 points, and six subsets of its test set. See docs/protocols.md, sections 9 and 10."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tasks.landmarks.entries.entry import csv_entry, csv_path, info_of, picture_folder
from tasks.landmarks.files import raw_forms
from tasks.landmarks.files.csv_form import members, read_csv
from tasks.landmarks.files.faces import Faces
from tasks.landmarks.files.markup import Markup, pairs, run

MARKUP = Markup(
    98,
    tuple((k, 32 - k) for k in range(16))
    + pairs(
        "33-46,34-45,35-44,36-43,37-42,38-50,39-49,40-48,41-47,60-72,61-71,62-70,63-69,64-68,65-75,66-74,67-73,55-59,"
        "56-58,76-82,77-81,78-80,87-83,86-84,88-92,89-91,95-93,96-97",
        base=0,
    ),
    (60, 72),
    ((96,), (97,)),
    (
        run((0, 32)),
        run((33, 41), 33),
        run((42, 50), 42),
        run((51, 54)),
        run((55, 59)),
        run((60, 67), 60),
        run((68, 75), 68),
        run((76, 87), 76),
        run((88, 95), 88),
    ),
    1.5,
)
TESTS = {"pose": "largepose", **{flag: flag for flag in raw_forms.WFLW_FLAGS[1:]}}
"""Subset -> what the split of its csv is called after "test_"."""


def _list(root: Path, split: str) -> Path:
    """The raw list of a split, beside the csv files or in the release's own folders."""
    name = f"list_98pt_rect_attr_{split}.txt"
    nested = root / "WFLW_annotations" / "list_98pt_rect_attr_train_test" / name
    return nested if nested.exists() and not (root / name).exists() else root / name


def _files(root: Path, split: str, box: str) -> list[Path]:
    main = csv_path("wflw", root, split)
    if split in ("train", "test"):
        listed = _list(root, split)
        if box == "rect" or (not main.exists() and (listed.exists() or listed.is_symlink())):
            return [listed]
    parts = [csv_path("wflw", root, f"test_{name}") for name in TESTS.values()] if split == "test" else []
    return [main, *(part for part in parts if part.exists())]


def _read(root: Path, split: str, box: str) -> Faces:
    main, *parts = _files(root, split, box)
    if main.suffix == ".txt":
        return raw_forms.read_wflw_list(main, root, MARKUP.num_points)
    faces = read_csv(main, MARKUP.num_points, root)
    subset = {csv_path("wflw", root, f"test_{name}"): subset for subset, name in TESTS.items()}
    found = {subset[part]: members(faces, part, MARKUP.num_points) for part in parts}
    return replace(faces, subsets={**faces.subsets, **found})


ENTRY = csv_entry(
    info_of("wflw", "WFLW", MARKUP, ("train", "test", *(f"test_{name}" for name in TESTS.values()))),
    MARKUP,
    files=_files,
    read=_read,
    folder=lambda root, split: picture_folder(root, "WFLW_images"),
    epochs=6,
    subsets=raw_forms.WFLW_FLAGS,
)
