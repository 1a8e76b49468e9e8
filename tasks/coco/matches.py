"""COCO's average precision and recall from per-image match lists. pycocotools does the matching.

`extract` keeps, for every image, what `COCOeval.evaluate` decided about its detections: score, and per threshold whether it was
matched or ignored. `accumulate` makes of them the numbers of `COCOeval.accumulate` and `summarize`, for any multiset of images,
so that a bootstrap needs neither network nor matching. Boxes, masks and keypoints alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Stats = dict[str, np.ndarray]
RECALL_POINTS = np.linspace(0.0, 1.0, 101)
THRESHOLDS = np.linspace(0.5, 0.95, 10)


@dataclass(frozen=True)
class Figure:
    """One summary number: average precision or recall over thresholds, an area range and a cap on detections per image."""

    name: str
    kind: str
    threshold: float | None = None
    area: str = "all"
    max_detections: int = 100


KEYPOINT_FIGURES: tuple[Figure, ...] = tuple(
    Figure(kind + suffix, kind, threshold, area, 20)
    for kind in ("AP", "AR")
    for suffix, threshold, area in (
        ("", None, "all"),
        ("50", 0.5, "all"),
        ("75", 0.75, "all"),
        ("M", None, "medium"),
        ("L", None, "large"),
    )
)

BOX_FIGURES: tuple[Figure, ...] = (
    Figure("AP", "AP"),
    Figure("AP50", "AP", 0.5),
    Figure("AP75", "AP", 0.75),
    Figure("APS", "AP", None, "small"),
    Figure("APM", "AP", None, "medium"),
    Figure("APL", "AP", None, "large"),
    Figure("AR@1", "AR", None, "all", 1),
    Figure("AR@10", "AR", None, "all", 10),
    Figure("AR@100", "AR", None, "all", 100),
    Figure("ARS", "AR", None, "small"),
    Figure("ARM", "AR", None, "medium"),
    Figure("ARL", "AR", None, "large"),
)


def extract(evaluator: Any, prefix: str = "", images: Sequence[str] | None = None) -> Stats:
    """Match lists of an evaluated `pycocotools.cocoeval.COCOeval` (after `.evaluate()`), for images in `params.imgIds` order.

    Args:
        images: names of the images in that order, where the evaluator's ids are not theirs.

    Returns:
        `image` (N,) text; `<prefix>category` (K,) ids; and for each area range `a` of the evaluator `<prefix><a>_start` (N + 1,)
        offsets into the ragged `<prefix><a>_score` float64, `_class` int16 (row of `category`), `_rank` int16 (place within image
        and category), `_matched` and `_ignored` uint16 (bit t for threshold t); and `<prefix><a>_truths` (N, K) int32, how
        many ground truths count.

    Raises:
        ValueError: not evaluated yet, or other thresholds than COCO's ten.
    """
    params = evaluator.params
    if not evaluator.evalImgs:
        raise ValueError("Expected an evaluator after .evaluate() but it holds no matches; call it first")
    if not np.allclose(params.iouThrs, THRESHOLDS):
        raise ValueError(f"Expected COCO's thresholds {THRESHOLDS.tolist()} but got {list(params.iouThrs)}")
    categories = list(params.catIds) if params.useCats else [-1]
    num_areas, num_images = len(params.areaRng), len(params.imgIds)
    bits = (1 << np.arange(len(THRESHOLDS))).astype(np.uint16)
    stats: Stats = {
        "image": np.array([str(image) for image in (params.imgIds if images is None else images)]),
        f"{prefix}category": np.array(categories, dtype=np.int64),
    }
    for area, label in enumerate(params.areaRngLbl):
        truths = np.zeros((num_images, len(categories)), dtype=np.int32)
        lengths = np.zeros(num_images, dtype=np.int64)
        parts: list[tuple[int, int, Any]] = []
        for image in range(num_images):
            for row in range(len(categories)):
                entry = evaluator.evalImgs[(row * num_areas + area) * num_images + image]
                if entry is None:
                    continue
                truths[image, row] = np.count_nonzero(np.asarray(entry["gtIgnore"]) == 0)
                lengths[image] += len(entry["dtScores"])
                if len(entry["dtScores"]):
                    parts.append((image, row, entry))
        name = f"{prefix}{label}"
        stats[f"{name}_start"] = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        stats[f"{name}_truths"] = truths
        counts = [len(entry["dtScores"]) for _, _, entry in parts]
        stats[f"{name}_score"] = _joined([entry["dtScores"] for _, _, entry in parts], np.float64)
        stats[f"{name}_class"] = np.repeat([row for _, row, _ in parts], counts).astype(np.int16)
        stats[f"{name}_rank"] = _joined([np.arange(count) for count in counts], np.int16)
        stats[f"{name}_matched"] = _joined([bits @ (entry["dtMatches"] > 0) for _, _, entry in parts], np.uint16)
        stats[f"{name}_ignored"] = _joined([bits @ (entry["dtIgnore"] > 0) for _, _, entry in parts], np.uint16)
    return stats


def accumulate(
    stats: Stats, figures: Sequence[Figure], counts: NDArray[np.integer] | None = None, prefix: str = ""
) -> dict[str, float]:
    """COCO's summary numbers in per cent; NaN where there is no ground truth (COCOeval prints -1).

    Args:
        stats: what `extract` returned. figures: the numbers wanted.
        counts: (N,) how often each image counts; None counts each once.
        prefix: as given to `extract`.
    """
    tables: dict[tuple[str, int], tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    result: dict[str, float] = {}
    for figure in figures:
        key = (figure.area, figure.max_detections)
        if key not in tables:
            tables[key] = _averages(stats, figure.area, figure.max_detections, counts, prefix)
        values = tables[key][0 if figure.kind == "AP" else 1]
        if figure.threshold is not None:
            values = values[:, np.isclose(THRESHOLDS, figure.threshold)]
        known = ~np.isnan(values)
        result[figure.name] = float(100.0 * values[known].mean()) if known.any() else float("nan")
    return result


def _averages(
    stats: Stats, area: str, max_detections: int, counts: NDArray[np.integer] | None, prefix: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of interpolated precision over recall points (K, T), and final recall (K, T), as :func:`curves` gives them.

    Precision falls between true positives, so that they alone are looked at: for each, precision from there on and how many
    recall points it is the first to reach.
    """
    sorted_ = _sorted(stats, area, max_detections, prefix)
    hits = sorted_.hits
    times = np.ones(sorted_.num_images, dtype=np.int64) if counts is None else np.asarray(counts, dtype=np.int64)
    truths = times @ stats[f"{prefix}{area}_truths"]
    shape = (len(sorted_.classes), len(THRESHOLDS))
    known = np.repeat(truths > 0, len(THRESHOLDS))
    average, recall = np.where(known, 0.0, np.nan), np.where(known, 0.0, np.nan)
    filled = np.flatnonzero(np.diff(hits.start) > 0)
    filled = filled[known[filled]]
    if not len(filled):
        return average.reshape(shape), recall.reshape(shape)
    # Weights are whole numbers, so that differences of running sums are exact.
    every = np.concatenate([[0], np.cumsum(times[hits.every_image])])
    without = np.concatenate([[0], np.cumsum(times[hits.ignored_image])])
    true = np.concatenate([[0], np.cumsum(times[hits.image])])
    segment = hits.segment
    true = true[1:] - true[hits.start[:-1]][segment]
    counted = (
        every[hits.upto]
        - every[hits.begin][segment]
        - without[hits.ignored_upto]
        + without[hits.ignored_begin][segment]
    )
    precision = true / (counted + np.spacing(1))
    for one in filled:
        part = precision[hits.start[one] : hits.start[one + 1]]
        part[:] = np.maximum.accumulate(part[::-1])[::-1]
    tables = np.repeat(np.cumsum(truths + 1) - truths - 1, len(THRESHOLDS))
    reached = _points_reached(truths)[tables[segment] + true]
    first = hits.start[:-1][filled]
    gained = np.diff(reached, prepend=0)
    gained[first] = reached[first]
    ends = hits.start[1:][filled] - 1
    average[filled] = np.add.reduceat(precision * gained, first) / len(RECALL_POINTS)
    recall[filled] = true[ends] / np.repeat(truths, len(THRESHOLDS))[filled]
    return average.reshape(shape), recall.reshape(shape)


def curves(
    stats: Stats,
    area: str = "all",
    max_detections: int = 100,
    counts: NDArray[np.integer] | None = None,
    prefix: str = "",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Interpolated precision (K, T, 101) at `RECALL_POINTS` and final recall (K, T); NaN for classes without ground truth."""
    sorted_ = _sorted(stats, area, max_detections, prefix)
    times = np.ones(sorted_.num_images, dtype=np.int64) if counts is None else np.asarray(counts, dtype=np.int64)
    truths = times @ stats[f"{prefix}{area}_truths"]
    num_classes = len(sorted_.classes)
    precision = np.full((num_classes, len(THRESHOLDS), len(RECALL_POINTS)), np.nan)
    recall = np.full((num_classes, len(THRESHOLDS)), np.nan)
    for row in np.flatnonzero(truths > 0):
        images, true, false = sorted_.classes[row]
        weight = times[images]
        precision[row], recall[row] = _precision_recall(true * weight, false * weight, int(truths[row]))
    return precision, recall


@dataclass(frozen=True)
class _Hits:
    """True positives of all segments (classes times thresholds) one after the other, each in order of score.

    Attributes:
        start: (S + 1,) where segments begin. segment, image: (H,) of each hit.
        every_image: of all detections by class; `begin` (S,) and `upto` (H,) are places in its running sum, before a segment's
            class and after a hit.
        ignored_image, ignored_begin, ignored_upto: the same of detections that a segment ignores.
    """

    start: NDArray[np.int64]
    segment: NDArray[np.int64]
    image: NDArray[np.int64]
    every_image: NDArray[np.int64]
    begin: NDArray[np.int64]
    upto: NDArray[np.int64]
    ignored_image: NDArray[np.int64]
    ignored_begin: NDArray[np.int64]
    ignored_upto: NDArray[np.int64]

    @staticmethod
    def of(images: NDArray[np.int64], bounds: NDArray[np.int64], true: Any, ignored: Any) -> _Hits:
        """Of detections sorted by class and score: image (D,), bounds of the classes (K + 1,), flags (T, D)."""
        num_classes, num_thresholds = len(bounds) - 1, len(true)
        of_class = np.repeat(np.arange(num_classes), np.diff(bounds))
        found = [np.nonzero(flags) for flags in (true, ignored)]
        segments = [of_class[place] * num_thresholds + threshold for threshold, place in found]
        orders = [np.lexsort((place, segment)) for segment, (_, place) in zip(segments, found)]
        (segment, other), (place, other_place) = (
            [part[order] for part, order in zip(parts, orders)] for parts in (segments, [place for _, place in found])
        )
        edges = np.arange(num_classes * num_thresholds + 1)
        keys = [part * (len(images) + 1) + at for part, at in ((other, other_place), (segment, place))]
        return _Hits(
            np.searchsorted(segment, edges),
            segment,
            images[place],
            images,
            np.repeat(bounds[:-1], num_thresholds),
            place + 1,
            images[other_place],
            np.searchsorted(other, edges[:-1]),
            np.searchsorted(keys[0], keys[1]),
        )


@dataclass(frozen=True)
class _Sorted:
    """Detections of each class in order of score: image index (D,), true and false positives (T, D) as 0 or 1.

    Drawing images again changes weights, not this order, so that a bootstrap sorts once. `scores` is what it was made of.
    """

    scores: NDArray[np.float64]
    num_images: int
    classes: tuple[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]], ...]
    hits: _Hits


_KEPT: dict[tuple[int, str, int, str], _Sorted] = {}
_MAX_KEPT = 24


def _sorted(stats: Stats, area: str, max_detections: int, prefix: str) -> _Sorted:
    name = f"{prefix}{area}"
    all_scores = stats[f"{name}_score"]
    # The entry holds the array, so an id cannot have passed on to another one.
    key = (id(all_scores), area, max_detections, prefix)
    found = _KEPT.get(key)
    if found is not None and found.scores is all_scores:
        return found
    start = stats[f"{name}_start"]
    num_images, num_classes = len(start) - 1, len(stats[f"{prefix}category"])
    image = np.repeat(np.arange(num_images), np.diff(start))
    kept = np.flatnonzero(stats[f"{name}_rank"] < max_detections)
    classes = stats[f"{name}_class"][kept]
    # Stable, so that ties keep the order of images, then of classes' own ranks, as in COCOeval.
    order = np.lexsort((-all_scores[kept], classes))
    kept, classes = kept[order], classes[order]
    bits = (1 << np.arange(len(THRESHOLDS))).astype(np.uint16)[:, None]
    matched = (stats[f"{name}_matched"][kept] & bits) > 0
    counted = (stats[f"{name}_ignored"][kept] & bits) == 0
    bounds = np.searchsorted(classes, np.arange(num_classes + 1))
    parts = [slice(bounds[row], bounds[row + 1]) for row in range(num_classes)]
    true, false = (matched & counted).astype(np.float64), (~matched & counted).astype(np.float64)
    hits = _Hits.of(image[kept], bounds, matched & counted, ~counted)
    by_class = tuple((image[kept[part]], true[:, part], false[:, part]) for part in parts)
    made = _Sorted(all_scores, num_images, by_class, hits)
    while len(_KEPT) >= _MAX_KEPT:
        _KEPT.pop(next(iter(_KEPT)))
    _KEPT[key] = made
    return made


def _points_reached(truths: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of `RECALL_POINTS` 0, 1, ... all found truths reach, class after class."""
    size = truths + 1
    found = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    return np.searchsorted(RECALL_POINTS, found / np.repeat(np.maximum(truths, 1), size), side="right")


def _precision_recall(
    true_positives: NDArray[np.float64], false_positives: NDArray[np.float64], truths: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of one class, weights (T, D) of detections in order of score: interpolated precision (T, 101) and final recall (T,)."""
    num_thresholds, num_detections = true_positives.shape
    interpolated = np.zeros((num_thresholds, len(RECALL_POINTS)))
    if num_detections == 0:
        return interpolated, np.zeros(num_thresholds)
    true, false = np.cumsum(true_positives, axis=1), np.cumsum(false_positives, axis=1)
    recalls = true / truths
    precisions = true / (true + false + np.spacing(1))
    envelope = np.maximum.accumulate(precisions[:, ::-1], axis=1)[:, ::-1]
    for row in range(num_thresholds):
        place = np.searchsorted(recalls[row], RECALL_POINTS, side="left")
        reached = place < num_detections
        interpolated[row, reached] = envelope[row, place[reached]]
    return interpolated, recalls[:, -1]


def _joined(parts: Sequence[Any], dtype: Any) -> np.ndarray:
    return (
        np.concatenate([np.asarray(part).reshape(-1) for part in parts]).astype(dtype) if parts else np.zeros(0, dtype)
    )
