"""Detection on the embedded scenes: Faster R-CNN over four micro bodies, trained from scratch."""

from __future__ import annotations

from benchmarks.experiment.cell import make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.tables.task_table import TaskTable

MODELS = ("hrnet_micro_w8", "resnet_micro", "simple_baseline_micro", "hourglass_micro_s1")
"""HRNetV2p, ResNet-FPN, SimpleBaseline and hourglass under V2p, at 108, 95, 100 and 100 million multiply-adds of body, pyramid
and RPN for 192x160 pixels."""
COLUMNS = ("AP", "AP50", "AP75", "APS", "APM", "APL", "AR@100")


def suite(tier: str = "embedded") -> Suite:
    """Four cells: under three minutes on two cores with the data, HRNetV2p at AP50 >= 55."""
    rows = tuple(make_cell("detection", "coco", model, tier=tier) for model in MODELS)
    ids = tuple(cell.id for cell in rows)
    table = TaskTable(f"{tier}_detection_coco", "COCO detection, embedded", "detection", "coco", ids, COLUMNS)
    return Suite("embedded_detection", rows, (table,), "Detection on the embedded scenes.")
