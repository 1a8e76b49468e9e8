"""PoseTrack's 15 joints of COCO's 17, for networks that were trained on COCO. NumPy only.

The 13 common joints are copied; the neck is the middle of the shoulders, the head top as far above the nose as the nose is above
that middle (DetectAndTrack 9d64bfb).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.pose.skeletons.coco import COCO
from tasks.pose.skeletons.posetrack import POSETRACK

_COMMON = [(joint, COCO.names.index(name)) for joint, name in enumerate(POSETRACK.names) if name in COCO.names]
_SHOULDERS = [COCO.names.index("left_shoulder"), COCO.names.index("right_shoulder")]
_NOSE, _NECK, _TOP = COCO.names.index("nose"), POSETRACK.names.index("neck"), POSETRACK.names.index("head_top")

JointScore = Literal["local", "global", "scaled"]


def posetrack_from_coco(keypoints: ArrayLike) -> NDArray[np.float64]:
    """(..., 15, 3) x, y, score of COCO's (..., 17, 3); the two new joints get the mean of the shoulders' scores."""
    given = np.asarray(keypoints, dtype=np.float64)
    made = np.zeros((*given.shape[:-2], len(POSETRACK.names), 3))
    for joint, place in _COMMON:
        made[..., joint, :] = given[..., place, :]
    middle = given[..., _SHOULDERS, :].mean(-2)
    made[..., _NECK, :] = middle
    made[..., _TOP, :2] = 2 * given[..., _NOSE, :2] - middle[..., :2]
    made[..., _TOP, 2] = middle[..., 2]
    return made


def joint_scores(local: ArrayLike, person: ArrayLike, kind: JointScore) -> NDArray[np.float64]:
    """(N, J) scores by which average precision ranks joints: their own (`local`), the person's (`global`), or the product."""
    own = np.asarray(local, dtype=np.float64)
    whole = np.broadcast_to(np.asarray(person, dtype=np.float64)[:, None], own.shape)
    return own if kind == "local" else np.array(whole) if kind == "global" else own * whole
