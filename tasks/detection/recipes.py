"""Training recipes of detection as frozen data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from benchmarks.baselines import traits_of
from tasks.detection.datasets import DetectionAugment
from tasks.detection.network.names import DETECTORS, split_name
from tasks.options import nearest
from tasks.recipe import Recipe

SCHEDULES: dict[str, tuple[int, tuple[int, ...]]] = {"1x": (12, (8, 11)), "2x": (24, (20, 23)), "20e": (20, (16, 19))}
POINT_SCHEDULES: dict[str, tuple[int, tuple[int, ...]]] = {
    "1x": (12, (8, 11)),
    "2x": (24, (16, 22)),
    "3x": (36, (24, 32)),
}
"""Of FCOS: 90 000, 180 000 and 270 000 iterations of 16 pictures in its own code, a tenth after two and after eight ninths."""
"""Name -> epochs, and the epochs from which the rate is a tenth. HRNet's 2x drops at 20 and 23, mmdet's at 16 and 22 (T17)."""


IMAGENET_FILES = {
    **{f"hrnet_w{width}": f"hrnetv2_w{width}_imagenet_pretrained.pth" for width in (18, 32, 40, 48)},
    "resnet50": "resnet50-19c8e357.pth",
    "resnet101": "resnet101-5d3b4d8f.pth",
}
"""What the reference initialises from; others start from nothing unless ``--set recipe.init_from=FILE`` says so."""


def full(model: str = "hrnet_w32", schedule: str = "1x") -> Recipe:
    """The paper's recipe: SGD 0.02 at 16 pictures, linear warm-up over 500 iterations from a third, gradient norm 35, frozen BN.

    Expected box AP on val2017 with Faster R-CNN (docs/protocols.md 13): W18 36.1 (1x), 38.1 (2x); W32 39.5, 40.8; W40 40.4, 41.4;
    W48 40.9, 41.5. Bodies start from their ImageNet weights, whose statistics stay; one that has none starts from nothing with
    normalisation of its own. ResNets freeze their stem and first stage. Cost: W32 1x takes about a day on eight GPUs of 2019. The
    rate is for 16 pictures over all processes: change both together.

    Command: python run_all.py train --task detection --dataset coco --model hrnet_w32 --data-root D --weights W
    """
    if schedule not in SCHEDULES:
        raise ValueError(f"Unknown detection schedule {schedule!r}. {nearest(schedule, SCHEDULES)}")
    epochs, milestones = SCHEDULES[schedule]
    return Recipe(
        name=f"coco-{schedule}",
        epochs=epochs,
        batch_size=16,
        lr=0.02,
        optimizer="sgd",
        momentum=0.9,
        weight_decay=1e-4,
        milestones=milestones,
        warmup_iterations=500,
        clip_grad_norm=35.0,
        batch_norm="frozen" if model in IMAGENET_FILES else "train",
        init_from=IMAGENET_FILES.get(model),
        augment=DetectionAugment(),
        num_workers=4,
        source="HRNet-Object-Detection, configs/hrnet",
        extra={"frozen_stages": 1} if model in IMAGENET_FILES and traits_of(model).structure == "encoder" else {},
    )


def published(model: str) -> Recipe:
    """The recipe of a detector's published figures; ``model`` is of :func:`tasks.detection.network.names.named`."""
    body, detector = split_name(model)
    if detector == "fcos":
        return fcos(body)
    if detector == "htc":
        return htc(body)
    schedule = DETECTORS[detector].schedule
    return with_masks(full(body, schedule)) if detector == "cascade_mask_rcnn" else full(body, schedule)


def with_masks(recipe: Recipe) -> Recipe:
    """The same, reading the objects' masks."""
    return replace(recipe, augment=replace(recipe.augment, masks=True))


def htc(model: str = "hrnet_w32", schedule: str = "20e") -> Recipe:
    """Hybrid task cascade: the cascade's recipe with masks and COCO's stuff and thing maps (``coco/stuffthingmaps``).

    Expected box / mask AP on val2017: W18 43.1 / 37.9, W32 45.3 / 39.6, W48 46.8 / 40.7 (the repository's page).

    Command: python run_all.py train --task detection --dataset coco --model hrnet_w32 --set model.detector=htc --data-root D
    """
    recipe = with_masks(full(model, schedule))
    return replace(recipe, extra={**recipe.extra, "semantic": "stuffthingmaps"})


def fcos(model: str = "hrnet_w32", schedule: str = "2x") -> Recipe:
    """FCOS: SGD 0.01 at 16 pictures, constant warm-up over 500 iterations at a third; biases at twice the rate without decay.

    Expected box AP on val2017, 2x, short side 800: W18 37.7 (five levels), 37.8 (six); with :func:`fcos_multi_scale` W32 41.9
    and 42.1, W40 (six levels, 3x) 42.6 (HRNet-FCOS's page).

    Command: python run_all.py train --task detection --dataset coco --model hrnet_w18 --set model.detector=fcos --data-root D
    """
    if schedule not in POINT_SCHEDULES:
        raise ValueError(f"Unknown schedule {schedule!r} of FCOS. {nearest(schedule, POINT_SCHEDULES)}")
    epochs, milestones = POINT_SCHEDULES[schedule]
    recipe = full(model)
    return replace(
        recipe,
        name=f"coco-fcos-{schedule}",
        epochs=epochs,
        milestones=milestones,
        lr=0.01,
        clip_grad_norm=None,
        source="HRNet-FCOS, configs/fcos",
        extra={**recipe.extra, "bias_lr_factor": 2.0, "bias_weight_decay": 0.0, "warmup": "constant"},
    )


def fcos_multi_scale(recipe: Recipe) -> Recipe:
    """FCOS's multi-scale training: any whole short side from 640 to 800 px, long at most 1333."""
    sides = tuple(range(640, 801))
    augment = replace(recipe.augment, long_px=(1333,) * len(sides), short_px=sides)
    return replace(recipe, name=recipe.name + "-multiscale", augment=augment)


def sync_bn(recipe: Recipe) -> Recipe:
    """The SyncBN variant: statistics are learnt, over all processes. Expected: up to 1 AP more than frozen (paper's table)."""
    return replace(recipe, name=recipe.name + "-syncbn", batch_norm="sync")


def multi_scale(recipe: Recipe, crop: bool = False) -> Recipe:
    """Multi-scale training: one of 1600x1000, 1333x800, 1000x600 padded to 1600x1024; or, with ``crop``, short side 600, 800 or
    1000 (long at most 1400) and a 1200x800 window around an object, padded to 1216x800. Used with 2x; Mask R-CNN W18 and W32
    gain about 1 AP."""
    if crop:
        window = {"crop_wh": (1200, 800), "pad_wh": (1216, 800)}
        augment = replace(recipe.augment, long_px=(1400,) * 3, short_px=(600, 800, 1000), **window)
    else:
        sizes = {"long_px": (1600, 1000, 1333), "short_px": (1000, 600, 800), "pad_wh": (1600, 1024)}
        augment = replace(recipe.augment, **sizes)
    return replace(recipe, name=recipe.name + "-multiscale", augment=augment)


def rescheduled(recipe: Recipe, schedule: str) -> Recipe:
    """The recipe at another schedule's length; raises ValueError where its detector has no such schedule."""
    points = recipe.name.startswith("coco-fcos")
    table = POINT_SCHEDULES if points else SCHEDULES
    if schedule not in table:
        raise ValueError(f"Unknown schedule {schedule!r} of {recipe.name}. {nearest(schedule, table)}")
    epochs, milestones = table[schedule]
    return replace(recipe, name=f"coco-{'fcos-' * points}{schedule}", epochs=epochs, milestones=milestones)


RECIPE_VARIANTS: dict[str, Callable[[Recipe], Recipe]] = {
    **{schedule: partial(rescheduled, schedule=schedule) for schedule in ("1x", "2x", "3x", "20e")},
    "syncbn": sync_bn,
    "multiscale": lambda recipe: (fcos_multi_scale if "fcos" in recipe.name else multi_scale)(recipe),
    "crop": partial(multi_scale, crop=True),
}
"""Published variants of the full recipes, for ``--set recipe.variant=NAME`` (``2x,crop`` is both)."""


def embedded(model: str = "hrnet_micro_w8") -> Recipe:
    """Micro detectors on the embedded COCO, from nothing, under two minutes on one core.

    Aim: HRNetV2p AP50 >= 55 on embedded val2017; measured 55.7 after seven epochs, 61.6 after ten, one and three seeds. From
    nothing and in ten epochs the FPN learns faster than the averaged pyramid (AP50 69.6).
    Command: python run_all.py train --task detection --dataset coco --model hrnet_micro_w8 --tier embedded
    """
    detector = split_name(model)[1]
    made = _embedded()
    if DETECTORS[detector].masks:
        made = with_masks(made)
    if detector == "fcos":
        # Its classifier learns from few points of every picture: it needs steps, long ones, more than large batches.
        made = replace(made, batch_size=4, lr=4e-3)
    return replace(made, extra={"semantic": "things"}) if detector == "htc" else made


def _embedded() -> Recipe:
    return Recipe(
        name="embedded",
        epochs=8,
        batch_size=8,
        lr=2e-3,
        optimizer="adamw",
        weight_decay=1e-4,
        schedule="cosine",
        lr_min=2e-5,
        warmup_iterations=50,
        warmup_factor=0.1,
        clip_grad_norm=10.0,
        batch_norm="train",
        augment=DetectionAugment(long_px=(192,), short_px=(144,)),
        input_wh=(192, 144),
        drop_last=True,
    )


def smoke(model: str = "hrnet_micro_w8") -> Recipe:
    """A few steps: that everything runs."""
    return replace(embedded(model), name="smoke", epochs=1, batch_size=4, warmup_iterations=2)
