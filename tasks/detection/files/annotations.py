"""COCO's instance annotations on disk, checked. Torch-free.

Layout below the dataset's folder: annotations/instances_<split>.json and <split>/ or images/<split>/. Where only
person_keypoints_<split>.json is there, it serves as a set with the one category person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.detection.files.categories import COCO_NAMES, label_of_category
from tasks.detection.files.records import check_annotation, check_categories, check_ids, check_images
from tasks.rle import decode


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

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of figures on this split must know."""
        left_out = f"{self.path.name}: {self.skipped} boxes of no area in their pictures are left out"
        return (*((self.fallback,) if self.fallback else ()), *((left_out,) if self.skipped else ()))

    def stated_sizes(self) -> dict[str, tuple[int, int]]:
        """Width and height (px) that the file states, by the picture's path."""
        return {name: self.size_hw(row)[::-1] for row, name in enumerate(self.files)}

    def size_hw(self, index: int) -> tuple[int, int]:
        return int(self.images[index]["height"]), int(self.images[index]["width"])

    def boxes(self, index: int, crowd: bool = False) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """(G, 4) boxes x, y, w, h and (G,) labels of a picture; crowds only if asked for."""
        kept = [a for a in self.annotations[index] if crowd or not a.get("iscrowd", 0)]
        boxes = np.array([a["bbox"] for a in kept], dtype=np.float32).reshape(-1, 4)
        return boxes, np.array([self.labels[a["category_id"]] for a in kept], dtype=np.int64)

    def learnable(self, index: int) -> NDArray[np.bool_]:
        """(G,) which of the boxes of :meth:`boxes` the reference trains on: sides of a pixel and more, an area, no ``ignore``."""
        kept = [a for a in self.annotations[index] if not a.get("iscrowd", 0)]
        return np.array(
            [min(a["bbox"][2:]) >= 1 and a.get("area", 1) > 0 and not a.get("ignore", 0) for a in kept], dtype=bool
        )

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
    categories = check_categories(data["categories"], path)
    images = check_images(data["images"], path)
    if not data["annotations"]:
        raise ValueError(
            f"{path}: expected annotations, got an empty list; without them nothing can be scored or learnt. "
            "Use a split with ground truth"
        )
    folder = image_folder(root, split)
    _require_pictures(root, folder, images, path)
    check_ids(data["annotations"], path)
    by_image: dict[Any, list[dict[str, Any]]] = {name: [] for name in images}
    skipped = 0
    for annotation in data["annotations"]:
        usable = check_annotation(annotation, images, categories, path, degenerate)
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
    except (ValueError, RecursionError) as error:
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
    from tasks.detection.files.categories import COCO_IDS

    return COCO_NAMES[COCO_IDS[label - 1]] if 1 <= label <= len(COCO_IDS) else str(label)
