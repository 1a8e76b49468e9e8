"""COCO-Stuff 10k: 171 classes, as the HRNet-OCR branch measures it. Torch-free."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tasks.base import DatasetInfo
from tasks.recipe import Recipe
from tasks.segmentation.crops.augment import SegmentationAugment
from tasks.segmentation.entries.ade20k import SCALES, protocol_of_windows, windows_recipe
from tasks.segmentation.entries.entry import Entry
from tasks.segmentation.files.coco_stuff_classes import COCO_STUFF
from tasks.segmentation.files.layouts import Layout
from tasks.segmentation.protocol import SegmentationProtocol

FOLDERS = {"train": "train", "test": "val"}
"""Split -> the folder that the branch's lists name; its 1000 test pictures lie in val."""


def _open(root: Path, split: str, protocol: SegmentationProtocol, pictures: bool) -> Layout:
    from tasks.segmentation.files.label_maps import LabelFolders

    name = FOLDERS[split]
    hint = f"bring COCO-Stuff 10k to {root} as the OCR branch reads it: {name}/image/*.jpg, {name}/label/*.png (ids 0 .. 182)"
    return LabelFolders(root, f"{name}/image", f"{name}/label", COCO_STUFF, "COCO-Stuff", hint, pictures)


def recipe(model: str) -> Recipe:
    """HRNetV2 on COCO-Stuff 10k: 110 epochs at 0.001.

    Expected: test mIoU 36.2 (W48), 39.7 with OCR, single scale; 37.9 and 40.6 with seven scales and flip (the branch's page).
    Cost: about a day on four V100.

        python run_all.py train --task segmentation --dataset coco_stuff --model hrnet_w48_ocr --data-root D --weights W
    """
    return replace(windows_recipe(model, "seg-coco-stuff"), epochs=110, lr=0.001)


ENTRY = Entry(
    DatasetInfo(
        "coco_stuff",
        "COCO-Stuff 10k",
        "coco_stuff",
        len(COCO_STUFF),
        "train",
        "test",
        ("train", "test"),
        "mIoU",
        (520, 520),
    ),
    (COCO_STUFF,),
    _open,
    lambda ocr: protocol_of_windows(len(COCO_STUFF)),
    {"view": "whole", "crop_hw": (128, 128), "base_px": 128, "first_short_px": 0, "pad_multiple": 1, "scales": (1.0,)},
    recipe,
    (7, SegmentationAugment((96, 96), 128, scale_min=0.8, scale_steps=4)),
    multi_scale=SCALES,
)
