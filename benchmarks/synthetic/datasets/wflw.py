"""Embedded WFLW: parametric faces with 98 points and the six attributes, as csv files and as the raw list files.

`WFLW_images/<event>/<name>.jpg`, `face_landmarks_wflw_{train,test,test_<subset>}.csv` and
`list_98pt_rect_attr_{train,test}.txt`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.synthetic.datasets.face_files import ONE_BASED, csv_row, write_csv, write_picture
from benchmarks.synthetic.faces.scene import ATTRIBUTES, Difficulty, FacePicture, render

VERSION = 1
NUM_POINTS = 98
SIZES = {"smoke": {"train": 12, "test": 12}, "embedded": {"train": 320, "test": 150}}
SUBSETS = dict(zip(ATTRIBUTES, ("largepose", "expression", "illumination", "makeup", "occlusion", "blur"), strict=True))
_DATASET = 98
_SPLITS = ("train", "test")
_EVENTS = ("0--Parade", "9--Press_Conference", "29--Students_Schoolkids", "37--Soccer", "51--Dresses")
_MIXED = Difficulty(chances=(0.15, 0.18, 0.16, 0.16, 0.2, 0.14), yaw_deg=20.0, turned_deg=(42.0, 66.0))
_TEST = Difficulty(chances=(0.08, 0.10, 0.10, 0.10, 0.12, 0.08), yaw_deg=20.0, turned_deg=(42.0, 66.0))


def _difficulty(split: str, index: int) -> Difficulty:
    """In the test split the six attributes take turns, so that every subset holds at least a sixth of the faces."""
    if split == "train":
        return _MIXED
    pose, expression, illumination, makeup, occlusion, blur = (
        1.0 if k == index % 6 else chance for k, chance in enumerate(_TEST.chances)
    )
    return replace(_TEST, chances=(pose, expression, illumination, makeup, occlusion, blur))


def _list_line(name: str, points: np.ndarray, picture: FacePicture) -> str:
    numbers = [f"{v:.6f}" for v in points.ravel()]
    rect = [str(round(float(v))) for v in picture.rect]
    flags = [str(int(picture.attributes[a])) for a in ATTRIBUTES]
    return " ".join([*numbers, *rect, *flags, name])


def write(root: Path, sizes: dict[str, int], seed: int) -> None:
    """Write the dataset below `root`; `sizes` counts the pictures of train and test (the subsets are parts of test)."""
    for split_id, split in enumerate(_SPLITS):
        rows: list[list[str]] = []
        lines: list[str] = []
        parts: dict[str, list[list[str]]] = {subset: [] for subset in SUBSETS.values()}
        for index in range(sizes.get(split, 0)):
            rng = np.random.default_rng([seed, _DATASET, split_id, index])
            picture = render(rng, _difficulty(split, index), ("wflw",))
            points = np.round(picture.points["wflw"] + ONE_BASED, 3)
            event = _EVENTS[index % len(_EVENTS)]
            name = f"{event}/{event.replace('--', '_')}_{split}_{index:04d}.jpg"
            write_picture(root / "WFLW_images" / name, picture.image)
            row = csv_row(name, points)
            rows.append(row)
            lines.append(_list_line(name, points, picture))
            for attribute, subset in SUBSETS.items():
                if picture.attributes[attribute]:
                    parts[subset].append(row)
        write_csv(root / f"face_landmarks_wflw_{split}.csv", rows, NUM_POINTS)
        (root / f"list_98pt_rect_attr_{split}.txt").write_text("\n".join(lines) + "\n", encoding="ascii")
        if split == "test":
            for subset, chosen in parts.items():
                write_csv(root / f"face_landmarks_wflw_test_{subset}.csv", chosen, NUM_POINTS)
