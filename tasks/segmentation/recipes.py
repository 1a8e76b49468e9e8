"""What the recipes of several datasets have in common; the rest stands in each one's entry."""

from __future__ import annotations

from dataclasses import replace

from hrnet.variants import RELEASED
from tasks.recipe import Recipe
from tasks.segmentation.crops.augment import SegmentationAugment

OCR_SUFFIX = "_ocr"
SEG = "HRNet/HRNet-Semantic-Segmentation, experiments"
OCR_SOURCE = f"{SEG} (branch HRNet-OCR)"
SMALL_FILES = {f"hrnet_w18_small_{version}": f"hrnet_w18_small_model_{version}.pth" for version in ("v1", "v2")}


def _init(model: str) -> str | None:
    """The classification weights that the reference's files name; other bodies start from nothing unless told."""
    body = model.removesuffix(OCR_SUFFIX)
    if body in SMALL_FILES:
        return SMALL_FILES[body]
    return f"hrnetv2_{body.removeprefix('hrnet_')}_imagenet_pretrained.pth" if body in RELEASED else None


def reference(model: str, name: str, augment: SegmentationAugment) -> Recipe:
    """What the SEG repository's trainings have in common: SGD with "poly" decay and batch statistics over all processes.

    Length, batch and rate are Cityscapes'; the other datasets' entries change them.
    """
    return Recipe(
        name=name,
        epochs=484,
        batch_size=12,
        lr=0.01,
        optimizer="sgd",
        momentum=0.9,
        weight_decay=5e-4,
        schedule="poly",
        power=0.9,
        batch_norm="sync",
        loss="weighted_cross_entropy",
        augment=augment,
        init_from=_init(model),
        num_workers=8,
        input_wh=augment.crop_hw[::-1],
        source=SEG,
    )


def check_recipe(recipe: Recipe, name: str, variant: str) -> None:
    """Raises ValueError unless a variant is asked of the recipe that it is published for."""
    if recipe.name not in (name, f"{name}{OCR_SUFFIX.replace('_', '-')}"):
        raise ValueError(
            f"Expected the recipe {name} (or its OCR form) for recipe.variant={variant}, got {recipe.name}; change its fields."
        )


def with_auxiliary_loss(recipe: Recipe, name: str) -> Recipe:
    """The OCR branch's change of every recipe: an auxiliary loss of weight 0.4.

    Expected: Cityscapes val 81.6 (W48), single scale.
    """
    return replace(recipe, name=name, extra={"aux_weight": 0.4}, source=OCR_SOURCE)


V1C_FILES = {"r50": "resnet50_v1c-2cccc1ad.pth", "r101": "resnet101_v1c-e67eebb6.pth"}
"""ImageNet weights of the dilated ResNets with a stem of three convolutions, as OpenMMLab publishes them."""


def mmseg(recipe: Recipe, model: str, schedule: tuple[int, int] | None) -> Recipe:
    """PSPNet and DeepLabV3+ as mmseg trains them: 80 000 iterations, batches of 8 (Cityscapes) or 16, an auxiliary loss of 0.4.

    Expected Cityscapes val mIoU, whole picture, single scale (mmseg's page): PSPNet 78.6 (r50), 79.8 (r101);
    DeepLabV3+ 80.1, 81.0.

        python run_all.py train --task segmentation --dataset cityscapes --model pspnet_r101 --data-root D --weights W

    Args:
        schedule: epochs and batch; None keeps the recipe's, of a dataset that mmseg has no set-up for.
    """
    epochs, batch = schedule or (recipe.epochs, recipe.batch_size)
    return replace(
        recipe,
        name=f"{recipe.name}-mmseg",
        epochs=epochs,
        batch_size=batch,
        lr_min=1e-4,
        loss="cross_entropy",
        init_from=V1C_FILES.get(model.rpartition("_")[2]),
        extra={"aux_weight": 0.4, "poly_lag": 0},
        source="mmseg, configs/pspnet and configs/deeplabv3plus",
    )


def embedded(dataset: str, epochs: int, augment: SegmentationAugment) -> Recipe:
    """Half a minute to a minute on one CPU core: many small steps, rare classes weighted up, crops close to the pictures' size.

    Expected with hrnet_micro_w8, as measured over three seeds: mIoU 56.8 on the embedded Cityscapes, 47.5 on the embedded
    LIP; 19.3 on PASCAL Context, whose 59 classes are there to compare on, not to be solved. results/expected holds what is
    checked.

        python run_all.py run --suite embedded --only 'segmentation/*'
    """
    # What a batch of four teaches counts in steps: the same pictures in batches of sixteen end 8 mIoU lower.
    return Recipe(
        name=f"embedded-{dataset}",
        epochs=epochs,
        batch_size=4,
        lr=9e-3,
        optimizer="adamw",
        weight_decay=0.01,
        schedule="cosine",
        warmup_iterations=30,
        warmup_factor=0.1,
        loss="balanced_cross_entropy",
        extra={"label_stride": 2},
        augment=augment,
        input_wh=augment.crop_hw[::-1],
        source="tuned here for the embedded data",
    )
