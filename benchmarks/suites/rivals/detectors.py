"""Faster R-CNN, Cascade R-CNN and FCOS over micro HRNetV2p on the embedded scenes, at like cost.

python run_all.py run --suite detectors
"""

from __future__ import annotations

from typing import Any

from benchmarks.experiment.cell import make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.tables.task_table import TaskTable

MODEL = "hrnet_micro_w8"
DETECTORS: dict[str, dict[str, Any]] = {
    "": {},
    "cascade": {"detector": "cascade_rcnn"},
    "FCOS": {"detector": "fcos"},
}
"""Label -> build changes: 98 million multiply-adds of body, pyramid and RPN, and 95 million of the whole of FCOS."""
COLUMNS = ("AP", "AP50", "AP75", "APS", "APM", "APL", "AR@100")
MASK_COLUMNS = ("AP", "AP50", "mask_AP", "mask_AP50")


def suite(tier: str = "embedded") -> Suite:
    """Three cells of two to four minutes on one core each; Faster R-CNN's is the embedded suite's own.

    Measured with one seed, AP / AP50 and seconds beside other work: Faster R-CNN 26.1 / 58.1 in 168, Cascade R-CNN 31.8 / 62.4 in
    222, FCOS 27.7 / 51.4 in 111. In batches of 8 at half the rate FCOS's classifier was right at 58 % of the points in objects
    alone (19.8 / 41.6 after seven epochs).

    At the smoke tier hybrid task cascade joins, whose protocol (scores from 0.001 on) asks for a table of its own.
    """
    rows = tuple(
        make_cell("detection", "coco", MODEL, tier=tier, label=label, **changes) for label, changes in DETECTORS.items()
    )
    ids = tuple(cell.id for cell in rows)
    tables = [TaskTable(f"{tier}_detectors", "COCO detectors, embedded", "detection", "coco", ids, COLUMNS)]
    if tier == "smoke":
        hybrid = make_cell("detection", "coco", MODEL, tier=tier, label="HTC", detector="htc")
        title = "Hybrid task cascade, embedded"
        tables.append(TaskTable(f"{tier}_detectors_htc", title, "detection", "coco", (hybrid.id,), MASK_COLUMNS))
        rows = (*rows, hybrid)
    return Suite("detectors", rows, tuple(tables), "Detectors of one and of several stages on the embedded scenes.")
