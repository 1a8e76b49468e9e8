"""Uncertainty of figures: bootstrap over images, spread over seeds, paired differences.

AP, mIoU and PCKh are not means over images: a draw resamples whole images and recomputes the pooled metric from the
stored per-image statistics. Rows of the statistics that share an image (people in one picture) are drawn together.
Intervals: `benchmarks.tables.intervals`; Holm (1979) for several comparisons at once.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.store.digests import plain_digest
from benchmarks.store.store import StoredCell
from benchmarks.tables.intervals import (
    bca_interval,
    jackknife_counts,
    normal_interval,
    total_deviation,
    two_sided,
)
from benchmarks.tables.table import Spread
from tasks.files.json_file import read_json
from tasks.files.writing import write_text

Stats = Mapping[str, NDArray[Any]]
Figures = Callable[[NDArray[np.int64] | None], Mapping[str, float]]
"""Computes all figures of one cell; the argument says how often each row of its statistics counts (None: once)."""

DRAWS = 1000
LEVEL = 0.95
UNFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What computing figures raises where the statistics, or the stored protocol, are not those of the task."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Paired difference B - A of one metric over `num_images`: interval at `level`, two-sided p, `corrected` p after Holm."""

    metric: str
    value_a: float
    value_b: float
    low: float
    high: float
    p: float
    draws: int
    corrected: float | None = None
    level: float = LEVEL
    num_images: int = 0

    @property
    def value(self) -> float:
        """B - A, in the metric's own unit."""
        return self.value_b - self.value_a


def image_counts(images: NDArray[Any], draws: int, seed: int = 0) -> NDArray[np.int64]:
    """How often each row counts in each draw, (draws, N) int64; rows with the same image name share a count.

    The draws depend on the set of image names and the seed alone, so that two cells over the same images are paired.
    """
    names, inverse = np.unique(np.asarray(images), return_inverse=True)
    if len(names) == 0:
        raise ValueError("expected statistics of at least one image, got none; evaluate the cell again")
    text = "\n".join(map(str, names.tolist())).encode()
    generator = np.random.default_rng([seed, zlib.crc32(text), len(names)])
    counts = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    return counts[:, inverse.reshape(-1)]


def draw(figures: Figures, counts: NDArray[np.int64], metrics: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Each metric over the draws, (draws,) float64; NaN where a draw left it undefined (a class that never occurs)."""
    values = {metric: np.full(len(counts), np.nan) for metric in metrics}
    for index, count in enumerate(counts):
        drawn = figures(count)
        for metric in metrics:
            values[metric][index] = drawn.get(metric, np.nan)
    return values


def interval(
    figures: Figures, images: NDArray[Any], metric: str, draws: NDArray[np.float64], level: float = LEVEL
) -> tuple[float, float]:
    """The bias-corrected interval of one figure, from its draws and a jackknife over groups of pictures.

    (NaN, NaN) if the figure or every draw is undefined, and for a single picture.
    """
    value = figures(None).get(metric, float("nan"))
    without = draw(figures, jackknife_counts(images), [metric])[metric]
    return bca_interval(float(value), draws, without, len(np.unique(images)), level)


def over_seeds(values: Sequence[float]) -> tuple[float, Spread]:
    """Mean and sample standard deviation of runs with other seeds; one run has no deviation, and says n=1."""
    if not values:
        raise ValueError("expected the values of at least one run, got none")
    array = np.asarray(values, dtype=np.float64)
    sd = float(array.std(ddof=1)) if len(array) > 1 else None
    return float(array.mean()), Spread("seeds", len(array), sd=sd)


def paired(
    figures_a: Figures,
    figures_b: Figures,
    images_a: NDArray[Any],
    images_b: NDArray[Any],
    metrics: Sequence[str],
    draws: int = DRAWS,
    seed: int = 0,
    level: float = LEVEL,
    training_sd: float = 0.0,
) -> list[Difference]:
    """Differences B - A under the same resampled images, one per metric that both cells have.

    Interval and p are of Student's distribution with the draws' standard deviation, expanded for few pictures (shares of
    draws could not fall below two in their number, too much to be corrected for many cells). Equal cells have p = 1; of
    one picture p and interval are NaN.

    Args:
        training_sd: standard deviation of the difference between two such trainings, which resampling images does not show.

    Raises:
        ValueError: the cells were not evaluated on the same images.
    """
    if set(np.unique(images_a).tolist()) != set(np.unique(images_b).tolist()):
        raise ValueError(
            f"expected two cells over the same images, got {len(np.unique(images_a))} and {len(np.unique(images_b))} "
            "images that differ; a paired comparison needs one dataset and split"
        )
    whole_a, whole_b = figures_a(None), figures_b(None)
    shared = [metric for metric in metrics if metric in whole_a and metric in whole_b]
    drawn_a = draw(figures_a, image_counts(images_a, draws, seed), shared)
    drawn_b = draw(figures_b, image_counts(images_b, draws, seed), shared)
    count = len(np.unique(images_a))
    results = []
    for metric in shared:
        difference = drawn_b[metric] - drawn_a[metric]
        defined = difference[~np.isnan(difference)]
        a, b = float(whole_a[metric]), float(whole_b[metric])
        low = high = p = float("nan")
        if count > 1 and len(defined):
            deviation, freedom = total_deviation(float(defined.std()), count, training_sd)
            low, high = normal_interval(b - a, deviation, freedom, level)
            p = two_sided(b - a, deviation, freedom)
        results.append(Difference(metric, a, b, low, high, p, len(defined), None, level, count))
    return results


def holm(p_values: Sequence[float]) -> list[float]:
    """p values corrected for their number (Holm's step-down), in the given order."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected = [1.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected


def cell_figures(
    stored: StoredCell, stats: Stats | None = None, wanted: Sequence[str] | None = None
) -> tuple[Figures, NDArray[Any]]:
    """Figures of a stored cell as a function of counts, and the image name of each row of its statistics.

    `wanted` names the figures that are needed; tasks that can then leave out the others do.

    Raises:
        ValueError: the cell holds no per-image statistics; from the function, they are not those of its task.
    """
    cell = stored.record.cell
    held = stored.stats() if stats is None else stats
    if "image" not in held:
        raise ValueError(
            f"{stored.folder}: expected per-image statistics (stats.npz with 'image'), found none; run the cell again"
        )
    figures = figures_of(cell.task, cell.dataset, held, cell.protocol, wanted)

    def named(counts: NDArray[np.int64] | None) -> Mapping[str, float]:
        try:
            return figures(counts)
        except UNFIT as error:
            raise ValueError(
                f"{stored.folder / 'stats.npz'}: expected the statistics of {stored.record.name}, got others "
                f"({type(error).__name__}: {error}). Run the cell again."
            ) from error

    return named, held["image"]


def figures_of(
    task: str, dataset: str, stats: Stats, protocol: Mapping[str, Any], wanted: Sequence[str] | None = None
) -> Figures:
    """Figures of per-image statistics as a function of counts; tasks that can leave out those that are not `wanted`."""
    from tasks import get_task

    found, held = get_task(task), dict(stats)
    few = {"wanted": tuple(wanted)} if wanted and found.figures_by_name else {}

    def figures(counts: NDArray[np.int64] | None) -> Mapping[str, float]:
        return found.figures(dataset, held, protocol, counts, **few)

    return figures


def cell_spread(
    stored: StoredCell, metrics: Sequence[str], draws: int = DRAWS, seed: int = 0, compute: bool = True
) -> dict[str, Spread]:
    """Bootstrap intervals of a stored cell, kept beside it (`bootstrap.json`) so that they are drawn once.

    With `compute` False only what is kept is returned; what an older version kept without a seal is drawn anew. A cell without
    statistics has no intervals.

    Raises:
        ValueError: its statistics are spoilt, or `bootstrap.json` was edited; the text names the file.
    """
    path = stored.folder / "bootstrap.json"
    setting = {"method": "BCa", "draws": draws, "seed": seed, "level": LEVEL, "key": stored.record.key}
    kept, unsealed = _kept_intervals(path, setting)
    wanted = [metric for metric in metrics if metric not in kept and (compute or metric in unsealed)]
    if wanted and (stored.folder / "stats.npz").exists():
        figures, images = cell_figures(stored, wanted=wanted)
        drawn = draw(figures, image_counts(images, draws, seed), wanted)
        for metric, values in drawn.items():
            low, high = interval(figures, images, metric, values)
            kept[metric] = None if np.isnan(low) else (low, high)
        with contextlib.suppress(OSError):  # a results folder that can only be read: they are drawn again each time
            held = {"setting": setting, "intervals": kept}
            write_text(path, json.dumps(held | {"seal": plain_digest(held)}, indent=1) + "\n")
    return {
        metric: Spread("bootstrap", draws, low=found[0], high=found[1])
        for metric in metrics
        if (found := kept.get(metric)) is not None
    }


class _Kept(msgspec.Struct):
    """The content of a ``bootstrap.json``."""

    setting: dict[str, Any]
    intervals: dict[str, tuple[float, float] | None]
    seal: str = ""


Kept = dict[str, tuple[float, float] | None]


def _kept_intervals(path: Path, setting: dict[str, Any]) -> tuple[Kept, Kept]:
    """The intervals that were kept for these figures, with a seal and (by an older version) without; none where the file is
    missing, broken or of another setting."""
    if not path.exists():
        return {}, {}
    try:
        held = read_json(path, _Kept, "bootstrap intervals")
    except ValueError:
        return {}, {}  # a cache: drawn again
    if held.seal and held.seal != plain_digest({"setting": held.setting, "intervals": held.intervals}):
        raise ValueError(
            f"{path}: expected the intervals as they were drawn, got others; the file was edited. "
            "Delete it: they are drawn again"
        )
    if held.setting != setting:
        return {}, {}
    return (held.intervals, {}) if held.seal else ({}, held.intervals)
