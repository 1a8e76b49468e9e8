"""Rescoring and non-maximum suppression of poses by object keypoint similarity (OKS). NumPy only.

Source: docs/protocols.md, section 3. The area of a pose is that of its *padded* box (200 s_w x 200 s_h).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def oks(
    keypoints: ArrayLike, others: ArrayLike, area: float, other_areas: ArrayLike, sigmas: ArrayLike
) -> NDArray[np.float64]:
    """OKS (N,) in [0, 1] of one pose (J, >=2) with others (N, J, >=2), scaled by the mean of the two areas; sigmas (J,)."""
    sigma = np.asarray(sigmas, dtype=np.float64)
    one, many = np.asarray(keypoints), np.asarray(others)
    squared = (many[..., 0] - one[..., 0]) ** 2 + (many[..., 1] - one[..., 1]) ** 2
    mean_area = (area + np.asarray(other_areas, dtype=np.float64)) / 2 + np.spacing(1)
    return np.exp(-(squared / (2 * sigma) ** 2 / mean_area[:, None] / 2)).mean(-1)


def oks_nms(
    keypoints: ArrayLike, scores: ArrayLike, areas: ArrayLike, threshold: float, sigmas: ArrayLike
) -> NDArray[np.intp]:
    """Indices of the poses (N, J, >=2) that survive greedy suppression, best score first.

    A pose goes where its OKS with a better one exceeds the threshold.
    """
    poses, area = np.asarray(keypoints), np.asarray(areas, dtype=np.float64)
    order = np.asarray(scores).argsort()[::-1]
    kept: list[int] = []
    while order.size:
        best, order = order[0], order[1:]
        kept.append(int(best))
        order = order[oks(poses[best], poses[order], float(area[best]), area[order], sigmas) <= threshold]
    return np.array(kept, dtype=np.intp)


def soft_oks_nms(
    keypoints: ArrayLike,
    scores: ArrayLike,
    areas: ArrayLike,
    threshold: float,
    sigmas: ArrayLike,
    max_poses: int = 20,
) -> NDArray[np.intp]:
    """As `oks_nms`, but the others' scores decay by exp(-OKS^2 / threshold), and at most `max_poses` are taken."""
    poses, area = np.asarray(keypoints), np.asarray(areas, dtype=np.float64)
    order = np.asarray(scores).argsort()[::-1]
    left = np.asarray(scores, dtype=np.float64)[order]
    kept: list[int] = []
    while order.size and len(kept) < max_poses:
        best, order = order[0], order[1:]
        kept.append(int(best))
        left = left[1:] * np.exp(
            -(oks(poses[best], poses[order], float(area[best]), area[order], sigmas) ** 2) / threshold
        )
        ranking = left.argsort()[::-1]
        order, left = order[ranking], left[ranking]
    return np.array(kept, dtype=np.intp)


def rescore(box_scores: ArrayLike, keypoint_scores: ArrayLike, threshold: float = 0.2) -> NDArray[np.float64]:
    """Pose scores (N,): box score times the mean of the keypoint scores (N, J) above the threshold, 0 where none is."""
    points = np.asarray(keypoint_scores, dtype=np.float64)
    counted = points > threshold
    mean = np.where(counted, points, 0).sum(-1) / np.maximum(counted.sum(-1), 1)
    return np.asarray(box_scores, dtype=np.float64) * mean
