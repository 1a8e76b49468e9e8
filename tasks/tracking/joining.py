"""Which of what is found in a frame continues which tracks. NumPy and SciPy only; ties go to the first row and column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Assignment = Literal["greedy", "sequential", "hungarian"]


def box_iou(boxes_xyxy: ArrayLike, others_xyxy: ArrayLike) -> NDArray[np.float64]:
    """(N, M) IoU of boxes (N, 4) with others (M, 4)."""
    one, many = np.asarray(boxes_xyxy, dtype=np.float64), np.asarray(others_xyxy, dtype=np.float64)
    low = np.maximum(one[:, None, :2], many[None, :, :2])
    high = np.minimum(one[:, None, 2:], many[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=2)
    areas = np.prod(one[:, 2:] - one[:, :2], axis=1)[:, None] + np.prod(many[:, 2:] - many[:, :2], axis=1)[None]
    return np.asarray(common / np.maximum(areas - common, 1e-12), dtype=np.float64)


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


def pairs_of_least_cost(costs: NDArray[np.float64]) -> list[tuple[int, int]]:
    """As many allowed pairs (row, column) as possible, and of those the cheapest; infinite costs are not allowed."""
    from scipy.optimize import linear_sum_assignment

    allowed = np.isfinite(costs)
    if not allowed.any():
        return []
    dear = 2.0 * min(costs.shape) * (float(np.abs(costs[allowed]).max()) + 1)
    rows, columns = linear_sum_assignment(np.where(allowed, costs, dear))
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if allowed[row, column]]


class BoxTracks:
    """Gives the boxes of successive frames track ids: a box continues the track whose last box it overlaps most.

    Args:
        least_iou: no overlap at or below it is taken for the same object. memory: for so many frames a track waits for its
            object to come back.
    """

    def __init__(self, least_iou: float = 0.3, memory: int = 12) -> None:
        self.least_iou, self.memory = least_iou, memory
        self._next = self._frame = 0
        self._held: dict[int, tuple[int, NDArray[np.float64]]] = {}

    def __call__(self, boxes_xyxy: ArrayLike) -> NDArray[np.int64]:
        """Ids (N,) of the next frame's boxes (N, 4); a new object gets the next free number."""
        boxes = np.asarray(boxes_xyxy, dtype=np.float64).reshape(-1, 4)
        self._frame += 1
        self._held = {name: one for name, one in self._held.items() if self._frame - one[0] <= self.memory}
        last = np.array([box for _, box in self._held.values()], dtype=np.float64).reshape(-1, 4)
        ids, self._next = continued(box_iou(last, boxes), list(self._held), self.least_iou, self._next, "hungarian")
        self._held |= {int(name): (self._frame, box) for name, box in zip(ids, boxes, strict=True)}
        return ids
