"""Which of the poses found in a frame continue which tracks. NumPy and SciPy only; ties go to the first row and column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.pose.posetrack.boxes import box_around, box_iou
from tasks.pose.skeletons.nms import oks
from tasks.pose.skeletons.posetrack import POSETRACK

Assignment = Literal["greedy", "sequential", "hungarian"]
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


def track_similarities(
    similarity: ArrayLike, track_ids: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Tracks in ascending order (T,), and their similarity to each current pose (T, N): the largest of any pose remembered.

    Args:
        similarity: (M, N) of remembered poses and current ones. track_ids: (M,) whose each remembered pose is.
    """
    matrix = np.asarray(similarity, dtype=np.float64)
    owner = np.asarray(track_ids, dtype=np.int64)
    tracks = np.unique(owner)
    best = [matrix[owner == track].max(0) for track in tracks]
    return tracks, np.array(best, dtype=np.float64).reshape(len(tracks), matrix.shape[1] if matrix.ndim == 2 else 0)


def match(similarity: ArrayLike, threshold: float, how: Assignment = "greedy") -> NDArray[np.int64]:
    """(N,) row of the track that each current pose continues, -1 for none; no pair at or below `threshold` is matched.

    Args:
        similarity: (T, N). how: "greedy" takes the highest that is left, again and again; "sequential" lets the current poses
            choose in their order; "hungarian" maximises the sum over as many pairs as possible.
    """
    left = np.array(similarity, dtype=np.float64)
    given = np.full(left.shape[1] if left.ndim == 2 else 0, -1, dtype=np.int64)
    if not left.size:
        return given
    left[left <= threshold] = -np.inf
    if how == "hungarian":
        from tasks.pose.posetrack.clear_mot import pairs_of_least_cost

        for row, column in pairs_of_least_cost(-left):
            given[column] = row
        return given
    if how == "sequential":
        for column in range(left.shape[1]):
            row = int(left[:, column].argmax())
            if left[row, column] > -np.inf:
                given[column] = row
                left[row] = -np.inf
        return given
    while (best := left.max()) > -np.inf:
        row, column = divmod(int(np.flatnonzero(left.reshape(-1) == best)[0]), left.shape[1])
        given[column] = row
        left[row], left[:, column] = -np.inf, -np.inf
    return given


def continued(
    similarity: ArrayLike, track_ids: Sequence[int], threshold: float, next_id: int, how: Assignment = "greedy"
) -> tuple[NDArray[np.int64], int]:
    """Track ids (N,) of the current poses, and the next free id: those without a track start new ones, in their order.

    Args:
        similarity: (T, N) of tracks, whose ids are `track_ids`, and current poses.
    """
    rows = match(similarity, threshold, how)
    ids = np.where(rows >= 0, np.asarray(track_ids, dtype=np.int64)[rows] if len(track_ids) else -1, -1)
    fresh = np.flatnonzero(ids < 0)
    ids[fresh] = next_id + np.arange(len(fresh))
    return ids.astype(np.int64), next_id + len(fresh)
