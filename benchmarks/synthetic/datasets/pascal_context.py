"""Writes embedded scenes in the layouts of PASCAL Context: the "PASCAL in Detail" json and the lists of label pngs.

Rooms, landscapes and streets with the 59 classes; what has no class among them is background. Both forms hold the same
label map. Category ids: docs/protocols.md section 7.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from benchmarks.synthetic.raster.canvas import Canvas
from benchmarks.synthetic.scenes.indoor import indoor
from benchmarks.synthetic.scenes.outdoor import outdoor
from benchmarks.synthetic.scenes.streets.street import street

VERSION = 1
SIZES = {
    "smoke": {"train": 12, "val": 6},
    "embedded": {"train": 480, "val": 100},
}
DETAIL_IDS = {
    "background": 0, "aeroplane": 2, "bag": 9, "bed": 18, "bedclothes": 19, "bench": 22, "bicycle": 23, "bird": 25, "boat": 31,
    "book": 33, "bottle": 34, "building": 44, "bus": 45, "cabinet": 46, "car": 59, "cat": 65, "ceiling": 68, "chair": 72,
    "cloth": 80, "computer": 85, "cow": 98, "cup": 104, "curtain": 105, "dog": 113, "door": 115, "fence": 144, "floor": 158,
    "flower": 159, "food": 162, "grass": 187, "ground": 189, "horse": 207, "keyboard": 220, "light": 232, "motorbike": 258,
    "mountain": 259, "mouse": 260, "person": 284, "plate": 295, "platform": 296, "pottedplant": 308, "road": 324, "rock": 326,
    "sheep": 347, "shelves": 349, "sidewalk": 354, "sign": 355, "sky": 360, "snow": 366, "sofa": 368, "table": 397, "track": 415,
    "train": 416, "tree": 420, "truck": 424, "tvmonitor": 427, "wall": 440, "water": 445, "window": 454, "wood": 458,
}  # fmt: skip
"""Class name -> category id of PASCAL in Detail; a class's index (0 background to 59) is the rank of its id."""
ALIASES = {
    "vegetation": "tree", "terrain": "grass", "traffic sign": "sign", "traffic light": "light", "rider": "person",
    "motorcycle": "motorbike", "rail track": "track", "parking": "road",
}  # fmt: skip
"""What the street painters call things that have another name here."""
_RANKS = {name: rank for rank, name in enumerate(DETAIL_IDS)}
_SPLITS = {"train": (0, 2008), "val": (1, 2009)}
_VOC = "VOCdevkit/VOC2010"
_PNG_FOLDER = "SegmentationClassContext"


def scene(rng: np.random.Generator) -> tuple[Canvas, np.ndarray]:
    """Draw a room, a landscape or a street of varied size: the canvas and the RGB picture."""
    long, short = int(rng.integers(184, 233)), int(rng.integers(136, 169))
    size_wh = (long, short) if rng.random() < 0.8 else (short + 8, long - 8)
    draw = rng.random()
    if draw < 0.44:
        return indoor(rng, *size_wh)
    if draw < 0.84:
        return outdoor(rng, *size_wh)
    return street(rng, *size_wh, ego=False)


def label_map(canvas: Canvas) -> np.ndarray:
    """Return the class index of each pixel, (H, W) uint8, 0 (background) to 59."""
    names = [ALIASES.get(item.label, item.label) for item in canvas.items]
    table = np.array([_RANKS.get(name, 0) for name in names] + [0], np.uint8)
    result: np.ndarray = table[canvas.item_map()]
    return result


def detail_records(canvas: Canvas, image_id: int) -> list[dict[str, Any]]:
    """Return one record per thing that is seen: its visible mask as compressed RLE, box [x, y, w, h] and area in pixels."""
    seen = canvas.item_map()
    records = []
    for index, item in enumerate(canvas.items):
        category = DETAIL_IDS.get(ALIASES.get(item.label, item.label), 0)
        x0, y0, x1, y1 = item.box_xyxy
        if not category or not (seen[y0:y1, x0:x1] == index).any():
            continue
        rle = coco_mask.encode(np.asfortranarray((seen == index).astype(np.uint8)))
        records.append(
            {
                "image_id": image_id,
                "category_id": category,
                "segmentation": {"size": [int(n) for n in rle["size"]], "counts": rle["counts"].decode("ascii")},
                "bbox": coco_mask.toBbox(rle).tolist(),
                "area": int(coco_mask.area(rle)),
                "iscrowd": 0,
            }
        )
    return records


def _write_picture(path: Path, array: np.ndarray, options: list[int]) -> None:
    if not cv2.imwrite(str(path), array, options):
        raise OSError(f"Expected to write {path} but cv2 could not; check the disk space and the rights of the folder")


def write(root: Path, sizes: dict[str, int], seed: int) -> None:
    """Write the dataset below `root`.

    VOCdevkit/VOC2010 gets JPEGImages/*.jpg, trainval_merged.json and the pngs; list/pascal_ctx/{train,val,testval}.lst hold
    "picture label" relative to `root` ("testval" is the reference's name for val at the original size).
    """
    root = Path(root)
    voc = root / _VOC
    for folder in (voc / "JPEGImages", voc / _PNG_FOLDER, root / "list" / "pascal_ctx"):
        folder.mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    lines: dict[str, list[str]] = {split: [] for split in _SPLITS}
    for split, count in sizes.items():
        split_id, year = _SPLITS[split]
        for index in range(count):
            rng = np.random.default_rng([seed, 100 + split_id, index])
            canvas, picture = scene(rng)
            name, image_id = f"{year}_{index:06d}", year * 1_000_000 + index
            _write_picture(voc / "JPEGImages" / f"{name}.jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
            _write_picture(voc / _PNG_FOLDER / f"{name}.png", label_map(canvas), [cv2.IMWRITE_PNG_COMPRESSION, 1])
            images.append(
                {
                    "image_id": image_id,
                    "file_name": f"{name}.jpg",
                    "height": canvas.height,
                    "width": canvas.width,
                    "phase": split,
                }
            )
            for record in detail_records(canvas, image_id):
                records.append({"id": len(records) + 1, **record})
            lines[split].append(f"{_VOC}/JPEGImages/{name}.jpg {_VOC}/{_PNG_FOLDER}/{name}.png")
    categories = [{"category_id": number, "name": name} for name, number in DETAIL_IDS.items() if number]
    content = {
        "info": {"description": "embedded scenes in the form of PASCAL in Detail", "version": VERSION},
        "images": images,
        "annos_segmentation": records,
        "annos_occlusion": [],
        "annos_boundary": [],
        "categories": categories,
        "parts": [],
    }
    (voc / "trainval_merged.json").write_text(json.dumps(content), encoding="utf-8")
    for name, rows in {**lines, "testval": lines["val"]}.items():
        (root / "list" / "pascal_ctx" / f"{name}.lst").write_text("".join(row + "\n" for row in rows), encoding="utf-8")
