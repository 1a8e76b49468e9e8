"""Pose on boxes that a detector of our own found: the papers' two steps; beside the default run (annotated boxes)."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.experiment.cell import Cell, make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.tables.task_table import TaskTable

DETECTOR_MODEL = POSE_MODEL = "hrnet_micro_w8"
POSE_EPOCHS = 8
"""Fewer than on the embedded people: the row shows the two steps, and is ranked with nothing."""
COLUMNS = ("AP", "AP50", "AP75", "APM", "APL", "AR")


def suite(tier: str = "embedded") -> Suite:
    """Two cells, the first of them the default run's: the HRNet detector's persons are cropped and their joints found.

    A minute and a half on two cores. Measured: pose AP 9.7 on scenes of small, crowded persons, one seed.
    """
    detector = make_cell("detection", "coco", DETECTOR_MODEL, tier=tier)
    pose = pose_on_boxes_of(detector, tier)
    table = TaskTable(
        f"{tier}_pose_coco_detector",
        "COCO keypoints on detector boxes, embedded",
        "pose",
        "coco",
        (pose.id,),
        COLUMNS,
    )
    return Suite("pose_on_boxes", (detector, pose), (table,), "Pose on the boxes of a detector of our own.")


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
