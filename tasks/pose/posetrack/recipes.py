"""How networks are trained for PoseTrack: the papers' recipe, and that of the embedded videos."""

from __future__ import annotations

from dataclasses import replace

from tasks.pose.crops.augment import PoseAugment
from tasks.pose.recipes import SetUp, pose_recipe
from tasks.pose.recipes import embedded as embedded_people
from tasks.recipe import Recipe

COCO_FILES = {
    "hrnet_w32": "pose_hrnet_w32_256x192.pth",
    "hrnet_w48": "pose_hrnet_w48_384x288.pth",
    "simple_baseline_r50": "pose_resnet_50_256x192.pth.tar",
    "simple_baseline_r101": "pose_resnet_101_256x192.pth.tar",
    "simple_baseline_r152": "pose_resnet_152_384x288.pth.tar",
}
"""Weights trained on COCO that training starts from: the body is taken, since the heads have other joints."""


def posetrack_recipe(dataset: str, set_up: SetUp, model: str, tier: str) -> Recipe:
    """The recipe of a tier with COCO's ``set_up``; see the functions below for what each costs and should reach."""
    if tier != "full":
        made = embedded()
        return replace(made, name="posetrack-smoke", epochs=1, batch_size=8) if tier == "smoke" else made
    return full(dataset, set_up, model)


def full(dataset: str, set_up: SetUp, model: str) -> Recipe:
    """HRNet's training on PoseTrack, after SimpleBaseline: 20 epochs from COCO weights, Adam at 1e-4, a tenth of it at 10 and 15.

    Expected: PoseTrack2017 val mAP 77.3 and, trained on train and val, test 74.9 with MOTA 57.9 (HRNet-W48, 384x288);
    SimpleBaseline R50 at 256x192 val mAP 72.4, MOTA 62.9; R152 at 384x288 76.7 and 65.4. mAP and MOTA come from different
    thresholds (`joint_threshold`, `box_threshold`). Augmentation is COCO's; the batch is not printed: COCO's. Cost: hours on
    four GPUs of 2018.

        python run_all.py train --task pose --dataset posetrack17 --model hrnet_w48 --data-root D --weights W \\
            --protocol input_wh=288,384
    """
    coco = pose_recipe(
        dataset, set_up, "simple_baseline_r50" if model.startswith("simple_baseline") else "hrnet_w32", "full"
    )
    return replace(
        coco,
        name=f"{dataset}",
        epochs=20,
        lr=1e-4,
        milestones=(10, 15),
        init_from=COCO_FILES.get(model),
        source="arXiv:1902.09212, section 4.3; arXiv:1804.06208, section 4.2",
    )


def embedded() -> Recipe:
    """Micro networks on the embedded videos, from nothing: some 900 persons, half a minute.

    Measured: mAP 50.7 (HRNet) and 39.6 (SimpleBaseline); annotated boxes give HRNet some 25 points of mAP more. The default run
    starts from COCO's cells instead, with two epochs (`benchmarks.suites.per_task.embedded_posetrack`).

    python run_all.py train --task pose --dataset posetrack18 --model hrnet_micro_w8 --tier embedded
    """
    augment = PoseAugment(scale_factor=0.15, rotation_factor=0, rotation_prob=0.0, sigma=1.0, target_rule="unbiased")
    return replace(embedded_people("posetrack", epochs=5), augment=augment)
