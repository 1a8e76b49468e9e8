"""Heat maps read from the map at 1/4, 1/8 or 1/16 of the input.

python run_all.py run --suite ablation_resolution
"""

from __future__ import annotations

from benchmarks.experiment.suite import Suite
from benchmarks.suites.parts.ablation import models_of, resolution


def suite(tier: str = "embedded", models: str = "") -> Suite:
    """Pose on COCO, as in the paper."""
    bodies = models_of(models, tier, with_serial=False)
    return Suite.joined("ablation_resolution", [resolution("pose", "coco", bodies, tier)], "The map that is read.")
