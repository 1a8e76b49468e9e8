"""Serial rivals of today beside HRNetV2 in segmentation: micro PSPNet and DeepLabV3+ on dilated ResNets, at like cost.

python run_all.py run --suite segmentation_rivals
"""

from __future__ import annotations

from benchmarks.experiment.cell import make_cell
from benchmarks.experiment.suite import Suite
from benchmarks.tables.task_table import TaskTable

MODELS = ("hrnet_micro_w8", "pspnet_micro", "deeplabv3plus_micro")
"""At 90, 88 and 87 million multiply-adds for 128x256 pixels."""
COLUMNS = ("mIoU", "pixel_acc", "avg_acc", "mIoU/present", "absent")


def suite(tier: str = "embedded") -> Suite:
    """Three cells on the embedded Cityscapes, about a minute on one core each; HRNetV2's is the embedded suite's own.

    Measured with one seed, mIoU: HRNetV2 56.4, PSPNet 51.8, DeepLabV3+ 49.3.
    """
    rows = tuple(make_cell("segmentation", "cityscapes", model, tier=tier) for model in MODELS)
    ids = tuple(cell.id for cell in rows)
    title = "Cityscapes rivals, embedded"
    table = TaskTable(f"{tier}_segmentation_rivals", title, "segmentation", "cityscapes", ids, COLUMNS)
    return Suite("segmentation_rivals", rows, (table,), "Serial rivals in segmentation on the embedded street scenes.")
