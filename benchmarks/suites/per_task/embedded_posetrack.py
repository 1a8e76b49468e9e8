"""PoseTrack on the embedded videos: two micro bodies, trained on from COCO, with the same detector and way of tracking."""

from __future__ import annotations

from benchmarks.experiment.cell import OF_CELL, Cell, make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.tables.task_table import TaskTable

MODELS = ("hrnet_micro_w8", "simple_baseline_micro")
EPOCHS = 2
"""A third of what training from nothing takes, for a better end: one seed, mAP 65.2 and MOTA 48.8 (HRNet), 54.5 and 33.1
(SimpleBaseline), where six epochs from nothing gave 54.0 and 32.1, 43.5 and 17.1."""
COLUMNS = (
    "mAP",
    "MOTA",
    "MOTP",
    "Prec",
    "Rec",
    "AP/Head",
    "AP/Wrist",
    "AP/Ankle",
    "MOTA/Head",
    "MOTA/Wrist",
    "MOTA/Ankle",
)


def suite(tier: str = "embedded") -> Suite:
    """Two cells, meant for 40 seconds on two cores with the data, beyond the COCO cells that their training starts from, as the
    papers' does. The smoke tier's start from nothing."""
    before = tuple(make_cell("pose", "coco", model, tier=tier) for model in MODELS) if tier == "embedded" else ()
    rows = tuple(_row(model, tier, coco) for model, coco in zip(MODELS, before or (None, None), strict=True))
    ids = tuple(cell.id for cell in rows)
    table = TaskTable(f"{tier}_pose_posetrack18", "PoseTrack2018, embedded", "pose", "posetrack18", ids, COLUMNS)
    return Suite("embedded_posetrack", (*before, *rows), (table,), "Tracking on the embedded videos.")


def _row(model: str, tier: str, coco: Cell | None) -> Cell:
    """The cell of a body that starts from its COCO weights, where it is to."""
    recipe = None if coco is None else {"init_from": f"{OF_CELL}{coco.id}", "epochs": EPOCHS}
    return make_cell("pose", "posetrack18", model, tier=tier, recipe=recipe)
