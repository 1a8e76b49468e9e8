"""Mask R-CNN on the embedded scenes; beside the default run, which has Faster R-CNN only."""

from __future__ import annotations

from benchmarks.experiment.cell import make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.tables.task_table import TaskTable

MODELS = ("hrnet_micro_w8", "resnet_micro")
COLUMNS = ("AP", "AP50", "APS", "APM", "APL", "mask_AP", "mask_AP50", "mask_APS", "mask_APM", "mask_APL")


def suite(tier: str = "embedded") -> Suite:
    """Two cells, about two minutes each on one core; masks cost a fifth more than boxes alone."""
    rows = tuple(
        make_cell("detection", "coco", model, tier=tier, recipe={"augment.masks": True}, label="mask", masks=True)
        for model in MODELS
    )
    table = TaskTable(
        f"{tier}_detection_masks", "COCO masks, embedded", "detection", "coco", tuple(c.id for c in rows), COLUMNS
    )
    return Suite("masks_embedded", rows, (table,), "Mask R-CNN on the embedded scenes.")
