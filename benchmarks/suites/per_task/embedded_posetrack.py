"""PoseTrack on the embedded videos: two micro bodies, trained from nothing, with the same detector and way of tracking."""

from __future__ import annotations

from benchmarks.experiment.cell import make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.tables.task_table import TaskTable

MODELS = ("hrnet_micro_w8", "simple_baseline_micro")
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
    """Two cells, meant for 40 seconds on two cores with the data; the recipe says what was reached."""
    rows = tuple(make_cell("pose", "posetrack18", model, tier=tier) for model in MODELS)
    ids = tuple(cell.id for cell in rows)
    table = TaskTable(f"{tier}_pose_posetrack18", "PoseTrack2018, embedded", "pose", "posetrack18", ids, COLUMNS)
    return Suite("embedded_posetrack", rows, (table,), "Tracking on the embedded videos.")
