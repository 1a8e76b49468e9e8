"""ADE20K scene parsing: 150 classes, as the HRNet-OCR branch measures it. Torch-free."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tasks.base import DatasetInfo
from tasks.recipe import Recipe
from tasks.segmentation.crops.augment import SegmentationAugment
from tasks.segmentation.entries.entry import Entry
from tasks.segmentation.files.ade20k_classes import ADE20K
from tasks.segmentation.files.layouts import Layout
from tasks.segmentation.protocol import SegmentationProtocol
from tasks.segmentation.recipes import OCR_SOURCE, reference

SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
FOLDERS = {"train": "training", "val": "validation"}


def _open(root: Path, split: str, protocol: SegmentationProtocol, pictures: bool) -> Layout:
    from tasks.segmentation.files.label_maps import LabelFolders

    name = FOLDERS[split]
    hint = f"unpack ADEChallengeData2016.zip so that images/ and annotations/ lie in {root}"
    return LabelFolders(root, f"images/{name}", f"annotations/{name}", ADE20K, "ADE20K", hint, pictures)


def protocol_of_windows(num_classes: int) -> SegmentationProtocol:
    """Pictures of a short side of 520, windows of 520, seven scales with flip: the OCR branch's, of the plain network too."""
    return SegmentationProtocol(
        num_classes,
        "windows",
        (520, 520),
        base_px=520,
        first_short_px=520,
        pad_multiple=8,
        scales=SCALES,
        flip=True,
    )


def windows_recipe(model: str, name: str) -> Recipe:
    """What the OCR branch's trainings on short sides of 520 have in common: batches of 16, hard pixels, crop 520."""
    made = reference(model, name, SegmentationAugment((520, 520), 520, first_short_px=520))
    return replace(made, batch_size=16, weight_decay=1e-4, loss="ohem", source=OCR_SOURCE)


def recipe(model: str) -> Recipe:
    """HRNetV2 on ADE20K: 120 epochs at 0.02.

    Expected: val mIoU 43.1 (W48), 44.5 with OCR, single scale; 44.2 and 45.5 with seven scales and flip (the branch's page).
    Cost: about two days on four V100.

        python run_all.py train --task segmentation --dataset ade20k --model hrnet_w48_ocr --data-root D --weights W
    """
    return replace(windows_recipe(model, "seg-ade20k"), epochs=120, lr=0.02)


ENTRY = Entry(
    DatasetInfo("ade20k", "ADE20K", "ade20k", len(ADE20K), "train", "val", ("train", "val"), "mIoU", (520, 520)),
    (ADE20K,),
    _open,
    lambda ocr: protocol_of_windows(len(ADE20K)),
    {"view": "whole", "crop_hw": (128, 128), "base_px": 128, "first_short_px": 0, "pad_multiple": 1, "scales": (1.0,)},
    recipe,
    (7, SegmentationAugment((96, 96), 128, scale_min=0.8, scale_steps=4)),
    multi_scale=SCALES,
)
