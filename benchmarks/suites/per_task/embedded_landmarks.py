"""Facial landmarks on the embedded faces: four micro bodies on 300W, two on AFLW, COFW and WFLW, trained from scratch."""

from __future__ import annotations

from benchmarks.experiment.cell import make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.tables.task_table import TaskTable

MODELS = {
    "300w": ("hrnet_micro_w8", "simple_baseline_micro_w22", "resnet_micro_w10", "hourglass_micro_w16"),
    "aflw": ("hrnet_micro_w8", "simple_baseline_micro_w22"),
    "cofw": ("hrnet_micro_w8", "simple_baseline_micro_w22"),
    "wflw": ("hrnet_micro_w8", "simple_baseline_micro_w22"),
}
_NME = "NME[inter_ocular]"
COLUMNS = {
    "300w": (_NME, f"{_NME}/common", f"{_NME}/challenge", "NME[inter_pupil]", "FR@0.08", "AUC@0.08", "FR@0.10", "AUC@0.10"),
    "aflw": ("NME[box]", "NME[box]/frontal", "FR@0.08", "AUC@0.08"),
    "cofw": (
        _NME, f"{_NME}/hardly_occluded", f"{_NME}/occluded", f"{_NME}/visible_points", f"{_NME}/occluded_points",
        "FR@0.10", "AUC@0.10",
    ),
    "wflw": (
        _NME, *(f"{_NME}/{s}" for s in ("pose", "expression", "illumination", "makeup", "occlusion", "blur")),
        "FR@0.10", "AUC@0.10",
    ),
}  # fmt: skip
TITLES = {"300w": "300W", "aflw": "AFLW", "cofw": "COFW", "wflw": "WFLW"}


def suite(tier: str = "embedded") -> Suite:
    """Ten cells: under two minutes on two cores with the data, HRNet at NME[inter_ocular] <= 6 % (300W) and <= 6.5 % (COFW)."""
    cells, tables = [], []
    for dataset, columns in COLUMNS.items():
        rows = [make_cell("landmarks", dataset, model, tier=tier) for model in MODELS[dataset]]
        cells += rows
        ids = tuple(cell.id for cell in rows)
        title = f"{TITLES[dataset]}, embedded"
        tables.append(TaskTable(f"{tier}_landmarks_{dataset}", title, "landmarks", dataset, ids, columns))
    return Suite("embedded_landmarks", tuple(cells), tuple(tables), "Facial landmarks on the embedded faces.")
