"""Which exchanges between resolutions HRNet needs: final only, across stages too, within stages too.

python run_all.py run --suite ablation_exchange
"""

from __future__ import annotations

from benchmarks.experiment.suite import Suite
from benchmarks.suites.parts.ablation import exchange, models_of


def suite(tier: str = "embedded", models: str = "") -> Suite:
    """Pose (COCO) and segmentation (Cityscapes), as in the paper."""
    bodies = models_of(models, tier, with_serial=False)
    parts = [
        exchange(task, dataset, bodies, tier) for task, dataset in (("pose", "coco"), ("segmentation", "cityscapes"))
    ]
    return Suite.joined("ablation_exchange", parts, "Exchange units that are kept.")
