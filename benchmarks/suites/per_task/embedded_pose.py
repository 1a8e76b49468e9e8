"""Pose on the embedded people: four micro bodies on COCO, two on MPII, trained from scratch."""

from __future__ import annotations

from benchmarks.experiment.cell import make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.tables.task_table import TaskTable

MODELS = {
    "coco": ("hrnet_micro_w8", "simple_baseline_micro", "resnet_micro_w8", "hourglass_micro_s1"),
    "mpii": ("hrnet_micro_w8", "simple_baseline_micro"),
}
"""At 20 to 21 million multiply-adds for 128x96 pixels."""
COLUMNS = {
    "coco": ("AP", "AP50", "AP75", "APM", "APL", "AR"),
    "mpii": ("PCKh@0.5", "PCKh@0.5/Head", "PCKh@0.5/Wrist", "PCKh@0.5/Ankle", "PCKh@0.11", "PCKh@0.5 unweighted"),
}
TITLES = {"coco": "COCO keypoints, embedded", "mpii": "MPII, embedded"}


def suite(tier: str = "embedded") -> Suite:
    """Six cells: three minutes on two cores with the data; `tasks.pose.recipes.embedded` says what was reached."""
    cells, tables = [], []
    for dataset, columns in COLUMNS.items():
        rows = [make_cell("pose", dataset, model, tier=tier) for model in MODELS[dataset]]
        cells += rows
        ids = tuple(cell.id for cell in rows)
        tables.append(TaskTable(f"{tier}_pose_{dataset}", TITLES[dataset], "pose", dataset, ids, columns))
    return Suite("embedded_pose", tuple(cells), tuple(tables), "Pose on the embedded people.")
