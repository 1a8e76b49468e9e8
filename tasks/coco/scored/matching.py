"""COCO's matching of detections with ground truth, for all images and categories at once.

It decides what `pycocotools.cocoeval.COCOeval.evaluate` does, image by image in Python, and writes the same match lists as
`tasks.coco.matches.extract`: detections of the same rank of every image and category are matched together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.coco.matches import THRESHOLDS, Stats

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Overlaps = Callable[[Integers, Integers], Floats]
"""(D,) detections and (D, G) ground truths beside each -> (D, G) overlaps; where the second is below 0, whatever."""

BOX_AREAS: Mapping[str, tuple[float, float]] = {
    "all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10),
}  # fmt: skip
KEYPOINT_AREAS: Mapping[str, tuple[float, float]] = {name: BOX_AREAS[name] for name in ("all", "medium", "large")}
_CHUNK = 1 << 22
"""Overlaps that are held at a time."""


@dataclass(frozen=True)
class Truths:
    """Ground truth, in the file's order: numbers of image and category from 0, area in px, whether crowd, whether ignored."""

    image: Integers
    category: Integers
    area: Floats
    crowd: NDArray[np.bool_]
    ignored: NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """Detections, in the file's order: numbers of image and category from 0, score, area in px."""

    image: Integers
    category: Integers
    score: Floats
    area: Floats


def match_lists(
    truths: Truths,
    found: Found,
    overlaps: Overlaps,
    names: Sequence[str],
    categories: Sequence[int],
    areas: Mapping[str, tuple[float, float]],
    max_detections: int,
    prefix: str = "",
) -> Stats:
    """The lists of `tasks.coco.matches.extract`.

    Args:
        names: of the images, in order of their numbers. categories: their ids, likewise, ascending.
        areas: ranges by label, both ends included. max_detections: of an image and category, best first.
    """
    count, pair = len(categories), found.image * len(categories) + found.category
    order = np.lexsort((-found.score, pair))  # stable: equal scores in the file's order
    rank = np.arange(len(order)) - np.searchsorted(pair[order], pair[order])
    order, rank = order[rank < max_detections], rank[rank < max_detections]
    bits = (1 << np.arange(len(THRESHOLDS))).astype(np.uint16)
    shared: dict[str, NDArray[Any]] = {
        "start": np.searchsorted(found.image[order], np.arange(len(names) + 1)).astype(np.int64),
        "score": found.score[order],
        "class": found.category[order].astype(np.int16),
        "rank": rank.astype(np.int16),
    }
    stats: Stats = {"image": np.array([str(name) for name in names])}
    stats[f"{prefix}category"] = np.array(categories, dtype=np.int64)
    ignored = {
        label: truths.ignored | (truths.area < low) | (truths.area > high) for label, (low, high) in areas.items()
    }
    matched, matched_ignored = _match(pair[order], rank, order, truths, count, ignored, overlaps)
    for label, (low, high) in areas.items():
        name, area = f"{prefix}{label}", found.area[order]
        beyond = ((area < low) | (area > high))[:, None] & ~matched[label]
        stats |= {f"{name}_{field}": values for field, values in shared.items()}
        places = (truths.image * count + truths.category)[~ignored[label]]
        counts = np.bincount(places, minlength=len(names) * count).astype(np.int32)
        stats[f"{name}_truths"] = counts.reshape(len(names), count)
        stats[f"{name}_matched"] = (matched[label] @ bits).astype(np.uint16)
        stats[f"{name}_ignored"] = ((matched_ignored[label] | beyond) @ bits).astype(np.uint16)
    return stats


Flags = dict[str, NDArray[np.bool_]]


def _match(
    pairs: Integers,
    rank: Integers,
    order: Integers,
    truths: Truths,
    num_categories: int,
    ignored: Mapping[str, NDArray[np.bool_]],
    overlaps: Overlaps,
) -> tuple[Flags, Flags]:
    """By area range, (D, T) whether each detection is matched, and whether with an ignored truth.

    Args:
        pairs: (D,) image and category of each detection, ascending. rank: its place among them. order: its row in the file.
    """
    made = tuple({label: np.zeros((len(pairs), len(THRESHOLDS)), bool) for label in ignored} for _ in range(2))
    own = truths.image * num_categories + truths.category
    rows = np.argsort(own, kind="stable")
    begin = np.searchsorted(own[rows], pairs)
    size = np.searchsorted(own[rows], pairs, side="right") - begin
    width = np.maximum(1, 2 ** np.ceil(np.log2(np.maximum(size, 1))).astype(np.int64))  # few widths, little to fill up
    for side in np.unique(width[size > 0]):
        for part in _parts(np.flatnonzero((size > 0) & (width == side)), pairs, max(1, _CHUNK // int(side))):
            columns = begin[part][:, None] + np.arange(side)
            beside = np.where(np.arange(side) < size[part][:, None], rows[np.minimum(columns, len(rows) - 1)], -1)
            overlap = np.where(beside >= 0, overlaps(order[part], beside), -1.0)
            for label, left_out in ignored.items():
                made[0][label][part], made[1][label][part] = _match_ranks(
                    pairs[part], rank[part], overlap, truths.crowd[beside], left_out[beside]
                )
    return made[0], made[1]


def _parts(rows: Integers, pairs: Integers, most: int) -> list[Integers]:
    """The rows in pieces of about `most`; an image and category stays whole."""
    if len(rows) <= most:
        return [rows]
    ends = np.flatnonzero(np.diff(pairs[rows])) + 1
    cuts = np.unique(ends[np.minimum(np.searchsorted(ends, np.arange(most, len(rows), most)), len(ends) - 1)])
    return np.split(rows, cuts)


def _match_ranks(
    pairs: Integers, rank: Integers, overlap: Floats, crowd: NDArray[np.bool_], ignored: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(D, T) matched, and matched with an ignored truth, of detections beside (D, G) truths of their image and category.

    The best free truth that counts, else the best ignored one (a crowd again and again); of equals the last, as pycocotools.
    """
    limits = np.minimum(THRESHOLDS, 1 - 1e-10)
    _, group = np.unique(pairs, return_inverse=True)
    taken = np.zeros((int(group.max()) + 1, overlap.shape[1], len(limits)), bool)
    matched = np.zeros((len(pairs), len(limits)), bool)
    with_ignored = np.zeros_like(matched)
    by_rank = np.argsort(rank, kind="stable")
    for rows in np.split(by_rank, np.flatnonzero(np.diff(rank[by_rank])) + 1):
        value, left_out = overlap[rows][:, :, None], ignored[rows][:, :, None]
        free = (value >= limits) & (~taken[group[rows]] | crowd[rows][:, :, None])
        hits, place = _best(value, free & ~left_out)
        hits_ignored, place_ignored = _best(value, free & left_out)
        hits_ignored &= ~hits
        matched[rows], with_ignored[rows] = hits | hits_ignored, hits_ignored
        at, threshold = np.nonzero(hits | hits_ignored)
        chosen = np.where(hits, place, place_ignored)[at, threshold]
        taken[group[rows][at], chosen, threshold] = True
    return matched, with_ignored


def _best(value: Floats, allowed: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Integers]:
    """(D, T) whether one of the (D, G, T) truths is allowed, and the place of the one with the highest (D, G, 1) value."""
    masked = np.where(allowed, value, -1.0)[:, ::-1]
    return np.asarray(allowed.any(axis=1)), masked.shape[1] - 1 - masked.argmax(axis=1)


def box_overlaps(found: Floats, truths: Floats, crowd: NDArray[np.bool_]) -> Overlaps:
    """Overlaps of (x, y, width, height) boxes as pycocotools' `bbIou`: of a crowd the share of the detection."""

    def overlaps(rows: Integers, beside: Integers) -> Floats:
        a, b = found[rows][:, None], truths[beside]
        width = np.minimum(a[..., 0] + a[..., 2], b[..., 0] + b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
        height = np.minimum(a[..., 1] + a[..., 3], b[..., 1] + b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
        shared = np.where((width > 0) & (height > 0), width * height, 0.0)
        own, other = a[..., 2] * a[..., 3], b[..., 2] * b[..., 3]
        union = np.where(crowd[beside], own, own + other - shared)
        return np.divide(shared, union, out=np.zeros_like(shared), where=shared > 0)

    return overlaps


def keypoint_overlaps(found: Floats, points: Floats, boxes: Floats, areas: Floats, sigmas: Floats) -> Overlaps:
    """Object keypoint similarity as pycocotools' `computeOks`.

    Args:
        found: (D, J, 2) px. points: (G, J, 3) px and visibility. boxes: (G, 4) xywh px. areas: (G,).
    """
    variances = (np.asarray(sigmas, np.float64) * 2) ** 2

    def similarity(rows: Integers, truth: int) -> Floats:
        where, seen = points[truth, :, :2], points[truth, :, 2] > 0
        if seen.any():
            away = found[rows] - where
        else:  # the distance from the box grown by itself on every side
            corner, side = boxes[truth, :2], boxes[truth, 2:]
            low, high = corner - side, corner + side * 2
            away = np.maximum(0.0, low - found[rows]) + np.maximum(0.0, found[rows] - high)
        error = (away[..., 0] ** 2 + away[..., 1] ** 2) / variances / (areas[truth] + np.spacing(1)) / 2
        kept = np.ascontiguousarray(error[:, seen]) if seen.any() else error
        return np.exp(-kept).sum(axis=1) / kept.shape[1]

    def overlaps(rows: Integers, beside: Integers) -> Floats:
        made = np.zeros(beside.shape)
        order = np.argsort(beside, axis=None, kind="stable")
        flat = beside.reshape(-1)[order]
        ends = np.flatnonzero(np.diff(flat)) + 1
        for part in np.split(order, ends):
            truth = int(beside.reshape(-1)[part[0]]) if len(part) else -1
            if truth >= 0:
                made.reshape(-1)[part] = similarity(rows[part // beside.shape[1]], truth)
        return made

    return overlaps
