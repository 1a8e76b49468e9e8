"""Detection on the embedded scenes: Faster R-CNN over four micro bodies, trained from scratch, and pose on its person boxes."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.experiment.cell import Cell, make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.tables.task_table import TaskTable

MODELS = ("hrnet_micro_w8", "resnet_micro", "simple_baseline_micro", "hourglass_micro_s1")
"""HRNetV2p, ResNet-FPN, SimpleBaseline and hourglass under V2p, at 108, 95, 100 and 100 million multiply-adds of body, pyramid
and RPN for 192x160 pixels."""
COLUMNS = ("AP", "AP50", "AP75", "APS", "APM", "APL", "AR@100")
POSE_MODEL = "hrnet_micro_w8"
POSE_EPOCHS = 8
"""Fewer than on the embedded people: the row shows the two steps, and is ranked with nothing."""
POSE_COLUMNS = ("AP", "AP50", "AP75", "APM", "APL", "AR")


def suite(tier: str = "embedded") -> Suite:
    """Five cells: three minutes on two cores with the data, HRNetV2p at AP50 >= 55.

    The pose row is the papers' two steps with parts of our own: the HRNet detector's persons are cropped and their joints found.
    """
    rows = [make_cell("detection", "coco", model, tier=tier) for model in MODELS]
    pose = pose_on_boxes_of(rows[0], tier)
    tables = (
        TaskTable(
            f"{tier}_detection_coco",
            "COCO detection, embedded",
            "detection",
            "coco",
            tuple(cell.id for cell in rows),
            COLUMNS,
        ),
        TaskTable(
            f"{tier}_pose_coco_detector",
            "COCO keypoints on detector boxes, embedded",
            "pose",
            "coco",
            (pose.id,),
            POSE_COLUMNS,
        ),
    )
    if tier == "smoke":
        # A detector of a few steps finds nobody, and pose on no boxes is an error.
        return Suite("embedded_detection", tuple(rows), tables[:1], "Detection on the embedded scenes.")
    return Suite(
        "embedded_detection", (*rows, pose), tables, "Detection on the embedded scenes, and pose on its boxes."
    )


def pose_on_boxes_of(detector: Cell, tier: str) -> Cell:
    """Pose on the detection scenes: trained on their annotated persons, evaluated on the boxes that ``detector`` found."""
    cell = make_cell(
        "pose",
        "coco",
        POSE_MODEL,
        tier=tier,
        protocol={"boxes": "detector"},
        boxes_from=detector.id,
        label="boxes of our detector",
        recipe={"epochs": POSE_EPOCHS} if tier == "embedded" else None,
    )
    return replace(cell, data=detector.data)
