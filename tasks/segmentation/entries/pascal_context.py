"""PASCAL Context: 59 classes, or 60 with the background. See docs/protocols.md, section 7."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tasks.base import DatasetInfo
from tasks.recipe import Recipe
from tasks.segmentation.crops.augment import SegmentationAugment
from tasks.segmentation.entries.entry import Entry
from tasks.segmentation.files.class_tables.pascal_context import PASCAL_59, PASCAL_60
from tasks.segmentation.files.layouts import Layout
from tasks.segmentation.protocol import SegmentationProtocol
from tasks.segmentation.recipes import OCR_SOURCE, check_recipe, reference

SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)


def _open(root: Path, split: str, protocol: SegmentationProtocol, pictures: bool) -> Layout:
    from tasks.segmentation.files.pascal_context import PascalContext

    if split == "testval" and protocol.score_at != "original":
        raise ValueError(
            "Expected score_at=original with the split 'testval': it is the benchmark at the pictures' own size. "
            "Use --split val for the reference's quick figure on squashed pictures."
        )
    return PascalContext(root, split, protocol.num_classes, protocol.labels, pictures)


def _protocol(ocr: bool) -> SegmentationProtocol:
    """Seven scales with flip, windows of 480 (54.1 with 59 classes); the OCR branch: windows of 520, of pictures that were
    first brought to a short side of 520."""
    crop_hw = (520, 520) if ocr else (480, 480)
    made = SegmentationProtocol(len(PASCAL_59), "windows", crop_hw, base_px=520, scales=SCALES, flip=True)
    return replace(made, first_short_px=520, pad_multiple=8) if ocr else made


def recipe(model: str) -> Recipe:
    """HRNetV2 on PASCAL Context: 200 epochs, crop 480.

    Expected: mIoU 54.1 (59 classes) and 48.3 (60) with seven scales and flip (W48); 52.3 and 47.0 single scale. Cost: half a
    day on four V100; a batch of 16 in all.

        python run_all.py train --task segmentation --dataset pascal_context --model hrnet_w48 --data-root D --weights W
    """
    return replace(
        reference(model, "seg-pascal-context", SegmentationAugment((480, 480), 520)),
        epochs=200,
        batch_size=16,
        lr=0.004,
        weight_decay=1e-4,
        loss="cross_entropy",
    )


def ocr_branch(recipe: Recipe) -> Recipe:
    """PASCAL Context as the OCR branch's files train it, the plain HRNetV2 too: short side 520, crop 520, head ten times as fast.

        python run_all.py train --task segmentation --dataset pascal_context --model hrnet_w48 --data-root D --weights W \\
            --set recipe.variant=ocr_branch model.bn_momentum=0.1 \\
            --protocol first_short_px=520 pad_multiple=8 crop_hw=520,520
    """
    check_recipe(recipe, "seg-pascal-context", "ocr_branch")
    return replace(
        recipe,
        name=f"{recipe.name}-520",
        lr=0.001,
        head_lr_factor=10.0,
        augment=SegmentationAugment((520, 520), 520, first_short_px=520),
        input_wh=(520, 520),
        source=OCR_SOURCE,
    )


ENTRY = Entry(
    DatasetInfo(
        "pascal_context",
        "PASCAL Context",
        "pascal_context",
        len(PASCAL_59),
        "train",
        "val",
        ("train", "val", "testval"),
        "mIoU",
        (480, 480),
        "pascal_context",
    ),
    (PASCAL_59, PASCAL_60),
    _open,
    _protocol,
    {
        "crop_hw": (128, 128),
        "base_px": 128,
        "first_short_px": 0,
        "pad_multiple": 1,
        "scales": (1.0,),
        "flip": False,
    },
    recipe,
    (4, SegmentationAugment((96, 96), 128, scale_min=0.8, scale_steps=4)),
    ocr_recipe=ocr_branch,
    mmseg=(256, 16),
    multi_scale=SCALES,
    variants={"ocr_branch": ocr_branch},
)
