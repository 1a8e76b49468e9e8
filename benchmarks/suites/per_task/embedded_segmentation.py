"""Segmentation on the embedded scenes and people: micro HRNetV2 beside serial bodies of like cost, from scratch."""

from __future__ import annotations

from benchmarks.experiment.cell import Cell, make_cell
from benchmarks.experiment.suite import Suite, SuiteTable
from benchmarks.tables.class_table import ClassTable
from benchmarks.tables.task_table import TaskTable
from tasks import get_task

MODELS = {
    "cityscapes": ("hrnet_micro_w8", "simple_baseline_micro_w22", "resnet_micro_w10", "hourglass_micro_w16"),
    "pascal_context": ("hrnet_micro_w8", "resnet_micro_w10"),
    "lip": ("hrnet_micro_w8", "resnet_micro_w10"),
}
TITLES = {
    "cityscapes": "Cityscapes, embedded",
    "pascal_context": "PASCAL Context, embedded",
    "lip": "LIP, embedded",
}
COLUMNS = ("mIoU", "pixel_acc", "avg_acc", "mIoU/present", "absent")


def suite(tier: str = "embedded") -> Suite:
    """Eight cells, and per dataset a table of figures and one of IoUs by class: three minutes on two cores with the data."""
    cells: list[Cell] = []
    tables: list[SuiteTable] = []
    for dataset, title in TITLES.items():
        rows = [make_cell("segmentation", dataset, model, tier=tier) for model in MODELS[dataset]]
        cells += rows
        ids = tuple(cell.id for cell in rows)
        tables.append(TaskTable(f"{tier}_segmentation_{dataset}", title, "segmentation", dataset, ids, COLUMNS))
        name, classes = f"{tier}_segmentation_{dataset}_classes", get_task("segmentation").entry(dataset).table().names  # type: ignore[attr-defined]
        tables.append(ClassTable(name, f"{title}: IoU by class", "segmentation", dataset, ids, "IoU", tuple(classes)))
    return Suite("embedded_segmentation", tuple(cells), tuple(tables), "Segmentation on embedded scenes and people.")
