"""Recipes and augmentations refuse what nothing can be trained with, and name the field."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from tasks.classification.recipes import CropAugment
from tasks.detection.datasets import DetectionAugment
from tasks.landmarks.crops.augment import FaceAugment
from tasks.pose.crops.augment import PoseAugment
from tasks.recipe import Recipe
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
