"""Recipes and augmentations refuse what nothing can be trained with, and name the field."""

from __future__ import annotations

import contextlib
from dataclasses import fields
from typing import Any

import pytest
import torch

from tasks import get_task
from tasks.classification.recipes import CropAugment
from tasks.detection.datasets import DetectionAugment
from tasks.landmarks.crops.augment import FaceAugment
from tasks.pose.crops.augment import PoseAugment
from tasks.recipe import EXTRAS, Recipe
from tasks.segmentation.crops.augment import SegmentationAugment

AUGMENTS: dict[type, dict[str, Any]] = {
    PoseAugment: {},
    FaceAugment: {},
    DetectionAugment: {},
    CropAugment: {},
    SegmentationAugment: {"crop_hw": (32, 32)},
}
ODDS = [(kind, f.name) for kind in AUGMENTS for f in fields(kind) if f.name == "flip" or f.name.endswith("_prob")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"epochs": 0}, "recipe.epochs of at least 1, got 0"),
        ({"batch_size": 0}, "recipe.batch_size of at least 1, got 0"),
        ({"lr": -1.0}, "recipe.lr above 0, got -1.0"),
        ({"lr": float("nan")}, "recipe.lr above 0, got nan"),
        ({"num_workers": -1}, "recipe.num_workers of at least 0, got -1"),
        ({"warmup_iterations": -1}, "recipe.warmup_iterations of at least 0, got -1"),
        ({"weight_decay": -0.1}, "recipe.weight_decay of at least 0, got -0.1"),
        ({"milestones": (5, 1)}, "recipe.milestones as ascending epochs above 0, got 5,1"),
        ({"milestones": (3, 3)}, "recipe.milestones as ascending epochs above 0, got 3,3"),
    ],
)
def test_impossible_recipes_are_refused(changes: dict[str, Any], said: str) -> None:
    good = {"name": "test", "epochs": 10, "batch_size": 4, "lr": 0.1, "milestones": (1, 5)}
    Recipe(**good)
    with pytest.raises(ValueError, match=said):
        Recipe(**good | changes)


@pytest.mark.parametrize(("kind", "name"), ODDS)
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_odds_are_between_0_and_1(kind: type, name: str, value: float) -> None:
    for fine in (0.0, 1.0):
        kind(**AUGMENTS[kind], **{name: fine})
    with pytest.raises(ValueError, match=rf"recipe\.augment\.{name} between 0 and 1, got {value}"):
        kind(**AUGMENTS[kind], **{name: value})


def test_every_augmentation_has_odds() -> None:
    assert {kind for kind, _ in ODDS} == set(AUGMENTS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("momentum", "-0.5"),
        ("momentum", "1"),
        ("power", "0"),
        ("clip_grad_norm", "-1"),
        ("clip_grad_norm", "0"),
        ("head_lr_factor", "-1"),
        ("gamma", "-1"),
        ("warmup_factor", "-1"),
        ("lr_min", "-1"),
    ],
)
def test_no_rate_turns_a_step_round(field: str, value: str) -> None:
    task = get_task("pose")
    recipe = task.recipe("coco", "hrnet_micro_w8", "smoke")
    with pytest.raises(ValueError, match=rf"Expected recipe\.{field} "):
        task.recipe_with(recipe, {field: value})


@pytest.mark.parametrize(
    ("name", "dataset", "field", "value"),
    [
        ("pose", "coco", "scale_factor", "1"),
        ("pose", "coco", "scale_factor", "-0.1"),
        ("pose", "coco", "sigma", "-1"),
        ("pose", "coco", "stride", "0"),
        ("landmarks", "300w", "scale_factor", "2"),
        ("landmarks", "300w", "sigma", "-1"),
        ("segmentation", "lip", "scale_min", "0"),
        ("segmentation", "lip", "scale_steps", "-1"),
        ("segmentation", "lip", "crop_hw", "0,64"),
        ("segmentation", "lip", "base_px", "-1"),
    ],
)
def test_augments_that_leave_nothing_are_refused(name: str, dataset: str, field: str, value: str) -> None:
    task = get_task(name)
    recipe = task.recipe(dataset, "hrnet_micro_w8", "smoke")
    with pytest.raises(ValueError, match=rf"Expected recipe\.augment.*{field}"):
        task.recipe_with(recipe, {f"augment.{field}": value})


def test_extras_are_set_by_name_and_type() -> None:
    """What the errors of detection advise: --set recipe.extra.semantic=things."""
    task = get_task("detection")
    recipe = task.recipe("coco", "hrnet_w32", "full")
    made = task.recipe_with(recipe, {"extra.semantic": "things", "extra.frozen_stages": "1", "lr": "0.5"})
    assert made.extra == {**recipe.extra, "semantic": "things", "frozen_stages": 1} and made.lr == 0.5
    assert task.recipe_with(made, {"extra.semantic": "none"}).extra["semantic"] is None
    for words, message in (
        ({"extra.semantik": "things"}, r"Unknown recipe field extra\.'semantik'\. Did you mean 'semantic'"),
        ({"extra.frozen_stages": "x"}, "to be an int, got 'x'"),
        ({"extra.warmup": "steep"}, "to be one of linear, constant, got 'steep'"),
        ({"extra": "semantic=things"}, r"is changed by extra\.NAME"),
    ):
        with pytest.raises(ValueError, match=message):
            task.recipe_with(recipe, words)
    for name, dataset in (("detection", "coco"), ("segmentation", "cityscapes"), ("pose", "coco")):
        other = get_task(name)
        known = {*EXTRAS, *other.recipe_extras}
        for model in ("hrnet_w48", "resnet50", "vitpose_s", "hrnet_w48_ocr", "deeplabv3_r50", "pspnet_r50"):
            if name == "pose" or not model.startswith("vit"):
                with contextlib.suppress(ValueError):
                    assert set(other.recipe(dataset, model, "full").extra) <= known


def test_a_detectors_loss_is_its_own() -> None:
    task = get_task("detection")
    recipe = task.recipe_with(task.recipe("coco", "hrnet_micro_w8", "smoke"), {"loss": "focal"})
    with pytest.raises(ValueError, match=r"Expected recipe\.loss to be default"):
        task.loss(torch.nn.Identity(), {}, recipe)
