"""Cityscapes, fine annotations: 19 classes. See docs/protocols.md, section 6."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tasks.base import DatasetInfo
from tasks.recipe import Recipe
from tasks.segmentation.crops.augment import SegmentationAugment
from tasks.segmentation.entries.entry import Entry
from tasks.segmentation.files.class_tables.cityscapes import CITYSCAPES, CITYSCAPES_WEIGHTS
from tasks.segmentation.files.layouts import Layout
from tasks.segmentation.protocol import SegmentationProtocol
from tasks.segmentation.recipes import check_recipe, reference

FRAME_PARTS = 3
"""Parts of a file's name (city, sequence, frame) by which the benchmark's own tool finds a prediction."""


def _open(root: Path, split: str, protocol: SegmentationProtocol, pictures: bool) -> Layout:
    from tasks.segmentation.files.cityscapes import Cityscapes

    return Cityscapes(root, split, pictures)


def _protocol(ocr: bool) -> SegmentationProtocol:
    """Single scale, whole picture (val 81.1 with W48)."""
    return SegmentationProtocol(num_classes=len(CITYSCAPES), view="tiles", crop_hw=(1024, 2048))


def recipe(model: str) -> Recipe:
    """HRNetV2 on Cityscapes fine, trained on train alone.

    Expected: val mIoU 81.1 (W48), 76.2 (W18-small-v2), 70.3 (W18-small-v1), single scale, no flip, as the repository states.
    With ``--set recipe.loss=weighted_ohem`` 81.2 to 81.6. Cost: about a day on four V100. The batch of 12 is of all processes
    together, whatever their number; the rate belongs to it.

        python run_all.py train --task segmentation --dataset cityscapes --model hrnet_w48 --data-root D --weights W
    """
    return reference(model, "seg-cityscapes", SegmentationAugment((512, 1024), 2048))


def trainval(recipe: Recipe) -> Recipe:
    """The second phase of Cityscapes' published test figures: 484 epochs more, on train and val, from the first phase's network.

    The rate starts at 0.001 and its decay anew ("epoch484x2"). Expected: test mIoU 81.5 (81.9 with hard examples) with six
    scales and flip (W48).

        python run_all.py train --task segmentation --dataset cityscapes --model hrnet_w48 --data-root D \\
            --train-split trainval --init FIRST.pt --set recipe.variant=trainval
    """
    check_recipe(recipe, "seg-cityscapes", "trainval")
    return replace(recipe, name=f"{recipe.name}-trainval", lr=0.001, init_part="all")


ENTRY = Entry(
    DatasetInfo(
        "cityscapes",
        "Cityscapes",
        "cityscapes",
        len(CITYSCAPES),
        "train",
        "val",
        ("train", "val", "trainval", "test"),
        "mIoU",
        (1024, 2048),
        "cityscapes",
    ),
    (CITYSCAPES,),
    _open,
    _protocol,
    {"crop_hw": (128, 256)},
    recipe,
    (7, SegmentationAugment((96, 192), scale_min=0.8, scale_steps=4)),
    mmseg=(215, 8),
    class_weights=CITYSCAPES_WEIGHTS,
    ohem_crops=3,
    multi_scale=(0.5, 0.75, 1.0, 1.25, 1.5, 1.75),
    map_key=lambda stem: "_".join(stem.split("_")[:FRAME_PARTS]),
    variants={"trainval": trainval},
)
