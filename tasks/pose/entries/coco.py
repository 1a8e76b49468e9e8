"""COCO keypoints: 17 joints of persons. See docs/protocols.md, sections 3 and 4."""

from __future__ import annotations

from tasks.base import DatasetInfo
from tasks.pose.crops.augment import PoseAugment
from tasks.pose.entries.coco_form import coco_entry
from tasks.pose.files.coco import OFFICIAL, SPLITS, boxes_beside
from tasks.pose.protocol import CocoProtocol, Start
from tasks.pose.recipes import SetUp, with_batch
from tasks.pose.skeletons.coco import COCO
from tasks.recipe import Recipe

START = Start(CocoProtocol(), (96, 128))
SET_UP = SetUp(
    hrnet=PoseAugment(scale_factor=0.35, rotation_factor=45, half_body_prob=0.3),
    simple_baseline=PoseAugment(scale_factor=0.3, rotation_factor=40),
    half_body_prob=0.3,
    shift_factor=0.16,
    epochs=12,
)


def w48_384x288(recipe: Recipe) -> Recipe:
    """HRNet-W48 on COCO at 384x288: 4 GPUs' of 24 persons."""
    return with_batch(recipe, 96, "hrnet-coco", "w48_384x288")


ENTRIES = (
    coco_entry(
        DatasetInfo(
            "coco",
            "COCO keypoints",
            "coco",
            COCO.num_joints,
            "train2017",
            "val2017",
            SPLITS,
            "AP",
            (256, 192),
            "coco",
        ),
        OFFICIAL,
        START,
        SET_UP,
        beside=boxes_beside,
        variants={"w48_384x288": w48_384x288},
    ),
)
