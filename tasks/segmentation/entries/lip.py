"""LIP: 20 classes of clothes and parts of single persons. See docs/protocols.md, section 8."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tasks.base import DatasetInfo
from tasks.recipe import Recipe
from tasks.segmentation.crops.augment import SegmentationAugment
from tasks.segmentation.entries.entry import Entry
from tasks.segmentation.files.class_tables.lip import LIP
from tasks.segmentation.files.layouts import Layout
from tasks.segmentation.protocol import SegmentationProtocol
from tasks.segmentation.recipes import reference


def _open(root: Path, split: str, protocol: SegmentationProtocol, pictures: bool) -> Layout:
    from tasks.segmentation.files.lip import Lip

    return Lip(root, split, pictures)


def _protocol(ocr: bool) -> SegmentationProtocol:
    """Squashed to 473, flip (55.8)."""
    return SegmentationProtocol(num_classes=len(LIP), view="square", crop_hw=(473, 473), flip=True)


def recipe(model: str) -> Recipe:
    """HRNetV2 on LIP: 150 epochs, pictures squashed to 473x473, mirrored with left and right swapped.

    Expected: mIoU 55.8 to 56.0 with flip (W48). Cost: a day on four V100; a batch of 40 in all.

        python run_all.py train --task segmentation --dataset lip --model hrnet_w48 --data-root D --weights W
    """
    return replace(
        reference(model, "seg-lip", SegmentationAugment((473, 473), 473, scale_steps=11, squash=True)),
        epochs=150,
        batch_size=40,
        lr=0.007,
        loss="cross_entropy",
    )


ENTRY = Entry(
    DatasetInfo(
        "lip", "LIP", "lip", len(LIP), "train", "val", ("train", "val", "testval", "test"), "mIoU", (473, 473), "lip"
    ),
    (LIP,),
    _open,
    _protocol,
    {"crop_hw": (96, 96)},
    recipe,
    (6, SegmentationAugment((96, 96), 96, scale_min=1.0, scale_steps=0, squash=True)),
    ohem_crops=10,
)
