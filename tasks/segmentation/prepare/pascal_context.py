"""PASCAL Context: the masks of trainval_merged.json painted into pngs of 0 (background) to 59, with lists of their names."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from tasks.preparation import Preparation, Target, find, find_one
from tasks.segmentation.files.pascal_context import JSON, PNG_FOLDER
from tasks.segmentation.files.pascal_detail import DetailPhase

OFFICIAL = {"train": (4996, 4998), "val": (5104, 5105)}
"""What the json holds, and what the papers say."""
NUM_CATEGORIES = 60
VOC = "VOCdevkit/VOC2010"


def prepare(raw: Path, target: Target) -> None:
    """Writes SegmentationClassContext/*.png and ImageSets/SegmentationContext/{train,val}.txt; brings JPEGImages to its place.

    Raises:
        ValueError: no json, a broken one, or a png or list that says something else.
    """
    path = find_one(raw, (JSON,), "the PASCAL in Detail annotations")
    pictures = find(raw, ("JPEGImages",))
    ranks = np.arange(NUM_CATEGORIES, dtype=np.int16)
    for split, official in OFFICIAL.items():
        phase = DetailPhase(path, split)
        names = [Path(phase.name(index)).stem for index in range(len(phase.images))]
        written = sum(
            target.write(f"{VOC}/{PNG_FOLDER}/{name}.png", _png(phase.paint(index, ranks)), _same_pixels)
            for index, name in enumerate(names)
        )
        target.tell(
            f"{target.folder / VOC / PNG_FOLDER}: {written} label maps of {split} written, {len(names) - written} there"
        )
        listed = "".join(f"{name}\n" for name in names).encode()
        target.told_write(f"{VOC}/ImageSets/SegmentationContext/{split}.txt", listed, f"{len(names)} names")
        target.count(f"pictures of {split}", len(names), official)
        for note in phase.notes:
            target.tell(f"! {note}")
    target.place_pictures(pictures, f"{VOC}/JPEGImages", raw)


def _png(labels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(labels).save(out, "PNG", compress_level=6)
    return out.getvalue()


def _same_pixels(one: bytes, other: bytes) -> bool:
    try:
        held = [np.asarray(Image.open(io.BytesIO(content))) for content in (one, other)]
    except (OSError, SyntaxError, ValueError):
        return False
    return held[0].shape == held[1].shape and bool((held[0] == held[1]).all())


PASCAL_CONTEXT = Preparation(
    "segmentation",
    "pascal_context",
    "pascal_context",
    f"VOCtrainval_03-May-2010.tar (JPEGImages/) and {JSON} of PASCAL in Detail",
    prepare,
)
