"""Maps of the classes of all pixels, which hybrid task cascade learns from beside boxes and masks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.detection.files.annotations import Instances
from tasks.detection.files.categories import COCO_IDS

SOURCES = ("stuffthingmaps", "things")
"""COCO's stuff and thing maps (``stuffthingmaps/<split>/<picture>.png``), or objects' masks painted by us."""
ELSEWHERE = 182
"""Class of what no object covers in painted maps; no pixel of COCO's own maps has it."""


def check_source(source: str) -> None:
    """Raises ValueError unless maps can be read from ``source``."""
    if source not in SOURCES:
        raise ValueError(f"Expected recipe.extra.semantic to be one of {', '.join(SOURCES)}, got {source!r}.")


def semantic_map(instances: Instances, row: int, source: str) -> NDArray[np.uint8]:
    """(H, W) uint8 classes of a picture's pixels: COCO's category id - 1, 255 unlabelled.

    Raises:
        ValueError: the map is missing, no picture, or of another size than the annotations state.
    """
    if source == "things":
        return _painted(instances, row)
    path = map_path(instances, row)
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.is_file() else None
    if found is None or found.ndim != 2:
        raise ValueError(
            f"Expected COCO's stuff and thing map at {path}, found {'no grey picture' if path.is_file() else 'no file'}; unpack "
            "stuffthingmaps_trainval2017.zip there, or set recipe.extra.semantic=things"
        )
    if found.shape != instances.size_hw(row):
        raise ValueError(f"{path}: expected {instances.size_hw(row)} pixels (height, width), got {found.shape}")
    return np.asarray(found, dtype=np.uint8)


def map_path(instances: Instances, row: int) -> Path:
    """Where a picture's map belongs."""
    picture = Path(instances.files[row])
    return instances.root / "stuffthingmaps" / picture.parent.name / f"{picture.stem}.png"


def _painted(instances: Instances, row: int) -> NDArray[np.uint8]:
    """Objects' masks, the largest first, under the class of their label's category."""
    canvas = np.full(instances.size_hw(row), ELSEWHERE, dtype=np.uint8)
    _, labels = instances.boxes(row)
    masks = instances.masks(row)
    for index in np.argsort([-int(mask.sum()) for mask in masks], kind="stable"):
        label = int(labels[index])
        canvas[masks[index]] = COCO_IDS[label - 1] - 1 if label <= len(COCO_IDS) else min(label - 1, ELSEWHERE - 1)
    return canvas
