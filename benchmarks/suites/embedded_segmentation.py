"""Segmentation on the embedded scenes and people: micro HRNetV2 beside two serial bodies of like cost, from nothing."""

from __future__ import annotations

from benchmarks.experiment.cell import make_cell
from benchmarks.experiment.suite import Suite, TableSpec
from tasks.segmentation.classes import class_table

MODELS = ("hrnet_micro_w8", "simple_baseline_micro_w22", "resnet_micro_w10")
TITLES = {
    "cityscapes": "Cityscapes, embedded",
    "pascal_context": "PASCAL Context, embedded",
    "lip": "LIP, embedded",
}
COLUMNS = ("mIoU", "pixel_acc", "avg_acc", "mIoU/present", "absent")


def suite(tier: str = "embedded") -> Suite:
    """Nine cells, and per dataset a table of figures and one of IoUs by class: three minutes on two cores with the data."""
    cells, tables = [], []
    for dataset, title in TITLES.items():
        rows = [make_cell("segmentation", dataset, model, tier=tier) for model in MODELS]
        cells += rows
        ids = tuple(cell.id for cell in rows)
        tables.append(TableSpec(f"{tier}_segmentation_{dataset}", title, "segmentation", dataset, ids, COLUMNS))
        by_class = tuple(f"IoU/{name}" for name in class_table(dataset).names)
        tables.append(
            TableSpec(
                f"{tier}_segmentation_{dataset}_classes",
                f"{title}: IoU by class",
                "segmentation",
                dataset,
                ids,
                by_class,
            )
        )
    return Suite("embedded_segmentation", tuple(cells), tuple(tables), "Segmentation on embedded scenes and people.")
