"""PCKh, both ways that it is published, from per-person errors. NumPy only.

The statistic kept per person is the error of each joint over the head size, NaN where a joint is missing; every figure
follows from it for any subset of persons. Source: docs/protocols.md, sections 4 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

HEAD_FACTOR = 0.6
# HRNet's "Mean@0.1" reads entry 11 of arange(0, 0.51, 0.01): the threshold is 0.11, and our labels say so.
THRESHOLD_0_11 = float(np.arange(0, 0.51, 0.01)[11])
GROUPS: dict[str, tuple[int, ...]] = {
    "Head": (9,),
    "Shoulder": (12, 13),
    "Elbow": (11, 14),
    "Wrist": (10, 15),
    "Hip": (2, 3),
    "Knee": (1, 4),
    "Ankle": (0, 5),
}
_LEFT_OUT = (6, 7)  # pelvis and thorax
_PYTORCH_POSE_JOINTS = tuple(joint for joint in range(16) if joint not in _LEFT_OUT)


def head_normalised_errors(
    predicted: ArrayLike, truth: ArrayLike, missing: ArrayLike, head_boxes: ArrayLike
) -> NDArray[np.float64]:
    """Distances over head size, (N, 16) float64, NaN where the joint is missing.

    Args:
        predicted, truth: (N, 16, 2) px in one coordinate convention (both 1-based, or both 0-based).
        missing: (N, 16), non-zero where the joint is not annotated.
        head_boxes: (N, 2, 2) corners [[x1, y1], [x2, y2]]; the head size is 0.6 of the diagonal.

    Raises:
        ValueError: shapes that do not belong together, a head box without extent, or a NaN where a joint is annotated.
    """
    found, true = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    absent, boxes = np.asarray(missing), np.asarray(head_boxes, dtype=np.float64)
    count = len(true)
    expected = [(count, 16, 2), (count, 16, 2), (count, 16), (count, 2, 2)]
    shapes = [found.shape, true.shape, absent.shape, boxes.shape]
    if shapes != expected:
        raise ValueError(
            f"Expected predictions, truth, missing and head boxes of shapes {expected} but got {shapes}; "
            "check that predictions and ground truth are of the same split"
        )
    head = np.linalg.norm(boxes[:, 1] - boxes[:, 0], axis=-1) * HEAD_FACTOR
    if not (head > 0).all():
        bad = np.flatnonzero(~(head > 0)).tolist()
        raise ValueError(f"Expected head boxes with an extent but records {bad[:10]} have none; correct headboxes_src")
    errors = np.linalg.norm(found - true, axis=-1) / head[:, None]
    if not np.isfinite(errors[absent == 0]).all():
        row, joint = np.argwhere(~np.isfinite(errors) & (absent == 0))[0].tolist()
        raise ValueError(
            f"Expected finite coordinates of annotated joints but got {found[row, joint].tolist()} (prediction) and "
            f"{true[row, joint].tolist()} (truth) for joint {joint} of record {row}; a NaN is not a missing joint"
        )
    return np.where(absent != 0, np.nan, errors)


def pckh_hrnet(errors: ArrayLike) -> dict[str, float]:
    """PCKh in per cent as HRNet's code reports it, from errors (N, 16).

    Correct is error <= 0.5. "Mean" weighs joints by how often they occur and leaves out pelvis and thorax (the upper
    neck counts, though no group shows it). "Mean@0.11" is what HRNet prints as Mean@0.1. NaN where nothing was
    annotated.
    """
    error = np.asarray(errors, dtype=np.float64)
    seen = ~np.isnan(error)
    counts = seen.sum(0)
    figures: dict[str, float] = {}
    rates = _rates(error <= 0.5, counts)
    for name, joints in GROUPS.items():
        group = rates[list(joints)]
        figures[name] = float(group[~np.isnan(group)].mean()) if not np.isnan(group).all() else float("nan")
    weights = counts.astype(np.float64)
    weights[list(_LEFT_OUT)] = 0
    figures["Mean"] = _weighted(rates, weights)
    figures["Mean@0.11"] = _weighted(_rates(error <= THRESHOLD_0_11, counts), weights)
    return figures


def pckh_pytorch_pose(errors: ArrayLike, threshold: float = 0.5, joints: Sequence[int] = _PYTORCH_POSE_JOINTS) -> float:
    """PCKh in per cent as pytorch-pose reports it: error < threshold, unweighted mean over 14 joints that occur."""
    error = np.asarray(errors, dtype=np.float64)
    counts = (~np.isnan(error)).sum(0)
    rates = _rates(error < threshold, counts)[list(joints)]
    return float(rates[~np.isnan(rates)].mean()) if not np.isnan(rates).all() else float("nan")


def joint_rates(errors: ArrayLike, threshold: float = 0.5) -> NDArray[np.float64]:
    """Share of correct joints in per cent (16,), error <= threshold, NaN where a joint never occurs."""
    error = np.asarray(errors, dtype=np.float64)
    return _rates(error <= threshold, (~np.isnan(error)).sum(0))


def _rates(correct: NDArray[np.bool_], counts: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.where(counts > 0, 100.0 * correct.sum(0) / np.maximum(counts, 1), np.nan)


def _weighted(rates: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    total = weights.sum()
    return float((np.where(weights > 0, rates, 0.0) * (weights / total)).sum()) if total > 0 else float("nan")
