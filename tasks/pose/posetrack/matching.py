"""How like the poses of two frames are. NumPy only."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.pose.posetrack.boxes import box_around
from tasks.pose.skeletons.nms import oks
from tasks.pose.skeletons.posetrack import POSETRACK
from tasks.tracking.joining import box_iou

Similarity = Literal["oks", "iou"]


def oks_matrix(
    poses: ArrayLike, areas: ArrayLike, others: ArrayLike, other_areas: ArrayLike, sigmas: ArrayLike | None = None
) -> NDArray[np.float64]:
    """(N, M) OKS of poses (N, J, 2) with others (M, J, 2): every joint counts, and the area is the mean of both (px^2)."""
    sigma = POSETRACK.sigmas() if sigmas is None else np.asarray(sigmas, dtype=np.float64)
    many = np.asarray(others, dtype=np.float64).reshape(-1, len(sigma), 2)
    rows = [
        oks(pose, many, float(area), other_areas, sigma)
        for pose, area in zip(np.asarray(poses, dtype=np.float64), np.asarray(areas), strict=True)
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(many))


def similarities(
    kind: Similarity, earlier: ArrayLike, current: ArrayLike, sigmas: ArrayLike | None = None
) -> NDArray[np.float64]:
    """(M, N) similarity of earlier poses (M, J, 2) and current ones (N, J, 2).

    Args:
        kind: "oks", with the areas of the poses' extents, or "iou", of their extents. sigmas: (J,), PoseTrack's if None.
    """
    old, new = box_around(earlier, 0.0), box_around(current, 0.0)
    if kind == "iou":
        return box_iou(old, new)
    old_areas, new_areas = (np.prod(box[:, 2:] - box[:, :2], axis=1) for box in (old, new))
    return oks_matrix(earlier, old_areas, current, new_areas, sigmas)
