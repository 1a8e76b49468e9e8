"""V1, V1h, V2 and V2p of fixed bodies on every task: what the head sees, everything else being equal.

python run_all.py run --suite ablation_representation
"""

from __future__ import annotations

from benchmarks.experiment.suite import Suite
from benchmarks.suites.parts.ablation import models_of, representation
from tasks import task_names
from tasks.options import nearest

DATASETS = {"pose": "coco", "segmentation": "cityscapes", "landmarks": "300w", "detection": "coco"}


def suite(tier: str = "embedded", models: str = "", tasks: str = "") -> Suite:
    """HRNet and a serial body by default; `models` and `tasks` name others, separated by commas."""
    wanted = [name for name in tasks.split(",") if name] or [name for name in DATASETS if name in task_names()]
    for name in wanted:
        if name not in DATASETS:
            raise ValueError(f"Unknown task {name!r}. {nearest(name, DATASETS)}")
    parts = [representation(task, DATASETS[task], models_of(models, tier), tier) for task in wanted]
    return Suite.joined("ablation_representation", parts, "What the head sees of the body's maps.")
