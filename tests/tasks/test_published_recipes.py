"""The full recipes say what the repositories' own files say; their variants have names."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.commands.arguments import apply_sets
from benchmarks.experiment.cell import cell_from_identity, make_cell
from tasks import get_task, task_names


@pytest.mark.parametrize(
    ("model", "file"),
    [
        ("hrnet_w48", "hrnetv2_w48_imagenet_pretrained.pth"),
        ("hrnet_w48_ocr", "hrnetv2_w48_imagenet_pretrained.pth"),
        ("hrnet_w18_small_v1", "hrnet_w18_small_model_v1.pth"),
        ("hrnet_w18_small_v2", "hrnet_w18_small_model_v2.pth"),
        ("hrnet_w18_small_v2_ocr", "hrnet_w18_small_model_v2.pth"),
        ("resnet50", None),
    ],
)
def test_segmentation_names_the_weights_that_its_files_name(model: str, file: str | None) -> None:
    assert get_task("segmentation").recipe("cityscapes", model, "full").init_from == file


@pytest.mark.parametrize(
    ("dataset", "model", "batch"),
    [
        ("coco", "hrnet_w32", 128),
        ("mpii", "hrnet_w48", 128),
        ("coco", "simple_baseline_r50", 32),
        ("coco", "simple_baseline_r152", 32),
        ("mpii", "simple_baseline_r101", 32),
        ("mpii", "hourglass_s2", 6),
    ],
)
def test_pose_batches_are_those_of_each_repository(dataset: str, model: str, batch: int) -> None:
    assert get_task("pose").recipe(dataset, model, "full").batch_size == batch


VARIANTS: list[tuple[str, str, str, str, dict[str, Any]]] = [
    ("pose", "coco", "hrnet_w48", "w48_384x288", {"batch_size": 96}),
    ("pose", "mpii", "simple_baseline_r152", "r152_384x384", {"batch_size": 24}),
    ("segmentation", "cityscapes", "hrnet_w48", "trainval", {"epochs": 484, "lr": 0.001, "init_part": "all"}),
    (
        "segmentation",
        "pascal_context",
        "hrnet_w48",
        "ocr_branch",
        {"lr": 0.001, "head_lr_factor": 10.0, "epochs": 200, "batch_size": 16, "extra": {}, "input_wh": (520, 520)},
    ),
    ("detection", "coco", "hrnet_w32", "2x", {"epochs": 24, "milestones": (20, 23)}),
    ("detection", "coco", "hrnet_w32", "20e", {"epochs": 20, "milestones": (16, 19)}),
    ("detection", "coco", "hrnet_w32", "syncbn", {"batch_norm": "sync"}),
    ("detection", "coco", "hrnet_w32", "2x,multiscale", {"epochs": 24}),
    ("detection", "coco", "hrnet_w32", "crop", {"epochs": 12}),
]


@pytest.mark.parametrize(("task", "dataset", "model", "variant", "expected"), VARIANTS, ids=lambda v: str(v)[:24])
def test_variants_change_what_their_files_change(
    task: str, dataset: str, model: str, variant: str, expected: dict[str, Any]
) -> None:
    usual = make_cell(task, dataset, model)
    cell = make_cell(task, dataset, model, recipe={"variant": variant, "num_workers": "3"})
    assert cell.recipe is not None and usual.recipe is not None and cell.id != usual.id
    assert {name: getattr(cell.recipe, name) for name in expected} == expected and cell.recipe.num_workers == 3
    assert apply_sets(usual, {"protocol": {}, "recipe": {"variant": variant, "num_workers": "3"}, "model": {}}) == cell
    assert cell_from_identity(cell.identity()) == cell


def test_every_variant_is_tested() -> None:
    of_fcos = {("detection", "1x"), ("detection", "3x")}  # tested below
    tested = of_fcos | {(task, name) for task, _, _, variant, _ in VARIANTS for name in variant.split(",")}
    assert tested == {(name, variant) for name in task_names() for variant in get_task(name).recipe_variants}


def test_the_ocr_head_trains_on_pascal_context_as_the_branch_does() -> None:
    task = get_task("segmentation")
    plain = task.recipe_with(task.recipe("pascal_context", "hrnet_w48", "full"), {"variant": "ocr_branch"})
    ocr = task.recipe("pascal_context", "hrnet_w48_ocr", "full")
    assert (ocr.lr, ocr.head_lr_factor, ocr.augment, ocr.input_wh) == (0.001, 10.0, plain.augment, (520, 520))
    assert plain.augment.crop_hw == (520, 520) and plain.augment.first_short_px == 520


def test_fcos_has_schedules_and_scales_of_its_own() -> None:
    task = get_task("detection")
    fcos = task.recipe("coco", "hrnet_w32+fcos", "full")
    assert (fcos.epochs, fcos.name) == (24, "coco-fcos-2x")
    longer = task.recipe_with(fcos, {"variant": "3x,multiscale"})
    assert (longer.epochs, longer.milestones, len(longer.augment.short_px)) == (36, (24, 32), 161)
    assert task.recipe_with(fcos, {"variant": "1x"}).epochs == 12
    with pytest.raises(ValueError, match="Unknown schedule '20e' of coco-fcos-2x"):
        task.recipe_with(fcos, {"variant": "20e"})


@pytest.mark.parametrize(
    ("task", "dataset", "model", "variant", "said"),
    [
        ("segmentation", "cityscapes", "hrnet_w48", "trainvla", "Did you mean 'trainval'"),
        ("segmentation", "lip", "hrnet_w48", "trainval", "Expected the recipe seg-cityscapes"),
        ("pose", "coco", "simple_baseline_r50", "w48_384x288", "Expected the recipe hrnet-coco"),
        ("landmarks", "300w", "hrnet_w18", "2x", "Unknown recipe variant '2x' of landmarks"),
    ],
)
def test_variants_of_other_recipes_are_refused(task: str, dataset: str, model: str, variant: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make_cell(task, dataset, model, recipe={"variant": variant})
