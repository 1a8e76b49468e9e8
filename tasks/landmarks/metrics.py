"""Landmark figures from per-face statistics: NME under three normalisers, failure rates, AUC and the error curve.

NME of a face is the mean distance between prediction and truth over a length d, in percent; a split's is the mean over faces.
The failure rate at t is the share of faces whose NME exceeds t strictly; the AUC at t is the exact area below the cumulative
error curve from 0 to t, over t. Source: docs/protocols.md, section 9.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.base import MetricInfo, Stats
from tasks.direction import Direction
from tasks.landmarks.files.markup import Markup
from tasks.landmarks.protocol import NORMALISERS

THRESHOLDS = (0.08, 0.10)
POINT_SUBSETS = ("visible_points", "occluded_points")
"""COFW's points by their occlusion flag; a face without any such point does not count."""


def normaliser_lengths(truth: ArrayLike, markup: Markup, box_size: ArrayLike | None = None) -> dict[str, NDArray]:
    """What errors may be divided by, (B,) px each, for true points (B, N, 2).

    "inter_ocular" joins the outer eye corners, "inter_pupil" the eye centres (means of the eyes' points where pupils are not
    annotated), "points" the two that a mark-up names; "box" is the file's box_size (AFLW's), elsewhere the root of the landmark
    box's area. AFLW has the box alone: in profile its eyes coincide.
    """
    points = np.asarray(truth, dtype=np.float64)
    found: dict[str, NDArray] = {}
    if markup.outer_corners is not None:
        a, b = markup.outer_corners
        found["inter_ocular"] = np.linalg.norm(points[:, a] - points[:, b], axis=-1)
    if markup.pupils is not None:
        left, right = (points[:, list(eye)].mean(1) for eye in markup.pupils)
        found["inter_pupil"] = np.linalg.norm(left - right, axis=-1)
    if markup.norm_points is not None:
        a, b = markup.norm_points
        found["points"] = np.linalg.norm(points[:, a] - points[:, b], axis=-1)
    if box_size is not None:
        found["box"] = np.asarray(box_size, dtype=np.float64)
    else:
        found["box"] = np.sqrt(np.prod(points.max(1) - points.min(1), axis=-1))
    return found


def face_errors(predicted: ArrayLike, truth: ArrayLike) -> NDArray[np.float64]:
    """Distances (B, N) in px between predicted and true points (B, N, 2).

    Raises:
        ValueError: the shapes differ.
    """
    a, b = np.asarray(predicted), np.asarray(truth)
    if a.shape != b.shape:
        raise ValueError(
            f"Expected predictions of {b.shape[1]} points but got {a.shape[1]}; the model and the dataset must share one mark-up"
        )
    return np.linalg.norm(a.astype(np.float64) - b, axis=-1)


def failure_rate(nme: ArrayLike, threshold: float, weights: ArrayLike | None = None) -> float:
    """Share (0..1) of faces whose NME, a fraction, is strictly above the threshold."""
    return _mean((np.asarray(nme) > threshold).astype(np.float64), weights)


def area_under_curve(nme: ArrayLike, threshold: float, weights: ArrayLike | None = None) -> float:
    """Area (0..1) below the cumulative error curve up to the threshold, over the threshold; exact, not sampled."""
    return _mean(np.clip(1 - np.asarray(nme, dtype=np.float64) / threshold, 0, None), weights)


def cumulative_errors(nme: ArrayLike, upto: float = 0.15, steps: int = 150) -> list[list[float]]:
    """The curve [[NME %, share of faces at or below it %], ...] from 0 to `upto` (a fraction)."""
    values = np.sort(np.asarray(nme, dtype=np.float64))
    at = np.linspace(0, upto, steps + 1)
    share = np.searchsorted(values, at, side="right") / max(1, len(values))
    return [[round(100 * float(x), 6), 100 * float(y)] for x, y in zip(at, share, strict=True)]


def _mean(values: NDArray[np.float64], weights: ArrayLike | None = None) -> float:
    if weights is None:
        return float(values.mean()) if len(values) else float("nan")
    weight = np.asarray(weights, dtype=np.float64)
    total = weight.sum()
    return float((values * weight).sum() / total) if total > 0 else float("nan")


def landmark_figures(
    stats: Stats, normaliser: str, counts: np.ndarray | None = None, wanted: Collection[str] | None = None
) -> dict[str, float]:
    """Every figure of a split from its statistics, in percent, or those ``wanted``.

    Args:
        stats: error_px (N, P), length_<normaliser> (N,), subset_<name> (N,) bool, occluded (N, P) where there are flags.
        normaliser: what failure rate and AUC divide by.
        counts: (N,) how often each face counts, for the bootstrap; None for once.
    """
    errors = stats["error_px"]
    weights = np.ones(len(errors)) if counts is None else np.asarray(counts, dtype=np.float64)
    mean_px = errors.mean(1)
    groups: dict[str, np.ndarray] = {"": np.ones(len(errors), dtype=bool)}
    for name in sorted(stats):
        if name.startswith("subset_"):
            groups["/" + name.removeprefix("subset_")] = stats[name].astype(bool)
    figures: dict[str, float] = {}
    asked = {*groups, *(f"/{name}" for name in POINT_SUBSETS)}
    if wanted is not None:  # no figure of the other groups is made
        asked &= {"".join(name.partition("/")[1:]) for name in wanted}
    for suffix, members in groups.items():
        weight = weights[members]
        if suffix not in asked or weight.sum() == 0:
            continue
        for name in NORMALISERS:
            if f"length_{name}" in stats:
                figures[f"NME[{name}]{suffix}"] = 100 * _mean(
                    mean_px[members] / stats[f"length_{name}"][members], weight
                )
        nme = mean_px[members] / stats[f"length_{normaliser}"][members]
        for threshold in THRESHOLDS:
            figures[f"FR@{threshold:.2f}{suffix}"] = 100 * failure_rate(nme, threshold, weight)
            figures[f"AUC@{threshold:.2f}{suffix}"] = 100 * area_under_curve(nme, threshold, weight)
    if "occluded" in stats:
        hidden = stats["occluded"].astype(bool)
        for suffix, chosen in zip(POINT_SUBSETS, (~hidden, hidden), strict=True):
            if f"/{suffix}" not in asked:
                continue
            number = chosen.sum(1)
            has = number > 0
            if (weights * has).sum() > 0:
                mean = (errors * chosen).sum(1)[has] / number[has]
                for name in NORMALISERS:
                    if f"length_{name}" in stats:
                        length = stats[f"length_{name}"][has]
                        figures[f"NME[{name}]/{suffix}"] = 100 * _mean(mean / length, weights[has])
    return {name: value for name, value in figures.items() if wanted is None or name in wanted}


def figure_counts(stats: Stats, normaliser: str) -> dict[str, int]:
    """Figure -> number of faces that it is a mean over: all, a subset's, or those with any visible or occluded point."""
    counts = {"": len(stats["error_px"])}
    counts |= {
        name.removeprefix("subset_"): int(stats[name].astype(bool).sum())
        for name in stats
        if name.startswith("subset_")
    }
    if "occluded" in stats:
        hidden = stats["occluded"].astype(bool)
        for name, chosen in zip(POINT_SUBSETS, (~hidden, hidden), strict=True):
            counts[name] = int(chosen.any(1).sum())
    return {figure: counts[figure.partition("/")[2]] for figure in landmark_figures(stats, normaliser)}


def metric_infos(subsets: Iterable[str]) -> Mapping[str, MetricInfo]:
    """Every figure that a landmark dataset may give, those of ``subsets`` included."""
    plain = {
        "NME[inter_ocular]": MetricInfo(
            "NME[inter_ocular]",
            "%",
            Direction.LOWER,
            2,
            (0.0, float("inf")),
            "mean error over the outer eye corners' distance",
        ),
        "NME[inter_pupil]": MetricInfo(
            "NME[inter_pupil]",
            "%",
            Direction.LOWER,
            2,
            (0.0, float("inf")),
            "mean error over the eye centres' distance",
        ),
        "NME[box]": MetricInfo(
            "NME[box]",
            "%",
            Direction.LOWER,
            2,
            (0.0, float("inf")),
            "mean error over the face box's size (AFLW) or root area",
        ),
        "NME[points]": MetricInfo(
            "NME[points]",
            "%",
            Direction.LOWER,
            2,
            (0.0, float("inf")),
            "mean error over the distance of the two points that the dataset names",
        ),
    }
    for threshold in THRESHOLDS:
        rate, area = f"FR@{threshold:.2f}", f"AUC@{threshold:.2f}"
        plain[rate] = MetricInfo(rate, "%", Direction.LOWER, 2, (0.0, 100.0), f"faces with an NME above {threshold}")
        plain[area] = MetricInfo(
            area, "%", Direction.HIGHER, 2, (0.0, 100.0), f"area below the error curve up to {threshold}"
        )
    made: dict[str, MetricInfo] = dict(plain)
    for suffix in [*subsets, *POINT_SUBSETS]:
        for name, info in plain.items():
            if suffix in POINT_SUBSETS and not name.startswith("NME"):
                continue
            text = f"{info.description}; {suffix.replace('_', ' ')} only"
            full = f"{name}/{suffix}"
            made[full] = MetricInfo(full, info.unit, info.direction, info.decimals, info.bounds, text)
    return made


def check_stats(stats: Mapping[str, Any], normaliser: str) -> None:
    """Raises ValueError where the split cannot be normed as the protocol asks."""
    if f"length_{normaliser}" not in stats:
        known = [name for name in NORMALISERS if f"length_{name}" in stats]
        raise ValueError(f"Expected a normaliser of {known} for this mark-up but got {normaliser!r}")
