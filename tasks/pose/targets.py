"""Heat-map targets of a pose sample. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.heatmaps.simcc import simcc_targets
from tasks.heatmaps.targets import gaussian_targets
from tasks.heatmaps.udp import combined_targets, udp_targets


def pose_targets(
    joints_xy: ArrayLike,
    visible: ArrayLike,
    image_size_wh: Sequence[int],
    heatmap_size_wh: Sequence[int],
    sigma: float,
    rule: str = "pose",
    joint_weights: Sequence[float] | None = None,
    split: float = 2.0,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Targets and weights of one person.

    Args:
        joints_xy: (J, 2) in input pixels. visible: (J,) weights, 0 or 1.
        image_size_wh, heatmap_size_wh: sizes of the input and of the maps; their quotient is the stride.
        sigma: in heat-map cells (of SimCC: in classes). rule: one of `tasks.heatmaps.targets.RULES`, "udp", "udp_combined",
            "simcc" or "simcc_gaussian".
        joint_weights: (J,) factors on the weights, None for none. split: SimCC's classes a pixel.

    Returns:
        maps (J, height, width), (3 J, height, width) for "udp_combined", (J, 1, classes) for SimCC, and weights (J,), both
        float32.

    Raises:
        ValueError: the number of joints and of weights differ, or a visible joint is not finite.
    """
    xy = np.asarray(joints_xy, dtype=np.float64)
    if xy.ndim != 2 or xy.shape[1] != 2 or len(xy) != np.asarray(visible).size:
        raise ValueError(
            f"Expected joints (J, 2) with J visibilities but got {xy.shape} and {np.asarray(visible).shape}; "
            "check the dataset of the annotation file"
        )
    if rule in ("udp", "udp_combined", "simcc", "simcc_gaussian"):
        if rule.startswith("simcc"):
            maps, weight = simcc_targets(xy, visible, image_size_wh, split, rule, sigma)
        elif rule == "udp":
            maps, weight = udp_targets(xy, visible, image_size_wh, heatmap_size_wh, sigma)
        else:
            maps, weight = combined_targets(xy, visible, image_size_wh, heatmap_size_wh)
        return maps, weight if joint_weights is None else weight * np.asarray(joint_weights, dtype=np.float32)
    stride = np.asarray(image_size_wh, dtype=np.float64) / np.asarray(heatmap_size_wh, dtype=np.float64)
    cells = xy / stride
    if rule == "hourglass":
        cells = np.trunc(cells)  # pytorch-pose draws at a whole cell; the patch's corner is truncated from there
    maps, weight = gaussian_targets(cells, visible, heatmap_size_wh, sigma, rule)
    if joint_weights is not None:
        weight = weight * np.asarray(joint_weights, dtype=np.float32)
    return maps, weight
