"""COFW: 29 points with occlusion flags, in MATLAB files. See docs/protocols.md, sections 9 and 10."""

from __future__ import annotations

from pathlib import Path

from tasks.landmarks.entries.entry import Entry, Pictures, info_of
from tasks.landmarks.files.cofw import CofwPictures, mat_path, read_cofw
from tasks.landmarks.files.faces import Faces
from tasks.landmarks.files.markup import Markup, pairs

MARKUP = Markup(
    29,
    pairs("1-2,5-7,3-4,6-8,9-10,11-12,13-15,17-18,14-16,19-20,23-24"),
    (8, 9),
    ((16,), (17,)),
    (
        (0, 4, 2, 5, 0),
        (3, 6, 1, 7, 3),
        (8, 12, 10, 13, 8),
        (11, 14, 9, 15, 11),
        (18, 21, 19, 20, 18),
        (22, 24, 23, 27, 22),
        (22, 25, 23, 26, 22),
    ),
    1.5,
)


def _read(root: Path, split: str, box: str) -> Faces:
    return read_cofw(root, split, MARKUP.num_points)


def _stored(root: Path, split: str, limit_mib: int) -> Pictures:
    return CofwPictures(mat_path(root, split), split, limit_mib).__getitem__


ENTRY = Entry(
    info_of("cofw", "COFW", MARKUP, ("train", "test")),
    MARKUP,
    lambda root, split, box: [mat_path(root, split)],
    _read,
    lambda root, split: root,
    _stored,
    as_float=False,
    epochs=8,
    subsets=("hardly_occluded", "occluded"),
)
