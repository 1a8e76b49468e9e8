"""Pose networks: heat maps, with the conventions of HRNet's pose code."""

from __future__ import annotations

from typing import Any

from benchmarks.baselines import traits_of
from tasks.heatmaps import heads


def build(
    model: str, dataset: str, representation: str, num_joints: int, level: int = 0, **options: Any
) -> heads.HeatmapModel:
    """The pose network of a body; see `tasks.heatmaps.heads.build`.

    HRNet computes the last exchange for the highest resolution only where nothing else reads it, and starts from N(0, 0.001).
    """
    conventions = {
        # The micro sizes start from nothing: N(0, 0.001) suits weights that ImageNet overwrites.
        "init": "kaiming" if traits_of(model).micro else "normal_0.001",
        "fuse_last": "one" if representation == "V1" and level == 0 else "all",
    }
    return heads.build(
        "pose", model, dataset, representation, num_joints, conventions=conventions, level=level, **options
    )
