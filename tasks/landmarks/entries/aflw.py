"""AFLW: 19 points, normed by the face box. See docs/protocols.md, sections 9 and 10."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tasks.landmarks.entries.entry import csv_entry, csv_path, info_of
from tasks.landmarks.files.csv_form import members, read_csv
from tasks.landmarks.files.faces import Faces
from tasks.landmarks.files.markup import Markup, pairs

MARKUP = Markup(
    19,
    pairs("1-6,2-5,3-4,7-12,8-11,9-10,13-15,16-18"),
    None,
    None,
    ((0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11), (12, 13, 14), (15, 16, 17)),
    1.5,
)


def _files(root: Path, split: str, box: str) -> list[Path]:
    frontal = csv_path("aflw", root, "test_frontal")
    return [csv_path("aflw", root, split), *([frontal] if split == "test" and frontal.exists() else [])]


def _read(root: Path, split: str, box: str) -> Faces:
    main, *parts = _files(root, split, box)
    faces = read_csv(main, MARKUP.num_points, root, box_size="needed")
    if not parts:
        return faces
    return replace(faces, subsets={"frontal": members(faces, parts[0], MARKUP.num_points, "needed")})


ENTRY = csv_entry(
    info_of("aflw", "AFLW", MARKUP, ("train", "test", "test_frontal"), headline="NME[box]"),
    MARKUP,
    files=_files,
    read=_read,
    normaliser="box",
    lr=2e-4,
    epochs=6,
    subsets=("frontal",),
)
