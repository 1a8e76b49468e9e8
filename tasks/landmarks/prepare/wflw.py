"""WFLW: list_98pt_rect_attr_{train,test}.txt to csv files of train, test and test's six subsets."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tasks.landmarks.entries.wflw import MARKUP, TESTS
from tasks.landmarks.files.raw_forms import read_wflw_list
from tasks.landmarks.prepare.face_csv import csv_bytes, same_table
from tasks.preparation import Preparation, Target, find, find_one

OFFICIAL = {"train": 7500, "test": 2500}
SUBSETS = {"largepose": 326, "expression": 314, "illumination": 698, "makeup": 206, "occlusion": 736, "blur": 773}


def prepare(raw: Path, target: Target) -> None:
    """Writes the csv files and brings the lists (for ``box=rect``) and WFLW_images/ to their places.

    Raises:
        ValueError: a list is missing or broken, or a csv says something else.
    """
    lists = {
        split: find_one(raw, (f"list_98pt_rect_attr_{split}.txt",), f"WFLW's list of {split}") for split in OFFICIAL
    }
    for split, path in lists.items():
        faces = read_wflw_list(path, target.folder, MARKUP.num_points)
        parts = {split: np.ones(len(faces), bool)}
        if split == "test":
            parts.update({f"test_{name}": faces.subsets[flag] for flag, name in TESTS.items()})
        for name, chosen in parts.items():
            rows = np.flatnonzero(chosen)
            official = OFFICIAL.get(name) or SUBSETS[name.removeprefix("test_")]
            target.count(f"faces of {name}", len(rows), official)
            if not len(rows):
                continue  # a cut of the set; a csv of no face could not be opened
            content = csv_bytes(
                [faces.images[row] for row in rows], faces.points[rows], faces.centres[rows], faces.scales[rows]
            )
            target.told_write(f"face_landmarks_wflw_{name}.csv", content, f"{len(rows)} faces", same_table)
        target.place(path, path.name)
    images = find(raw, ("WFLW_images",))
    target.place_pictures(images, "WFLW_images", raw)


WFLW = Preparation("landmarks", "wflw", "wflw", "WFLW_annotations.tar.gz and WFLW_images.tar.gz", prepare)
