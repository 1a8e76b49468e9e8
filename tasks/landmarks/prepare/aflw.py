"""AFLW-19: AFLWinfo_release.mat (Zhu et al., CVPR 2016) to csv files of train, test and test's frontal faces.

The file holds ``bbox`` (N, 4: left, right, top, bottom), ``data`` (N, 38: 19 x, then 19 y), ``mask_new`` (N, 19: is the point
seen), ``nameList`` (N names below flickr/) and ``ra``, an order of the faces whose first 20000 are for training. Faces of the
test set with all 19 points seen are frontal.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.files.mat_values import read_mat_values
from tasks.files.names import picture_name
from tasks.landmarks.prepare.face_csv import csv_bytes, same_table
from tasks.preparation import Preparation, Target, find, find_one

RAW = "AFLWinfo_release.mat"
NUM_POINTS = 19
NUM_TRAIN, NUM_FACES = 20000, 24386
OFFICIAL: dict[str, tuple[int, ...]] = {"train": (20000,), "test": (4386,), "test_frontal": (1314, 1165)}


def prepare(raw: Path, target: Target) -> None:
    """Writes the csv files and brings flickr/ to its place.

    Raises:
        ValueError: the file is missing, broken, or of another form, or a csv says something else.
    """
    path = find_one(raw, (RAW,), "AFLW's annotations with 19 points")
    held = read_mat_values(path, "AFLW's annotations with 19 points")
    names = _names(held.get("nameList"), path)
    count = len(names)
    boxes, points, seen = (
        _table(held, name, (count, width), path)
        for name, width in (("bbox", 4), ("data", 2 * NUM_POINTS), ("mask_new", NUM_POINTS))
    )
    order = _table(held, "ra", (count,), path).astype(np.int64) - 1
    if sorted(order.tolist()) != list(range(count)):
        raise ValueError(
            f"{path}: expected ra to name each of the {count} faces once, got another list; fetch the file again"
        )
    # A cut of the set keeps the official share of training faces.
    num_train = NUM_TRAIN if count == NUM_FACES else max(1, count * NUM_TRAIN // NUM_FACES)
    frontal = np.asarray((seen > 0).all(axis=1))
    test = order[num_train:]
    xy = np.stack([points[:, :NUM_POINTS], points[:, NUM_POINTS:]], axis=-1)
    left, right, top, bottom = boxes.T
    sizes = np.maximum(right - left, bottom - top)
    centres = np.stack([(left + right) / 2, (top + bottom) / 2], axis=1)
    if not (sizes > 0).all():
        row = int(np.flatnonzero(~(sizes > 0))[0])
        raise ValueError(
            f"{path}, bbox of face {row + 1}: expected left, right, top, bottom, got {boxes[row].tolist()}"
        )
    for split, rows in (("train", order[:num_train]), ("test", test), ("test_frontal", test[frontal[test]])):
        content = csv_bytes(
            [names[row] for row in rows.tolist()], xy[rows], centres[rows], sizes[rows] / 200, sizes[rows]
        )
        target.told_write(f"face_landmarks_aflw_{split}.csv", content, f"{len(rows)} faces", same_table)
        target.count(f"faces of {split}", len(rows), OFFICIAL[split])
    pictures = find(raw, ("flickr",))
    target.place_pictures(pictures, "images/flickr", raw)


def _names(value: Any, path: Path) -> list[str]:
    """The pictures' paths below images/: the file names them below flickr/."""
    found = value if isinstance(value, list) else [value]
    names = []
    for row, name in enumerate(found):
        name = name[0] if isinstance(name, list) and len(name) == 1 else name
        if not isinstance(name, str):
            raise ValueError(
                f"{path}, nameList of face {row + 1}: expected a picture's path, got {str(name)[:40]}; fetch it again"
            )
        names.append("flickr/" + picture_name(name.removeprefix("flickr/"), f"{path}, nameList of face {row + 1}"))
    return names


def _table(held: dict[str, Any], name: str, shape: tuple[int, ...], path: Path) -> NDArray[np.float64]:
    value = np.atleast_1d(np.asarray(held.get(name, np.nan), np.float64))
    value = value.ravel() if len(shape) == 1 else value
    if value.shape != shape or not np.isfinite(value).all():
        raise ValueError(f"{path}: expected {name} as finite numbers {shape}, got {value.shape}; fetch the file again")
    return value


AFLW = Preparation(
    "landmarks", "aflw", "aflw", f"{RAW} (AFLW-19 of Zhu et al.) and the pictures of AFLW (flickr/)", prepare
)
