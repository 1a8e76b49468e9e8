"""Landmark networks: heat maps, with the conventions of HRNet's face code."""

from __future__ import annotations

from typing import Any

from benchmarks.baselines import traits_of
from tasks.heatmaps import heads


def build(model: str, dataset: str, representation: str, num_points: int, **options: Any) -> heads.HeatmapModel:
    """The landmark network of a body; see `tasks.heatmaps.heads.build`.

    HRNet exchanges bilinearly without aligned corners, with BN momentum 0.01 (protocols 1.2). Weights of body, mixing convolution
    and head start from N(0, 0.001), biases as PyTorch's.
    """
    # The micro sizes are trained from nothing in a few epochs: weights of N(0, 0.001) and slow statistics suit ImageNet's.
    micro = traits_of(model).micro
    conventions = {
        "upsample": "bilinear",
        "align_corners": False,
        "bn_momentum": 0.1 if micro else 0.01,
        "init": "kaiming" if micro else "normal_0.001",
    }
    start: dict[str, Any] = {"conventions": conventions, "biases": "zero" if micro else "uniform"}
    made = heads.build("landmarks", model, dataset, representation, num_points, **start, **options)
    if micro and isinstance(made, heads.HourglassModel):
        heads.start_quietly(made.body)
    return made
