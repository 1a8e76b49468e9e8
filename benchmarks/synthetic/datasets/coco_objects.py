"""Writes embedded scenes in the layout of COCO detection: pictures, instances, keypoints of the same people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from benchmarks.synthetic.datasets.coco_people import SKELETON
from benchmarks.synthetic.people.figure.body import COCO_JOINTS
from benchmarks.synthetic.raster.canvas import Canvas
from benchmarks.synthetic.scenes.gathering import gathering
from tasks.detection.files.categories import COCO_NAMES

VERSION = 1
SIZES = {
    "smoke": {"train": 12, "val": 6},
    "embedded": {"train": 500, "val": 100},
}
PICTURE_SIZES = ((256, 192), (256, 192), (288, 216), (192, 256), (320, 240))
CATEGORY_IDS = {
    "person": 1, "bicycle": 2, "car": 3, "bus": 6, "cat": 17, "dog": 18, "umbrella": 28, "ball": 37, "kite": 38, "bottle": 44,
    "chair": 62, "pottedplant": 64, "tvmonitor": 72, "clock": 85,
}  # fmt: skip
"""Painters' name -> COCO's category id, of what the scenes hold; the files list all eighty categories."""
MIN_AREA_PX, MIN_SEEN = 30, 0.12
"""Things of which fewer pixels, or a smaller share, are seen are not annotated."""
_SPLIT_IDS = {"train": 0, "val": 1}
FIRST_IDS = {"train": 300_000, "val": 400_000}
"""Of the pictures. The people of ``coco_people`` count from 100000 and 200000: boxes of one set are refused by the other."""
_STREAM = 23
_LICENSE = {"url": "", "id": 1, "name": "Rendered; no rights of others"}


def outlines(mask: np.ndarray) -> list[list[float]]:
    """Return polygons [x, y, x, y, ...] around a mask (H, W) bool that pycocotools fills to the same pixels; holes are filled.

    The outline runs a quarter of a pixel inside the pixels' outer edges (pixel k covers k to k + 1).
    """
    double = np.repeat(np.repeat(mask.astype(np.uint8), 2, 0), 2, 1)
    contours, _ = cv2.findContours(double, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [((contour[:, 0] + 0.5) / 2).ravel().tolist() for contour in contours]


def _runs(mask: np.ndarray) -> dict[str, Any]:
    """COCO's uncompressed RLE, the form of its crowds: run lengths down the columns, zeros first."""
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    return {"counts": ([0] if flat[0] else []) + runs, "size": list(mask.shape)}


def _segmentation(mask: np.ndarray, crowd: bool) -> tuple[list[list[float]] | dict[str, Any], int, list[float]]:
    """Return (segmentation, area, bbox [x, y, w, h]); area and box are those of the segmentation as pycocotools reads it.

    Polygons, as COCO has them; run lengths for crowds and for things with large holes, which polygons would fill.
    """
    height, width = mask.shape
    polygons = outlines(mask)
    rle = coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
    if crowd or coco_mask.area(rle) > 1.05 * mask.sum():
        rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
        return _runs(mask), int(coco_mask.area(rle)), coco_mask.toBbox(rle).tolist()
    return polygons, int(coco_mask.area(rle)), coco_mask.toBbox(rle).tolist()


def instance_records(canvas: Canvas, image_id: int) -> list[dict[str, Any]]:
    """Return the annotations of one picture without ids; persons also carry their `keypoints` and `num_keypoints`.

    Masks hold what is seen of a thing. All items marked as crowd are one annotation with iscrowd = 1.
    """
    seen = canvas.item_map()
    crowd = np.zeros(seen.shape, bool)
    records = []
    for index, item in enumerate(canvas.items):
        category = CATEGORY_IDS.get(item.label)
        if category is None:
            continue
        mask = seen == index
        if item.extra.get("crowd"):
            crowd |= mask
            continue
        if mask.sum() < max(MIN_AREA_PX, MIN_SEEN * item.mask.sum()):
            continue
        record = _record(mask, category, image_id, crowd=False)
        if category == 1:
            record |= _keypoints(item.extra["joints"], item.extra["self_visible"], mask)
        records.append(record)
    if crowd.sum() >= MIN_AREA_PX:
        record = _record(crowd, 1, image_id, crowd=True)
        records.append(record | {"keypoints": [0] * 51, "num_keypoints": 0})
    return records


def _record(mask: np.ndarray, category: int, image_id: int, *, crowd: bool) -> dict[str, Any]:
    segmentation, area, box = _segmentation(mask, crowd)
    return {
        "segmentation": segmentation,
        "area": float(area),
        "iscrowd": int(crowd),
        "image_id": image_id,
        "bbox": [float(value) for value in box],
        "category_id": category,
    }


def _keypoints(joints: np.ndarray, self_visible: np.ndarray, mask: np.ndarray) -> dict[str, Any]:
    """COCO's 51 numbers: v = 2 seen, 1 hidden inside the picture, 0 (with x = y = 0) outside of it."""
    height, width = mask.shape
    table = np.zeros((len(COCO_JOINTS), 3), int)
    for number, (x, y) in enumerate(np.rint(joints).astype(int).tolist()):
        if 0 <= x < width and 0 <= y < height:
            table[number] = (x, y, 2 if self_visible[number] and mask[y, x] else 1)
    return {"keypoints": [int(v) for v in table.ravel()], "num_keypoints": int((table[:, 2] > 0).sum())}


def _categories(pose: bool) -> list[dict[str, Any]]:
    if pose:
        joints = {"keypoints": list(COCO_JOINTS), "skeleton": SKELETON}
        return [{"supercategory": "person", "id": 1, "name": "person", **joints}]
    return [{"id": number, "name": name} for number, name in COCO_NAMES.items()]


def _document(images: list[dict[str, Any]], annotations: list[dict[str, Any]], *, pose: bool) -> dict[str, Any]:
    kept = []
    for annotation in annotations:
        if pose and annotation["category_id"] == 1:
            kept.append(annotation)
        elif not pose:
            kept.append({k: v for k, v in annotation.items() if k not in ("keypoints", "num_keypoints")})
    return {
        "info": {
            "description": "Embedded scenes, rendered; the layout of COCO 2017",
            "version": str(VERSION),
            "year": 2026,
        },
        "licenses": [_LICENSE],
        "images": images,
        "annotations": kept,
        "categories": _categories(pose),
    }


def write(root: Path, sizes: dict[str, int], seed: int) -> None:
    """Write the dataset below `root`.

    images/{train,val}2017/%012d.jpg, annotations/instances_{train,val}2017.json, and for the persons of the same pictures
    annotations/person_keypoints_{train,val}2017.json with the same ids.
    """
    root = Path(root)
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    for split, count in sizes.items():
        folder = root / "images" / f"{split}2017"
        folder.mkdir(parents=True, exist_ok=True)
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for index in range(count):
            rng = np.random.default_rng([seed, _STREAM, _SPLIT_IDS[split], index])
            canvas, picture = gathering(rng, *PICTURE_SIZES[rng.integers(len(PICTURE_SIZES))])
            image_id = FIRST_IDS[split] + index
            name = f"{image_id:012d}.jpg"
            if not cv2.imwrite(str(folder / name), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92]):
                raise OSError(f"Expected to write {folder / name} but cv2 could not; check disk space and rights")
            images.append(
                {"id": image_id, "file_name": name, "height": canvas.height, "width": canvas.width, "license": 1}
            )
            for place, record in enumerate(instance_records(canvas, image_id)):
                annotations.append({"id": image_id * 100 + place, **record})
        for kind, pose in (("instances", False), ("person_keypoints", True)):
            path = root / "annotations" / f"{kind}_{split}2017.json"
            path.write_text(json.dumps(_document(images, annotations, pose=pose)), encoding="utf-8")
