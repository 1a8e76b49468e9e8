"""What the joints of a dataset are: names, mirror pairs, halves, bones, tolerances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tasks.coco.categories import plain_name

PLAIN_SIGMA = 0.08
"""OKS tolerance in tracking of joints whose dataset has none (MPII): between those of COCO's shoulders and hips."""

LEGS = ("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle")
ARMS = ("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist")
"""Joints in the order that MPII and PoseTrack share."""


@dataclass(frozen=True)
class Skeleton:
    """One dataset's joints, in the order of its annotation files.

    `pairs` are (left-or-right, right-or-left) indices that change places in a mirror; `upper` the joints of the upper
    body for the half-body augmentation; `bones` what a drawing connects; `oks_sigmas` the tolerances of the object keypoint
    similarity (None where a dataset has none); `loss_weights` the optional per-joint factors, off in every published recipe.
    """

    names: tuple[str, ...]
    pairs: tuple[tuple[int, int], ...]
    upper: tuple[int, ...]
    bones: tuple[tuple[int, int], ...]
    loss_weights: tuple[float, ...]
    oks_sigmas: tuple[float, ...] | None = None

    @property
    def num_joints(self) -> int:
        """How many joints there are."""
        return len(self.names)

    def sigmas(self) -> np.ndarray:
        """OKS tolerances (J,) float64.

        Raises:
            ValueError: the dataset has none.
        """
        if self.oks_sigmas is None:
            raise ValueError(
                "Expected a skeleton with OKS tolerances (sigmas) but got one without: its dataset is not scored by OKS"
            )
        return np.array(self.oks_sigmas)

    def track_sigmas(self) -> np.ndarray:
        """Tolerances (J,) float64 by which poses of successive frames are compared: the dataset's, or `PLAIN_SIGMA`."""
        return np.full(self.num_joints, PLAIN_SIGMA) if self.oks_sigmas is None else self.sigmas()


def tenths(*values: float) -> tuple[float, ...]:
    """COCO's tolerances as pycocotools writes them: ten times too large, and divided."""
    return tuple(value / 10.0 for value in values)


def check_joints(model: Any, skeleton: Skeleton) -> None:
    """Raises ValueError where a network's outputs are not a skeleton's joints: another number, or other names in its weights."""
    named = [str(name) for _, name in getattr(model, "classes", None) or ()]
    number = int(getattr(model, "num_outputs", skeleton.num_joints))
    if number != skeleton.num_joints:
        raise ValueError(
            f"Expected a network of {skeleton.num_joints} joints ({skeleton.names[0]}, {skeleton.names[1]}, ...), got one of "
            f"{number}; evaluate it on the dataset that it was trained for"
        )
    if named and [plain_name(name) for name in named] != [plain_name(name) for name in skeleton.names]:
        raise ValueError(
            f"Expected weights of the skeleton {', '.join(skeleton.names[:3])}, ..., got weights whose joints are "
            f"{', '.join(named[:3])}, ...: another skeleton of {number} joints; declare it as a dataset of its own "
            "(docs/own_datasets.md), or evaluate weights of this one"
        )
