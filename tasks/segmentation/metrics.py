"""Confusion matrices and what follows from them. NumPy only.

Rows are ground truth. The statistic per image is its whole matrix, so every figure can be had for any subset of images.
Conventions: docs/protocols.md, section 6, and trap T15.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.segmentation.files.classes import IGNORE

Stats = dict[str, np.ndarray]
RUNS_SHARE = 16
"""Counting by runs pays where a map has at least this many pixels per run; noisier maps are counted pixel by pixel."""


def confusion_matrix(
    label: NDArray[np.integer], prediction: NDArray[np.integer], num_classes: int, where: str = "this label map"
) -> NDArray[np.int64]:
    """Pixels of each class (row) predicted as each class (column): (K, K) int64; pixels labelled 255 do not count.

    See :func:`confusion_and_others` for predictions that may be of no class.

    Label maps are mostly made of long runs, so runs over which neither map changes are counted instead of pixels: tens of times
    faster than sorting pairs of values.

    Args:
        label: (H, W) classes, 255 where ignored. prediction: (H, W) classes.
        where: names the map in errors.

    Raises:
        ValueError: the sizes differ, or a value is out of range; the usual cause is named.
    """
    matrix, others = confusion_and_others(label, prediction, num_classes, where)
    if others.any():
        raise ValueError(_wrong_text(where, num_classes, [IGNORE]))
    return matrix


def confusion_and_others(
    label: NDArray[np.integer], prediction: NDArray[np.integer], num_classes: int, where: str = "this label map"
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """As :func:`confusion_matrix`, and (K,) the pixels of each class whose prediction is of no class (255)."""
    if label.shape != prediction.shape:
        raise ValueError(
            f"{where}: expected a prediction of the label's size {_size(label)}, got {_size(prediction)}; "
            "resize the scores to the label before taking the best class."
        )
    truth, found = _bytes(label, where, "label", num_classes), _bytes(prediction, where, "prediction", num_classes)
    return from_pairs(_count_pairs(truth.ravel(), found.ravel()).reshape(256, 256), num_classes, where)


def from_pairs(
    counts: NDArray[np.int64], num_classes: int, where: str = "this label map"
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """As :func:`confusion_and_others`, of how often each pair of bytes occurs: (256, 256), rows are the label's.

    Raises:
        ValueError: a value is out of range.
    """
    outside = np.flatnonzero(counts[num_classes:IGNORE].any(axis=1)) + num_classes
    if outside.size:
        raise ValueError(f"{where}: {_range_text(outside, num_classes)}")
    wrong = np.flatnonzero(counts[:, num_classes:IGNORE].any(axis=0)) + num_classes
    if wrong.size:
        raise ValueError(_wrong_text(where, num_classes, wrong[:5].tolist()))
    return counts[:num_classes, :num_classes].copy(), counts[:num_classes, IGNORE].copy()


def _wrong_text(where: str, num_classes: int, found: list[int]) -> str:
    return (
        f"{where}: expected predicted classes 0..{num_classes - 1}, got {found}; predictions are classes (train ids), not the "
        "ids of label files."
    )


def _bytes(values: NDArray[np.integer], where: str, what: str, num_classes: int) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return values  # type: ignore[return-value]
    if values.size and (values.min() < 0 or values.max() > 255):
        raise ValueError(
            f"{where}: expected {what} values 0..{num_classes - 1} or {IGNORE}, got {int(values.min())}..{int(values.max())}; "
            f"mark ignored pixels with {IGNORE}, not with a negative number."
        )
    return values.astype(np.uint8)


def _count_pairs(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(N,) and (N,) bytes -> (65536,) how often each pair (256 * first + second) occurs."""
    if first.size == 0:
        return np.zeros(65536, np.int64)
    changed = first[1:] != first[:-1]
    changed |= second[1:] != second[:-1]
    borders = np.flatnonzero(changed)
    if len(borders) * RUNS_SHARE > first.size:
        codes = first.astype(np.uint16)
        codes <<= 8
        codes |= second
        return np.bincount(codes, minlength=65536)
    edges = np.empty(len(borders) + 2, np.int64)
    edges[0], edges[1:-1], edges[-1] = 0, borders + 1, first.size
    starts = edges[:-1]
    codes = first[starts].astype(np.uint16)
    codes <<= 8
    codes |= second[starts]
    # Sums of integers below 2**53 are exact in double precision.
    return np.bincount(codes, weights=np.diff(edges), minlength=65536).astype(np.int64)


def _range_text(values: NDArray[np.integer], num_classes: int) -> str:
    text = f"expected classes 0..{num_classes - 1} or {IGNORE} (ignored), got {values[:5].tolist()}"
    if values.max() == num_classes:
        return f"{text}: one class more: is there a background of 0 that is not among the {num_classes}?"
    return f"{text}: label ids stand where train ids (classes) belong, or the label belongs to another dataset."


def _size(values: NDArray[Any]) -> str:
    return "x".join(str(n) for n in reversed(values.shape[:2])) if values.ndim == 2 else f"shape {values.shape}"


def label_map_confusion(
    labels: Sequence[NDArray[np.integer]], predictions: Sequence[NDArray[np.integer]], num_classes: int
) -> NDArray[np.int64]:
    """Matrices of several maps: (N, K, K) int64."""
    pairs = zip(labels, predictions, strict=True)
    made = [confusion_matrix(a, b, num_classes, f"map {i}") for i, (a, b) in enumerate(pairs)]
    return np.stack(made) if made else np.zeros((0, num_classes, num_classes), np.int64)


def figures_of(
    correct: NDArray[np.int64], truth: NDArray[np.int64], predicted: NDArray[np.int64], names: Sequence[str]
) -> dict[str, float]:
    """Figures in percent from pooled pixel counts per class, each (K,).

    * ``mIoU``: mean over all classes of tp / max(1, truth + predicted - tp). A class that occurs neither in the truth nor in
      the predictions counts 0, as in the reference; ``absent`` says how many there are, ``mIoU/present`` leaves them out.
    * ``pixel_acc``: correct pixels over labelled pixels. ``avg_acc``: mean over all classes of tp / max(1, truth).
    * ``IoU/name`` per class; not a number where the class is absent.

    Without a single labelled pixel (a test split) every figure is not a number.
    """
    k = len(names)
    if truth.sum() == 0:
        blank = {key: float("nan") for key in ("mIoU", "mIoU/present", "pixel_acc", "avg_acc", "absent")}
        return {**blank, **{f"IoU/{name}": float("nan") for name in names}}
    union = truth + predicted - correct
    iou = correct / np.maximum(1, union)
    present = union > 0
    figures = {
        "mIoU": 100 * float(iou.sum() / k),
        "mIoU/present": 100 * float(iou[present].mean()),
        "pixel_acc": 100 * float(correct.sum() / truth.sum()),
        "avg_acc": 100 * float((correct / np.maximum(1, truth)).sum() / k),
        "absent": float(np.count_nonzero(~present)),
    }
    for name, value, there in zip(names, iou, present, strict=True):
        figures[f"IoU/{name}"] = 100 * float(value) if there else float("nan")
    return figures


def iou_per_class(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """(K,) tp / max(1, truth + predicted - tp) of a pooled matrix (K, K), 0 to 1; 0 for an absent class, as the reference."""
    correct = np.diagonal(confusion)
    return correct / np.maximum(1, confusion.sum(axis=1) + confusion.sum(axis=0) - correct)


def figures_from_confusion(confusion: NDArray[np.int64], names: Sequence[str]) -> dict[str, float]:
    """:func:`figures_of` for a matrix (K, K) or several (N, K, K), which are pooled."""
    pooled = confusion.reshape(-1, *confusion.shape[-2:]).sum(axis=0)
    return figures_of(np.diagonal(pooled), pooled.sum(axis=1), pooled.sum(axis=0), names)


def stats_of(image_ids: Sequence[str], confusion: NDArray[np.int64], others: NDArray[np.int64] | None = None) -> Stats:
    """Per-image statistics: ``confusion`` (N, K, K) and its marginals, from which a bootstrap draw costs little.

    Args:
        others: (N, K) pixels of each class whose prediction is of no class: part of the truth, and missed.
    """
    truth = confusion.sum(axis=2)
    return {
        "image": np.asarray(image_ids),
        "confusion": confusion,
        "correct": np.diagonal(confusion, axis1=1, axis2=2).copy(),
        "truth": truth if others is None else truth + others,
        "predicted": confusion.sum(axis=1),
    }


def figures_from_stats(
    stats: Mapping[str, np.ndarray], names: Sequence[str], counts: NDArray[np.integer] | None = None
) -> dict[str, float]:
    """Figures of :func:`stats_of`, every image counted ``counts`` times (None: once)."""
    parts = []
    for key in ("correct", "truth", "predicted"):
        values = stats[key].astype(np.int64)
        parts.append(values.sum(axis=0) if counts is None else np.asarray(counts, np.int64) @ values)
    return figures_of(parts[0], parts[1], parts[2], names)


def image_scores(stats: Mapping[str, np.ndarray]) -> NDArray[np.float64]:
    """(N,) mean IoU of each image over the classes in its truth or prediction; NaN where nothing is labelled."""
    union = stats["truth"] + stats["predicted"] - stats["correct"]
    present = union > 0
    iou = np.where(present, stats["correct"] / np.maximum(1, union), 0.0)
    number = present.sum(axis=1)
    scores = iou.sum(axis=1) / np.maximum(1, number)
    return np.where(stats["truth"].sum(axis=1) > 0, scores, np.nan)
