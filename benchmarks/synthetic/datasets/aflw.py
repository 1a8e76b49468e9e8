"""Embedded AFLW: parametric faces with the 19-point mark-up, up to profile, in the csv layout with its box_size column.

`images/flickr/{0,2,3}/*.jpg` and `face_landmarks_aflw_{train,test,test_frontal}.csv`; the box is the square face rectangle
that the dataset brings, not one taken from the landmarks.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.synthetic.datasets.face_files import ONE_BASED, csv_row, write_csv, write_picture
from benchmarks.synthetic.faces.scene import Difficulty, render

VERSION = 1
NUM_POINTS = 19
SIZES = {"smoke": {"train": 12, "test": 8}, "embedded": {"train": 300, "test": 100}}
FRONTAL_YAW_DEG = 20.0
_DATASET = 19
_SPLITS = ("train", "test")
_WILD = Difficulty(chances=(0.35, 0.15, 0.14, 0.12, 0.15, 0.12), yaw_deg=20.0)


def write(root: Path, sizes: dict[str, int], seed: int) -> None:
    """Write the dataset below `root`; `sizes` counts the pictures of train and test (frontal is part of test)."""
    rows: dict[str, list[list[str]]] = {"train": [], "test": [], "test_frontal": []}
    for split_id, split in enumerate(_SPLITS):
        for index in range(sizes.get(split, 0)):
            rng = np.random.default_rng([seed, _DATASET, split_id, index])
            picture = render(rng, _WILD, ("aflw",))
            points = picture.points["aflw"] + ONE_BASED
            name = f"flickr/{(0, 2, 3)[index % 3]}/image{split_id * 50000 + index:05d}.jpg"
            write_picture(root / "images" / name, picture.image)
            # the face rectangle: a square around brows to chin, drawn by hand and so not quite centred
            low, high = points.min(0), points.max(0)
            side = float(np.round((high - low).max() * rng.uniform(1.08, 1.22)))
            centre = np.round((low + high) / 2 + rng.normal(0, 0.02, 2) * side + [0, -0.04 * side])
            row = csv_row(name, points, (side / 200, side, centre[0], centre[1]))
            rows[split].append(row)
            if split == "test" and abs(picture.yaw_deg) <= FRONTAL_YAW_DEG:
                rows["test_frontal"].append(row)
    for split, lines in rows.items():
        write_csv(
            root / f"face_landmarks_aflw_{split}.csv", lines, NUM_POINTS, ("scale", "box_size", "center_w", "center_h")
        )
