"""A small COCO set of drawn shapes for the tests: balls, screens and pizza slices on noise, with polygons and a crowd."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tasks.files.rle import decode

CATEGORIES = [{"id": 37, "name": "sports ball"}, {"id": 59, "name": "pizza"}, {"id": 72, "name": "tv"}]


def write(root: Path, split: str, count: int, seed: int = 0, crowd: bool = True, standing: bool = True) -> Path:
    """Writes annotations/instances_<split>.json and <split>/*.png below ``root``; returns the annotation file."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    (root / split).mkdir(parents=True, exist_ok=True)
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        width, height = (96, 128) if standing and index % 3 == 2 else (128, 96)
        picture = rng.integers(60, 120, (height, width, 3), dtype=np.uint8)
        name = f"{index + 1:06d}.png"
        images.append({"id": index + 1, "file_name": name, "width": width, "height": height})
        for _ in range(int(rng.integers(1, 4))):
            annotations.append(_shape(rng, picture, index + 1, len(annotations) + 1))
        if crowd and index == 0:
            annotations.append({**annotations[-1], "id": len(annotations) + 1, "iscrowd": 1})
            annotations[-1]["segmentation"] = _run_lengths(annotations[-2], height, width)
        cv2.imwrite(str(root / split / name), picture)
    path = root / "annotations" / f"instances_{split}.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": CATEGORIES}))
    return path


def _shape(rng: np.random.Generator, picture: np.ndarray, image: int, number: int) -> dict[str, Any]:
    height, width = picture.shape[:2]
    size = int(rng.integers(18, 48))
    x, y = int(rng.integers(0, width - size - 1)), int(rng.integers(0, height - size - 1))
    kind = int(rng.integers(3))
    if kind == 0:
        turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        points = np.stack([x + size / 2 + size / 2 * np.cos(turn), y + size / 2 + size / 2 * np.sin(turn)], 1)
    elif kind == 1:
        points = np.array([[x + size / 2, y], [x + size, y + size], [x, y + size]], dtype=float)
    else:
        points = np.array([[x, y], [x + size, y], [x + size, y + size * 0.6], [x, y + size * 0.6]])
    colour = [(60, 200, 250), (60, 60, 240), (240, 200, 60)][kind]
    cv2.fillPoly(picture, [np.round(points).astype(np.int32)], colour)
    low, high = points.min(0), points.max(0)
    area = 0.5 * abs(np.dot(points[:, 0], np.roll(points[:, 1], 1)) - np.dot(points[:, 1], np.roll(points[:, 0], 1)))
    return {
        "id": number,
        "image_id": image,
        "category_id": CATEGORIES[kind]["id"],
        "bbox": [float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])],
        "area": float(area),
        "iscrowd": 0,
        "segmentation": [points.reshape(-1).tolist()],
    }


def _run_lengths(annotation: dict[str, Any], height: int, width: int) -> dict[str, Any]:
    mask = decode(annotation["segmentation"], height, width).astype(np.uint8).reshape(-1, order="F")
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask, [1 - mask[-1]]])))
    return {"size": [height, width], "counts": np.diff(np.concatenate([[0], edges])).tolist()}
