"""How segmentation networks are trained: the papers' recipes, and those of the embedded data. Torch-free."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.baselines import traits_of
from hrnet.variants import MICRO, VARIANTS
from tasks.recipe import Recipe
from tasks.segmentation.augment import SegmentationAugment

OCR_SUFFIX = "_ocr"
SEG = "HRNet/HRNet-Semantic-Segmentation, experiments"
OCR_SOURCE = f"{SEG} (branch HRNet-OCR)"
SMALL_FILES = {f"hrnet_w18_small_{version}": f"hrnet_w18_small_model_{version}.pth" for version in ("v1", "v2")}


def segmentation_recipe(dataset: str, model: str, tier: str) -> Recipe:
    """The recipe of a tier; see the functions below for what each costs and should reach."""
    if tier != "full":
        made = embedded(dataset)
        return replace(made, name=f"{made.name}-smoke", epochs=1, batch_size=4) if tier == "smoke" else made
    made = {"cityscapes": cityscapes, "pascal_context": pascal_context, "lip": lip}[dataset](model)
    if not model.endswith(OCR_SUFFIX) and traits_of(model).origin == "mmseg":
        return mmseg(made, model)
    return with_ocr(made, dataset) if model.endswith(OCR_SUFFIX) else made


def _init(model: str) -> str | None:
    """The classification weights that the reference's files name; other bodies start from nothing unless told."""
    body = model.removesuffix(OCR_SUFFIX)
    if body in SMALL_FILES:
        return SMALL_FILES[body]
    released = body in VARIANTS and body not in MICRO
    return f"hrnetv2_{body.removeprefix('hrnet_')}_imagenet_pretrained.pth" if released else None


def cityscapes(model: str) -> Recipe:
    """HRNetV2 on Cityscapes fine, trained on train alone.

    Expected: val mIoU 81.1 (W48), 76.2 (W18-small-v2), 70.3 (W18-small-v1), single scale, no flip, as the repository states.
    With ``--set recipe.loss=weighted_ohem`` 81.2 to 81.6. Cost: about a day on four V100. The batch of 12 is of all processes
    together, whatever their number; the rate belongs to it.

        python run_all.py train --task segmentation --dataset cityscapes --model hrnet_w48 --data-root D --weights W
    """
    return Recipe(
        name="seg-cityscapes",
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
        augment=SegmentationAugment((512, 1024), 2048),
        init_from=_init(model),
        num_workers=8,
        input_wh=(1024, 512),
        source=SEG,
    )


def pascal_context(model: str) -> Recipe:
    """HRNetV2 on PASCAL Context: 200 epochs, crop 480.

    Expected: mIoU 54.1 (59 classes) and 48.3 (60) with seven scales and flip (W48); 52.3 and 47.0 single scale. Cost: half a
    day on four V100; a batch of 16 in all.

        python run_all.py train --task segmentation --dataset pascal_context --model hrnet_w48 --data-root D --weights W
    """
    return replace(
        cityscapes(model),
        name="seg-pascal-context",
        epochs=200,
        batch_size=16,
        lr=0.004,
        weight_decay=1e-4,
        loss="cross_entropy",
        augment=SegmentationAugment((480, 480), 520),
        input_wh=(480, 480),
    )


def lip(model: str) -> Recipe:
    """HRNetV2 on LIP: 150 epochs, pictures squashed to 473x473, mirrored with left and right swapped.

    Expected: mIoU 55.8 to 56.0 with flip (W48). Cost: a day on four V100; a batch of 40 in all.

        python run_all.py train --task segmentation --dataset lip --model hrnet_w48 --data-root D --weights W
    """
    return replace(
        cityscapes(model),
        name="seg-lip",
        epochs=150,
        batch_size=40,
        lr=0.007,
        loss="cross_entropy",
        augment=SegmentationAugment((473, 473), 473, scale_steps=11, squash=True),
        input_wh=(473, 473),
    )


def trainval(recipe: Recipe) -> Recipe:
    """The second phase of Cityscapes' published test figures: 484 epochs more, on train and val, from the first phase's network.

    The rate starts at 0.001 and its decay anew ("epoch484x2"). Expected: test mIoU 81.5 (81.9 with hard examples) with six
    scales and flip (W48).

        python run_all.py train --task segmentation --dataset cityscapes --model hrnet_w48 --data-root D \\
            --train-split trainval --init FIRST.pt --set recipe.variant=trainval
    """
    _check_dataset(recipe, "seg-cityscapes", "trainval")
    return replace(recipe, name=f"{recipe.name}-trainval", lr=0.001, init_part="all")


def ocr_branch(recipe: Recipe) -> Recipe:
    """PASCAL Context as the OCR branch's files train it, the plain HRNetV2 too: short side 520, crop 520, head ten times as fast.

        python run_all.py train --task segmentation --dataset pascal_context --model hrnet_w48 --data-root D --weights W \\
            --set recipe.variant=ocr_branch model.bn_momentum=0.1 \\
            --protocol first_short_px=520 pad_multiple=8 crop_hw=520,520
    """
    _check_dataset(recipe, "seg-pascal-context", "ocr_branch")
    return replace(
        recipe,
        name=f"{recipe.name}-520",
        lr=0.001,
        head_lr_factor=10.0,
        augment=SegmentationAugment((520, 520), 520, first_short_px=520),
        input_wh=(520, 520),
        source=OCR_SOURCE,
    )


RECIPE_VARIANTS = {"trainval": trainval, "ocr_branch": ocr_branch}
"""Published variants of the full recipes, for ``--set recipe.variant=NAME``."""


def _check_dataset(recipe: Recipe, name: str, variant: str) -> None:
    if recipe.name not in (name, f"{name}{OCR_SUFFIX.replace('_', '-')}"):
        raise ValueError(
            f"Expected the recipe {name} (or its OCR form) for recipe.variant={variant}, got {recipe.name}; change its fields."
        )


def with_ocr(recipe: Recipe, dataset: str) -> Recipe:
    """The OCR branch's changes: an auxiliary loss of weight 0.4; on PASCAL Context a crop of 520 and a faster head.

    Expected: Cityscapes val 81.6 (W48), single scale.
    """
    made = ocr_branch(recipe) if dataset == "pascal_context" else recipe
    return replace(made, name=f"{recipe.name}-ocr", extra={"aux_weight": 0.4}, source=OCR_SOURCE)


V1C_FILES = {"r50": "resnet50_v1c-2cccc1ad.pth", "r101": "resnet101_v1c-e67eebb6.pth"}
"""ImageNet weights of the dilated ResNets with a stem of three convolutions, as OpenMMLab publishes them."""


def mmseg(recipe: Recipe, model: str) -> Recipe:
    """PSPNet and DeepLabV3+ as mmseg trains them: 80 000 iterations, batches of 8 (Cityscapes) or 16, an auxiliary loss of 0.4.

    Expected Cityscapes val mIoU, whole picture, single scale (mmseg's page): PSPNet 78.6 (r50), 79.8 (r101);
    DeepLabV3+ 80.1, 81.0. LIP has no set-up there: it keeps this task's.

        python run_all.py train --task segmentation --dataset cityscapes --model pspnet_r101 --data-root D --weights W
    """
    changes = {"seg-cityscapes": (215, 8), "seg-pascal-context": (256, 16)}
    epochs, batch = changes.get(recipe.name, (recipe.epochs, recipe.batch_size))
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


def embedded(dataset: str) -> Recipe:
    """Half a minute to a minute on one CPU core: many small steps, rare classes weighted up, crops close to the pictures' size.

    Expected with hrnet_micro_w8, as measured over three seeds: mIoU 56.8 on the embedded Cityscapes, 47.5 on the embedded
    LIP; 19.3 on PASCAL Context, whose 59 classes are there to compare on, not to be solved. results/expected holds what is
    checked.

        python run_all.py run --suite embedded --only 'segmentation/*'
    """
    # What a batch of four teaches counts in steps: the same pictures in batches of sixteen end 8 mIoU lower.
    settings: dict[str, tuple[int, SegmentationAugment]] = {
        "cityscapes": (7, SegmentationAugment((96, 192), scale_min=0.8, scale_steps=4)),
        "pascal_context": (4, SegmentationAugment((96, 96), 128, scale_min=0.8, scale_steps=4)),
        "lip": (7, SegmentationAugment((96, 96), 96, scale_min=1.0, scale_steps=0, squash=True)),
    }
    epochs, augment = settings[dataset]
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
