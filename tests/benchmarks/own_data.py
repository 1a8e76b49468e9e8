"""Small datasets of one's own in the five forms that a dataset.toml can declare, made by the tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

COUNTS = {"train": 6, "val": 4}
SIZE_WH = (64, 48)

HAND = """
name = "hand21"
title = "Hands, 21 joints"
task = "pose"
layout = "coco-keypoints"
[splits.train]
annotations = "annotations/train.json"
images = "images"
[splits.val]
annotations = "annotations/val.json"
images = "images"
[keypoints]
names = [{names}]
sigmas = [{sigmas}]
[recipe]
epochs = 2
"""
HAND_NAMES = ["wrist", *(f"{f}_{k}" for f in ("thumb", "index", "middle", "ring", "little") for k in range(1, 5))]
HAND_SIGMAS = [0.029, 0.022, 0.035, 0.037, 0.047, 0.026, 0.025, 0.024, 0.035, 0.018, 0.024]
HAND_SIGMAS += [0.022, 0.026, 0.017, 0.021, 0.021, 0.032, 0.02, 0.019, 0.022, 0.031]
MOUSE = """
name = "mouse9"
task = "pose"
layout = "coco-keypoints"
[splits.train]
annotations = "train.json"
images = "frames"
[splits.val]
annotations = "val.json"
images = "frames"
"""
MOUSE_NAMES = ["nose", "left_ear", "right_ear", "neck", "left_hip", "right_hip", "tail_base", "tail_mid", "tail_tip"]
PARTS = """
name = "parts3"
title = "Parts, 3 classes"
task = "detection"
layout = "coco-instances"
[splits.train]
annotations = "annotations/train.json"
images = "images"
[splits.val]
annotations = "annotations/val.json"
images = "images"
"""
PART_NAMES = {1: "bolt", 5: "nut", 9: "washer"}
ROOMS = """
name = "rooms5"
title = "Rooms, 5 classes"
task = "segmentation"
layout = "label-maps"
[splits.train]
images = "images/train"
labels = "labels/train"
[splits.val]
images = "images/val"
labels = "labels/val"
[labels]
names = ["floor", "wall", "ceiling", "furniture", "person"]
colours = [[128, 64, 128], [70, 70, 70], [70, 130, 180], [190, 153, 153], [220, 20, 60]]
ignore = 255
"""
FACES = """
name = "faces5"
title = "Faces, 5 points"
task = "landmarks"
layout = "points-csv"
[splits.train]
csv = "train.csv"
images = "images"
[splits.val]
csv = "val.csv"
images = "images"
[points]
count = 5
flip_pairs = [[0, 1], [3, 4]]
normaliser = [0, 1]
"""
FLOWERS = """
name = "flowers"
title = "Flowers, 3 kinds"
task = "classification"
layout = "class-folders"
[splits.train]
images = "pictures/train"
[splits.val]
images = "pictures/val"
[protocol]
crop = 32
resize = 32
"""


def _picture(path: Path, rng: np.random.Generator) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = rng.integers(0, 80, (SIZE_WH[1], SIZE_WH[0], 3)).astype(np.uint8)
    cv2.imwrite(str(path), picture)
    return picture


def _keypoints(folder: Path, toml: str, place: str, images: str, category: dict[str, Any], joints: int) -> None:
    rng = np.random.default_rng(0)
    for split, count in COUNTS.items():
        pictures, annotations = [], []
        for number in range(count):
            name = f"{split}_{number}.png"
            _picture(folder / images / name, rng)
            pictures.append({"id": number + 1, "file_name": name, "width": SIZE_WH[0], "height": SIZE_WH[1]})
            points = rng.uniform((8, 8), (SIZE_WH[0] - 8, SIZE_WH[1] - 8), (joints, 2)).round(1)
            visible = np.where(rng.random(joints) < 0.9, 2, 0)
            visible[0] = 2
            flat = np.where(visible[:, None] > 0, np.column_stack([points, visible]), 0).ravel().tolist()
            annotations.append(
                {"id": 10 * number + 3, "image_id": number + 1, "category_id": category["id"], "iscrowd": 0}
                | {"bbox": [4, 4, 56, 40], "area": 1500.0, "keypoints": flat}
                | {"num_keypoints": int((visible > 0).sum())}
            )
        path = folder / place.format(split)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"images": pictures, "annotations": annotations, "categories": [category]}))
    (folder / "dataset.toml").write_text(toml)


def hand21(folder: Path) -> None:
    """21 joints that the toml names; the json names none."""
    names, sigmas = ", ".join(f'"{name}"' for name in HAND_NAMES), ", ".join(map(str, HAND_SIGMAS))
    toml = HAND.replace("{names}", names).replace("{sigmas}", sigmas)
    _keypoints(folder, toml, "annotations/{}.json", "images", {"id": 1, "name": "hand"}, 21)


def mouse9(folder: Path) -> None:
    """9 joints that the json names, in a category of another number than COCO's persons have."""
    category = {"id": 4, "name": "mouse", "keypoints": MOUSE_NAMES, "skeleton": [[1, 4], [4, 7], [7, 8], [8, 9]]}
    _keypoints(folder, MOUSE, "{}.json", "frames", category, 9)


def parts3(folder: Path) -> None:
    """Boxes of three classes whose numbers have gaps and are some of COCO's by chance."""
    rng = np.random.default_rng(1)
    for split, count in COUNTS.items():
        pictures: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for number in range(count):
            name = f"{split}_{number}.png"
            picture = _picture(folder / "images" / name, rng)
            pictures.append({"id": number + 1, "file_name": name, "width": SIZE_WH[0], "height": SIZE_WH[1]})
            for column, category in enumerate(PART_NAMES):
                x, y, w, h = 3 + 20 * column, int(rng.integers(2, 20)), 16, int(rng.integers(12, 24))
                picture[y : y + h, x : x + w] = 90 + 60 * column
                box = {"bbox": [x, y, w, h], "area": w * h, "category_id": category}
                annotations.append({"id": len(annotations) + 1, "image_id": number + 1, "iscrowd": 0} | box)
            cv2.imwrite(str(folder / "images" / name), picture)
        path = folder / "annotations" / f"{split}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        categories = [{"id": number, "name": name} for number, name in PART_NAMES.items()]
        path.write_text(json.dumps({"images": pictures, "annotations": annotations, "categories": categories}))
    (folder / "dataset.toml").write_text(PARTS)


def rooms5(folder: Path) -> None:
    """Label maps of five classes, of which the last occurs in training alone; 255 at a border."""
    rng = np.random.default_rng(2)
    for split, count in COUNTS.items():
        for number in range(count):
            picture = _picture(folder / "images" / split / f"{number}.jpg", rng)
            label = np.zeros(picture.shape[:2], np.uint8)
            label[:20], label[:8], label[30:40, 10:30] = 1, 2, 3
            if split == "train":
                label[10:20, 40:50] = 4
            label[:, :2] = 255
            path = folder / "labels" / split / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), label)
    (folder / "dataset.toml").write_text(ROOMS)


def faces5(folder: Path) -> None:
    """Five points a face: eyes, nose, corners of the mouth."""
    rng = np.random.default_rng(3)
    middle = np.array([(22, 18), (42, 18), (32, 26), (25, 34), (39, 34)], float)
    header = ["image_name", "scale", "center_w", "center_h", *(f"{axis}_{k}" for k in range(5) for axis in "xy")]
    for split, count in COUNTS.items():
        lines = [",".join(header)]
        for number in range(count):
            name = f"{split}_{number}.png"
            _picture(folder / "images" / name, rng)
            points = (middle + rng.normal(0, 1.5, (5, 2))).round(2)
            lines.append(f"{name},0.16,32,26," + ",".join(map(str, points.ravel())))
        (folder / f"{split}.csv").write_text("\n".join(lines) + "\n")
    (folder / "dataset.toml").write_text(FACES)


def flowers(folder: Path) -> None:
    """Three kinds that differ in colour."""
    rng = np.random.default_rng(0)
    for split, count in COUNTS.items():
        for channel, name in enumerate(("aster", "lily", "rose")):
            for number in range(count):
                path = folder / "pictures" / split / name / f"{number}.png"
                picture = _picture(path, rng)
                picture[..., channel] += 150
                cv2.imwrite(str(path), picture)
    (folder / "dataset.toml").write_text(FLOWERS)


MAKERS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "hand21": ("pose", hand21),
    "mouse9": ("pose", mouse9),
    "parts3": ("detection", parts3),
    "rooms5": ("segmentation", rooms5),
    "faces5": ("landmarks", faces5),
    "flowers": ("classification", flowers),
}
"""Name -> task, and what makes it in a folder."""
