"""COCO's instance annotations on disk, checked. Torch-free.

Layout below the dataset's folder: annotations/instances_<split>.json and <split>/ or images/<split>/. Where only
person_keypoints_<split>.json is there, it serves as a set with the one category person.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.detection.categories import COCO_NAMES, label_of_category
from tasks.detection.runs import decode

OUTSIDE_PX = 2.0
"""Boxes may leave the picture by this much; COCO's own do, by rounding."""


@dataclass(frozen=True)
class Instances:
    """A split: pictures in the file's order, and their usable annotations.

    Attributes:
        path: the annotation file. data: its content, for pycocotools. fallback: why another file than instances_* was read.
        images: entries {id, file_name, width, height}; files: paths relative to the dataset's folder.
        annotations: per picture, those with a usable box, crowds included.
        labels: category id -> label from 1; categories: id -> name.
        skipped: annotations left out because their box has no area.
    """

    root: Path
    path: Path
    data: dict[str, Any]
    fallback: str | None
    images: tuple[dict[str, Any], ...]
    files: tuple[str, ...]
    annotations: tuple[tuple[dict[str, Any], ...], ...]
    labels: dict[int, int]
    categories: dict[int, str]
    skipped: int

    def __len__(self) -> int:
        return len(self.images)

    def size_hw(self, index: int) -> tuple[int, int]:
        return int(self.images[index]["height"]), int(self.images[index]["width"])

    def boxes(self, index: int, crowd: bool = False) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """(G, 4) boxes x, y, w, h and (G,) labels of a picture; crowds only if asked for."""
        kept = [a for a in self.annotations[index] if crowd or not a.get("iscrowd", 0)]
        boxes = np.array([a["bbox"] for a in kept], dtype=np.float32).reshape(-1, 4)
        return boxes, np.array([self.labels[a["category_id"]] for a in kept], dtype=np.int64)

    def masks(self, index: int, crowd: bool = False) -> NDArray[np.bool_]:
        """(G, H, W) masks in the order of :meth:`boxes`."""
        height, width = self.size_hw(index)
        kept = [a for a in self.annotations[index] if crowd or not a.get("iscrowd", 0)]
        masks = np.zeros((len(kept), height, width), dtype=bool)
        for row, annotation in enumerate(kept):
            masks[row] = decode_segmentation(annotation, height, width)
        return masks


def annotation_path(root: Path, split: str) -> tuple[Path, str | None]:
    """The split's annotation file, and why it is not instances_<split>.json where it is another."""
    wanted = root / "annotations" / f"instances_{split}.json"
    persons = root / "annotations" / f"person_keypoints_{split}.json"
    if not wanted.exists() and persons.exists():
        return persons, f"{wanted.name} is missing: {persons.name} serves as a person-only set"
    return wanted, None


def image_folder(root: Path, split: str) -> str:
    """The pictures' folder relative to ``root``: <split> or images/<split>."""
    return f"images/{split}" if (root / "images" / split).is_dir() else split


def read_instances(root: Path, split: str, degenerate: Literal["error", "skip"] = "error") -> Instances:
    """Reads and checks a split.

    Args:
        degenerate: what becomes of boxes outside their picture or of no area: an error, or clipped and left out (counted).

    Raises:
        ValueError: the file, a folder or a picture is missing; a record is unusable. The text names file, record and fix.
    """
    path, fallback = annotation_path(root, split)
    data = _read(path)
    categories = {int(c["id"]): str(c.get("name", c["id"])) for c in data["categories"]}
    images = {}
    for row, entry in enumerate(data["images"]):
        missing = [key for key in ("id", "file_name", "width", "height") if not entry.get(key) and entry.get(key) != 0]
        if missing:
            raise ValueError(
                f"{path}, images[{row}] (id {entry.get('id')}): expected the field {missing[0]!r} but it is missing or empty; "
                "correct the entry or fetch the file again"
            )
        images[entry["id"]] = entry
    if not images:
        raise ValueError(f"{path}: expected pictures under 'images', got an empty list; fetch the file again")
    if not data["annotations"]:
        raise ValueError(
            f"{path}: expected annotations, got an empty list; without them nothing can be scored or learnt. "
            "Use a split with ground truth"
        )
    folder = image_folder(root, split)
    _require_pictures(root, folder, images, path)
    by_image: dict[Any, list[dict[str, Any]]] = {name: [] for name in images}
    skipped = 0
    for annotation in data["annotations"]:
        usable = _checked(annotation, images, categories, path, degenerate)
        if usable is None:
            skipped += 1
        else:
            by_image[annotation["image_id"]].append(usable)
    return Instances(
        root,
        path,
        data,
        fallback,
        tuple(images.values()),
        tuple(f"{folder}/{entry['file_name']}" for entry in images.values()),
        tuple(tuple(entries) for entries in by_image.values()),
        label_of_category(sorted(categories)),
        categories,
        skipped,
    )


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise ValueError(
            f"Expected COCO annotations at {path} but there is no such file; unpack annotations_trainval2017.zip into the "
            "dataset's folder, or check --data-root"
        )
    try:
        data = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON, got {error}; fetch the file again") from None
    for key in ("images", "annotations", "categories"):
        if not isinstance(data, dict) or not isinstance(data.get(key), list):
            raise ValueError(f"{path}: expected COCO's form with a list {key!r}, got none; is this an instances file?")
    return data


def _require_pictures(root: Path, folder: str, images: Mapping[Any, Mapping[str, Any]], path: Path) -> None:
    if not (root / folder).is_dir():
        raise ValueError(
            f"Expected the pictures of {path.name} in {root / folder} but there is no such folder; unpack them there, "
            f"or into {root / 'images'}"
        )
    for entry in images.values():
        # What leaves the folder is refused when it is read (tasks.images.inside).
        if not (root / folder / str(entry["file_name"])).exists():
            missing = sum(not (root / folder / str(e["file_name"])).exists() for e in images.values())
            raise ValueError(
                f"{path}, image {entry['id']}: expected the picture {root / folder / str(entry['file_name'])} but there is no "
                f"such file ({missing} of {len(images)} are missing); complete the download"
            )


def _checked(
    annotation: Mapping[str, Any],
    images: Mapping[Any, Mapping[str, Any]],
    categories: Mapping[int, str],
    path: Path,
    degenerate: str,
) -> dict[str, Any] | None:
    where = f"{path}, annotation {annotation.get('id')}"
    if annotation.get("image_id") not in images:
        raise ValueError(
            f"{where}: expected the id of a listed picture, got {annotation.get('image_id')!r}; fetch the file again"
        )
    if annotation.get("category_id") not in categories:
        listed = ", ".join(f"{k} {v}" for k, v in list(categories.items())[:10])
        raise ValueError(
            f"{where}: expected a listed category, got category_id {annotation.get('category_id')!r} (listed: {listed}"
            f"{', ...' if len(categories) > 10 else ''}); correct it or add the category"
        )
    box = annotation.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(_finite(v) for v in box):
        raise ValueError(f"{where}: expected bbox as four numbers x, y, width, height, got {box!r}; correct it")
    x, y, width, height = (float(v) for v in box)
    image = images[annotation["image_id"]]
    size = f"{image['width']}x{image['height']}"
    if width <= 0 or height <= 0:
        if degenerate == "skip":
            return None
        raise ValueError(
            f"{where}: expected a box with an area, got width {width:g} and height {height:g} in {box}; correct or remove it, "
            "or leave such boxes out with degenerate_boxes=skip"
        )
    right, bottom = x + width, y + height
    over = max(-x, -y, right - image["width"], bottom - image["height"])
    if over > OUTSIDE_PX:
        if degenerate == "error":
            raise ValueError(
                f"{where}: expected a box inside its picture of {size} pixels, got {box}, which leaves it by {over:g} px; "
                "correct or remove it, or clip such boxes with degenerate_boxes=skip"
            )
        x1, y1 = min(max(x, 0.0), image["width"]), min(max(y, 0.0), image["height"])
        right, bottom = min(right, float(image["width"])), min(bottom, float(image["height"]))
        if right - x1 <= 0 or bottom - y1 <= 0:
            return None
        return {**annotation, "bbox": [x1, y1, right - x1, bottom - y1]}
    return dict(annotation)


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def decode_segmentation(annotation: Mapping[str, Any], height: int, width: int) -> NDArray[np.bool_]:
    """(H, W) mask of polygons, run lengths or compressed run lengths; the whole box where there is no segmentation."""
    shape = annotation.get("segmentation")
    if shape:
        return decode(shape, height, width)
    x, y, w, h = annotation["bbox"]
    mask = np.zeros((height, width), dtype=bool)
    mask[max(0, round(y)) : round(y + h), max(0, round(x)) : round(x + w)] = True
    return mask


def category_name(label: int, labels: Mapping[int, int], categories: Mapping[int, str]) -> str:
    """The name of a label; the official one for a category that the file does not list."""
    for number, rank in labels.items():
        if rank == label:
            return categories[number]
    from tasks.detection.categories import COCO_IDS

    return COCO_NAMES[COCO_IDS[label - 1]] if 1 <= label <= len(COCO_IDS) else str(label)
