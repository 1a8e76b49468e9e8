"""Today's rivals beside HRNet in pose: micro ViTPose and Lite-HRNet at like cost, all with UDP.

python run_all.py run --suite pose_rivals
"""

from __future__ import annotations

from benchmarks.experiment.suite import Suite
from benchmarks.suites.parts.udp import udp_cell
from benchmarks.suites.rivals.udp import COLUMNS
from benchmarks.tables.task_table import TaskTable

MODELS = ("hrnet_micro_w8", "vitpose_micro", "litehrnet_micro")
"""At 20, 19 and 20 million multiply-adds for 128x96 pixels."""


def suite(tier: str = "embedded") -> Suite:
    """Three cells on the embedded people, a minute or two each on one core; HRNet's is the suite udp's own.

    A transformer without pre-training is far behind in a minute: it needs its weights of masked auto-encoding.
    """
    rows = tuple(udp_cell(model, tier) for model in MODELS)
    ids = tuple(cell.id for cell in rows)
    table = TaskTable(f"{tier}_pose_rivals", "COCO keypoints with UDP, embedded", "pose", "coco", ids, COLUMNS)
    return Suite("pose_rivals", rows, (table,), "Rivals in pose on the embedded people.")
