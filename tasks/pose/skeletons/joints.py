"""The joints of COCO, MPII and PoseTrack: names, mirror pairs, halves, bones, tolerances.

Facts of docs/protocols.md, sections 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tasks.coco.categories import plain_name


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


def _tenths(*values: float) -> tuple[float, ...]:
    """COCO's tolerances as pycocotools writes them: ten times too large, and divided."""
    return tuple(value / 10.0 for value in values)


COCO = Skeleton(
    names=(
        "nose",
        "left_eye",
        "right_eye",
        "left_ear",
        "right_ear",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
    ),
    pairs=((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)),
    upper=tuple(range(11)),
    bones=(
        (15, 13),
        (13, 11),
        (16, 14),
        (14, 12),
        (11, 12),
        (5, 11),
        (6, 12),
        (5, 6),
        (5, 7),
        (7, 9),
        (6, 8),
        (8, 10),
        (1, 2),
        (0, 1),
        (0, 2),
        (1, 3),
        (2, 4),
        (3, 5),
        (4, 6),
    ),
    loss_weights=(1, 1, 1, 1, 1, 1, 1, 1.2, 1.2, 1.5, 1.5, 1, 1, 1.2, 1.2, 1.5, 1.5),
    oks_sigmas=_tenths(
        0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72, 0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89, 0.89
    ),
)

MPII = Skeleton(
    names=(
        "right_ankle",
        "right_knee",
        "right_hip",
        "left_hip",
        "left_knee",
        "left_ankle",
        "pelvis",
        "thorax",
        "upper_neck",
        "head_top",
        "right_wrist",
        "right_elbow",
        "right_shoulder",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
    ),
    pairs=((0, 5), (1, 4), (2, 3), (10, 15), (11, 14), (12, 13)),
    upper=tuple(range(7, 16)),
    bones=(
        (0, 1),
        (1, 2),
        (2, 6),
        (3, 6),
        (3, 4),
        (4, 5),
        (6, 7),
        (7, 8),
        (8, 9),
        (10, 11),
        (11, 12),
        (12, 7),
        (13, 7),
        (13, 14),
        (14, 15),
    ),
    loss_weights=(1.5, 1.2, 1, 1, 1.2, 1.5, 1, 1, 1, 1, 1.5, 1.2, 1, 1, 1.2, 1.5),
)

POSETRACK = Skeleton(
    # The ids of the 2017 files and of every evaluation; 2018's files name the neck head_bottom.
    names=(
        "right_ankle",
        "right_knee",
        "right_hip",
        "left_hip",
        "left_knee",
        "left_ankle",
        "right_wrist",
        "right_elbow",
        "right_shoulder",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "neck",
        "nose",
        "head_top",
    ),
    pairs=((0, 5), (1, 4), (2, 3), (6, 11), (7, 10), (8, 9)),
    upper=tuple(range(6, 15)),
    bones=(
        (0, 1),
        (1, 2),
        (5, 4),
        (4, 3),
        (2, 3),
        (2, 8),
        (3, 9),
        (8, 9),
        (8, 7),
        (7, 6),
        (9, 10),
        (10, 11),
        (8, 12),
        (9, 12),
        (12, 13),
        (13, 14),
    ),
    loss_weights=(1.5, 1.2, 1, 1, 1.2, 1.5, 1.5, 1.2, 1, 1, 1.2, 1.5, 1, 1, 1),
    oks_sigmas=_tenths(0.89, 0.87, 1.07, 1.07, 0.87, 0.89, 0.62, 0.72, 0.79, 0.79, 0.72, 0.62, 0.25, 0.26, 0.25),
)


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
            "(tasks/pose/README.md), or evaluate weights of this one"
        )
