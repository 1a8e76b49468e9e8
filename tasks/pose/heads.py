"""Pose networks: heat maps, with the conventions of HRNet's pose code."""

from __future__ import annotations

from typing import Any

from benchmarks.baselines import traits_of
from tasks.heatmaps import heads
from tasks.heatmaps.flip import COMBINED
from tasks.pose.protocol import body_of, coding_of


def build(
    model: str,
    dataset: str,
    representation: str,
    num_joints: int,
    level: int = 0,
    offsets: bool | None = None,
    **options: Any,
) -> heads.HeatmapModel:
    """The pose network of a body; see `tasks.heatmaps.heads.build`.

    HRNet computes the last exchange for the highest resolution only where nothing else reads it, and starts from N(0, 0.001).

    Args:
        model: a body's name, or one that ends in "_udp" or "_udp_regress".
        offsets: whether three maps a joint are predicted, UDP's disc and offsets; None: as the model's name or body says.
    """
    body = body_of(model)
    conventions = {
        # The micro sizes start from nothing: N(0, 0.001) suits weights that ImageNet overwrites.
        "init": "kaiming" if traits_of(body).micro else "normal_0.001",
        "fuse_last": "one" if representation == "V1" and level == 0 else "all",
    }
    combined = coding_of(model) == "udp_combined" if offsets is None else offsets
    return heads.build(
        "pose",
        body,
        dataset,
        representation,
        num_joints,
        conventions=conventions,
        level=level,
        maps_per_point=COMBINED if combined else 1,
        name=model,
        **options,
    )
