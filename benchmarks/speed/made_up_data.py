"""Dataset folders with as many entries as the real ones: a few cheap pictures, hard-linked under every name.

Annotations are drawn at random and mean nothing: they are for start-up, memory and growth.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from tasks.detection.files.categories import COCO

CROWDS = 0.012
"""Of all objects, as in COCO; their masks are run lengths."""
SIZES_WH = ((640, 480), (480, 640), (640, 427), (500, 375))


def coco_instances(
    root: Path, split: str, images: int, boxes: int, sizes_wh: Sequence[tuple[int, int]] = SIZES_WH
) -> None:
    """``coco/`` with one split of instances: polygons of 20 corners, 80 classes with COCO's numbers."""
    listed, chance = _pictures(root, split, images, sizes_wh), np.random.default_rng(1)
    of_image, corner, size = _boxes(listed, boxes, chance)
    categories = [{"id": number, "name": name} for number, name in zip(COCO.ids, COCO.names, strict=True)]
    kinds = np.minimum(chance.exponential(12, boxes).astype(int), len(categories) - 1)
    turns = np.sort(chance.uniform(0, 2 * np.pi, (boxes, 20)), axis=1)
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=2) / 2
    polygons = np.round((corner + size / 2)[:, None] + circle * size[:, None], 2).reshape(boxes, -1)
    crowds = chance.random(boxes) < CROWDS
    annotations = [
        {
            "id": 1 + row,
            "image_id": listed[of_image[row]]["id"],
            "category_id": categories[kinds[row]]["id"],
            "bbox": [*corner[row].tolist(), *size[row].tolist()],
            "area": float(size[row].prod() * 0.6),
            "iscrowd": int(crowds[row]),
            "segmentation": _run_lengths(listed[of_image[row]]) if crowds[row] else [polygons[row].tolist()],
        }
        for row in range(boxes)
    ]
    _write(root / f"coco/annotations/instances_{split}.json", listed, annotations, categories)


def _run_lengths(image: dict[str, Any]) -> dict[str, Any]:
    """The left half of a picture as a mask."""
    half = image["height"] * (image["width"] // 2)
    return {"size": [image["height"], image["width"]], "counts": [0, half, image["height"] * image["width"] - half]}


def coco_keypoints(
    root: Path,
    split: str,
    images: int,
    persons: int,
    detections: int = 0,
    sizes_wh: Sequence[tuple[int, int]] = SIZES_WH,
) -> None:
    """``coco/`` with one split of persons with 17 joints, and a detector's boxes for as many as are asked for."""
    listed, chance = _pictures(root, split, images, sizes_wh), np.random.default_rng(2)
    of_image, corner, size = _boxes(listed, persons, chance)
    seen = chance.random((persons, 17)) < 0.7
    seen[:, 0] = True
    at = corner[:, None] + chance.random((persons, 17, 2)) * size[:, None]
    points = np.concatenate([np.round(at), np.full((persons, 17, 1), 2.0)], axis=2) * seen[..., None]
    annotations = [
        {
            "id": 1 + row,
            "image_id": listed[of_image[row]]["id"],
            "category_id": 1,
            "bbox": [*corner[row].tolist(), *size[row].tolist()],
            "area": float(size[row].prod() * 0.5),
            "iscrowd": 0,
            "num_keypoints": int(seen[row].sum()),
            "keypoints": points[row].ravel().tolist(),
        }
        for row in range(persons)
    ]
    category = [{"id": 1, "name": "person"}]
    _write(root / f"coco/annotations/person_keypoints_{split}.json", listed, annotations, category)
    if detections:
        rows = np.arange(detections) % persons
        shifted = np.round(corner[rows] + chance.normal(0, 8, (detections, 2)), 2)
        found = [
            {
                "image_id": listed[of_image[row]]["id"],
                "category_id": 1,
                "bbox": [*shifted[index].tolist(), *size[row].tolist()],
                "score": round(float(chance.random()), 6),
            }
            for index, row in enumerate(rows)
        ]
        path = root / "coco/person_detection_results/COCO_val2017_detections_AP_H_56_person.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.encode(found))


def cityscapes(root: Path, split: str, images: int, size_wh: tuple[int, int] = (2048, 1024)) -> None:
    """``cityscapes/`` with one split of pictures and label maps, of Cityscapes' size by default."""
    picture, labels = root / "pictures" / "street.png", root / "pictures" / "labels.png"
    if not picture.exists():
        picture.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(picture), _noise(size_wh, 5), [cv2.IMWRITE_PNG_COMPRESSION, 1])
        coarse = np.random.default_rng(3).integers(0, 34, (32, 64)).astype(np.uint8)
        cv2.imwrite(str(labels), cv2.resize(coarse, size_wh, interpolation=cv2.INTER_NEAREST))
    for index in range(images):
        stem = f"town{index % 18}/town{index % 18}_{index:06}_000019"
        _link(picture, root / f"cityscapes/leftImg8bit/{split}/{stem}_leftImg8bit.png")
        _link(labels, root / f"cityscapes/gtFine/{split}/{stem}_gtFine_labelIds.png")


def imagenet(root: Path, split: str, images: int) -> None:
    """``imagenet/`` with one split in 1000 folders."""
    picture = root / "pictures" / "thing.jpg"
    if not picture.exists():
        picture.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(picture), _noise((500, 375), 6))
    for index in range(images):
        _link(picture, root / f"imagenet/{split}/n{index % 1000:08}/picture_{index:08}.JPEG")


def _pictures(root: Path, split: str, count: int, sizes_wh: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    folder = root / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for kind, size_wh in enumerate(sizes_wh):
        path = folder / f"{kind}.jpg"
        if not path.exists():
            cv2.imwrite(str(path), _noise(size_wh, kind), [cv2.IMWRITE_JPEG_QUALITY, 90])
    listed = []
    for index in range(count):
        width, height = sizes_wh[index % len(sizes_wh)]
        name = f"{index + 1:012}.jpg"
        _link(folder / f"{index % len(sizes_wh)}.jpg", root / "coco/images" / split / name)
        listed.append({"id": index + 1, "file_name": name, "width": width, "height": height})
    return listed


def _boxes(listed: list[dict[str, Any]], count: int, chance: np.random.Generator) -> tuple[Any, Any, Any]:
    """Pictures' rows, and corners and sizes (count, 2) of boxes inside of them."""
    of_image = chance.integers(0, len(listed), count)
    sides = np.array([(entry["width"], entry["height"]) for entry in listed], dtype=float)[of_image]
    size = np.round(np.exp(chance.uniform(np.log(30), np.log(sides / 2))), 2)
    return of_image, np.round(chance.random((count, 2)) * (sides - size - 2), 2), size


def _write(path: Path, images: Any, annotations: Any, categories: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode({"images": images, "annotations": annotations, "categories": categories}))


def _noise(size_wh: tuple[int, int], seed: int) -> np.ndarray:
    chance = np.random.default_rng(seed)
    coarse = chance.uniform(0, 255, (size_wh[1] // 12 + 1, size_wh[0] // 12 + 1, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, size_wh, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(smooth + chance.normal(0, 9, smooth.shape), 0, 255), np.uint8)


def _link(source: Path, target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EMLINK, errno.EPERM, errno.EXDEV, errno.ENOTSUP):
            raise
        if error.errno == errno.EMLINK:  # a file has at most some 65,000 names: a second file takes over
            fresh = source.with_name(f"_{source.name}")
            shutil.copyfile(source, fresh)
            fresh.replace(source)
            os.link(source, target)
        else:
            shutil.copyfile(source, target)
