"""300W: 68 points. See docs/protocols.md, sections 9 and 10."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tasks.landmarks.entries.entry import Entry, csv_path, info_of, picture_folder
from tasks.landmarks.files import raw_forms
from tasks.landmarks.files.csv_form import read_csv
from tasks.landmarks.files.faces import Faces
from tasks.landmarks.files.markup import Markup, pairs, run

MARKUP = Markup(
    68,
    pairs(
        "1-17,2-16,3-15,4-14,5-13,6-12,7-11,8-10,18-27,19-26,20-25,21-24,22-23,32-36,33-35,37-46,38-45,39-44,40-43,"
        "41-48,42-47,49-55,50-54,51-53,62-64,61-65,68-66,59-57,60-56"
    ),
    (36, 45),
    (run((36, 41)), run((42, 47))),
    (
        run((0, 16)),
        run((17, 21)),
        run((22, 26)),
        run((27, 30)),
        run((31, 35)),
        run((36, 41), 36),
        run((42, 47), 42),
        run((48, 59), 48),
        run((60, 67), 60),
    ),
    1.0,
)
SUBSETS = {"valid": ("challenge", "common", "ibug/"), "test": ("outdoor", "indoor", "02_Outdoor/")}
"""Split -> a subset, the other one, and what names of the first one's pictures hold."""


def _files(root: Path, split: str, box: str) -> list[Path]:
    main = csv_path("300w", root, split)
    return [main] if main.exists() else raw_forms.pts_files(picture_folder(root), split) or [main]


def _read(root: Path, split: str, box: str) -> Faces:
    files = _files(root, split, box)
    if files[0].suffix == ".pts":
        faces = raw_forms.read_300w_raw(root, picture_folder(root), split, MARKUP.num_points)
    else:
        faces = read_csv(files[0], MARKUP.num_points, root)
    if split not in SUBSETS:
        return faces
    name, other, mark = SUBSETS[split]
    chosen = np.array([mark in image for image in faces.images], dtype=bool)
    return replace(faces, subsets={other: ~chosen, name: chosen})


ENTRY = Entry(
    info_of("300w", "300W", MARKUP, ("train", "valid", "valid_common", "valid_challenge", "test"), eval_split="valid"),
    MARKUP,
    _files,
    _read,
    lambda root, split: picture_folder(root),
    epochs=10,
    subsets=("common", "challenge", "indoor", "outdoor"),
)
