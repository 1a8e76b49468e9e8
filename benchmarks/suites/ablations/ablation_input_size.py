"""Input sizes of the pose network, HRNet beside SimpleBaseline.

python run_all.py run --suite ablation_input_size
"""

from __future__ import annotations

from benchmarks.experiment.suite import Suite
from benchmarks.suites.parts.ablation import input_size

MODELS = {"full": ("hrnet_w32", "simple_baseline_r50")}


def suite(tier: str = "embedded", models: str = "") -> Suite:
    """Pose on COCO, as in the paper."""
    bodies = tuple(name for name in models.split(",") if name)
    bodies = bodies or MODELS.get(tier, ("hrnet_micro_w8", "simple_baseline_micro"))
    return Suite.joined("ablation_input_size", [input_size("pose", "coco", bodies, tier)], "Size of the input.")
