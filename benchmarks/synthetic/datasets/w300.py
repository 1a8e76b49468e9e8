"""Embedded 300W: parametric faces in the layout of 300W as HRNet's face code reads it (csv) and of the raw release (.pts).

`images/{afw,helen/{trainset,testset},ibug,lfpw/{trainset,testset},Test/{01_Indoor,02_Outdoor}}` and
`face_landmarks_300w_{train,valid,valid_common,valid_challenge,test}.csv`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.synthetic.datasets.face_files import ONE_BASED, csv_row, write_csv, write_picture, write_pts
from benchmarks.synthetic.faces.scene import Difficulty, render

VERSION = 1
NUM_POINTS = 68
SIZES = {
    "smoke": {"train": 12, "valid_common": 5, "valid_challenge": 3, "test": 4},
    "embedded": {"train": 560, "valid_common": 100, "valid_challenge": 50, "test": 8},
}
_DATASET = 300
_SPLITS = ("train", "valid_common", "valid_challenge", "test")
_TURNED = (35.0, 52.0)  # 300W has no profiles
_EASY = Difficulty(chances=(0.04, 0.12, 0.12, 0.12, 0.12, 0.12), turned_deg=_TURNED)
_HARD = Difficulty(chances=(0.30, 0.35, 0.3, 0.15, 0.4, 0.25), yaw_deg=24.0, turned_deg=_TURNED)
_MIXED = Difficulty(chances=(0.12, 0.18, 0.16, 0.12, 0.2, 0.14), yaw_deg=20.0, turned_deg=_TURNED)
DIFFICULTY = {"train": _MIXED, "valid_common": _EASY, "valid_challenge": _HARD, "test": _MIXED}


def _place(split: str, index: int) -> tuple[str, str]:
    """Path below images/ and picture mode of a split's picture; every kind of file of the release occurs."""
    if split == "train":
        name = (f"helen/trainset/{index:07d}_1.jpg", f"lfpw/trainset/image_{index:04d}.png", f"afw/{index:07d}_1.jpg")[
            index % 3
        ]
    elif split == "valid_common":
        name = (f"helen/testset/{index:07d}_1.jpg", f"lfpw/testset/image_{index:04d}.png")[index % 2]
    elif split == "valid_challenge":
        name = f"ibug/image_{index:03d}_1.jpg"
    else:
        name = (f"Test/01_Indoor/indoor_{index:03d}.png", f"Test/02_Outdoor/outdoor_{index:03d}.png")[index % 2]
    if name.endswith(".png"):
        return name, {1: "P", 4: "L", 7: "RGBA"}.get(index % 10, "P" if split == "test" and index % 3 == 0 else "RGB")
    return name, "L" if index % 29 == 3 else "RGB"


def write(root: Path, sizes: dict[str, int], seed: int) -> None:
    """Write the dataset below `root`; `sizes` counts the pictures of train, valid_common, valid_challenge and test."""
    rows: dict[str, list[list[str]]] = {split: [] for split in _SPLITS}
    for split_id, split in enumerate(_SPLITS):
        for index in range(sizes.get(split, 0)):
            picture = render(np.random.default_rng([seed, _DATASET, split_id, index]), DIFFICULTY[split], ("300w",))
            points = picture.points["300w"] + ONE_BASED
            name, mode = _place(split, index)
            path = root / "images" / name
            write_picture(path, picture.image, mode)
            write_pts(path.with_suffix(".pts"), points)
            rows[split].append(csv_row(name, points))
    rows["valid"] = rows["valid_common"] + rows["valid_challenge"]
    for split, lines in rows.items():
        write_csv(root / f"face_landmarks_300w_{split}.csv", lines, NUM_POINTS)
