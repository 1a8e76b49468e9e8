"""Intervals and probabilities from bootstrap draws, right for few pictures and for figures whose draws are biased.

Average precision over resampled pictures lies above the figure itself, since a picture that is drawn twice is matched twice
at the same scores: intervals are bias-corrected and accelerated (BCa; Efron 1987, with a jackknife over groups of pictures).
Few pictures spread less in a resample than in nature: deviations are times sqrt(n / (n - 1)) and quantiles are Student's
(expanded percentiles; Hesterberg 2015, "What teachers should know about the bootstrap", section 5.3).
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

_NORMAL = NormalDist()
NUM_GROUPS = 40
"""Groups of pictures that the jackknife leaves out in turn: as many evaluations of the figure."""


def bca_interval(
    value: float, draws: NDArray[np.float64], jackknife: NDArray[np.float64], num_images: int, level: float
) -> tuple[float, float]:
    """The bias-corrected and accelerated interval at ``level``; (NaN, NaN) where it is not defined.

    Args:
        value: the figure of all pictures.
        draws: the figure of each resample; undefined ones (NaN) are left out.
        jackknife: the figure without each group of pictures in turn.
        num_images: pictures that were resampled; of one there is no interval.
    """
    defined = draws[~np.isnan(draws)]
    if not len(defined) or not math.isfinite(value) or num_images < 2:
        return float("nan"), float("nan")
    if defined.max() == defined.min():
        return float(min(value, defined[0])), float(max(value, defined[0]))
    below = (np.count_nonzero(defined < value) + 0.5 * np.count_nonzero(defined == value)) / len(defined)
    bias = _NORMAL.inv_cdf(min(max(below, 0.5 / len(defined)), 1 - 0.5 / len(defined)))
    skew = _acceleration(jackknife)
    reach = student_quantile((1 + level) / 2, num_images - 1) * math.sqrt(num_images / (num_images - 1))
    shares = [_NORMAL.cdf(bias + (bias + z) / max(1 - skew * (bias + z), 1e-6)) for z in (-reach, reach)]
    low, high = np.quantile(defined, shares)
    return float(low), float(high)


def _acceleration(jackknife: NDArray[np.float64]) -> float:
    """How the standard error changes with the figure (Efron 1987, 6.6), from figures without a group each."""
    defined = jackknife[~np.isnan(jackknife)]
    if len(defined) < 2:
        return 0.0
    deviations = defined.mean() - defined
    squares = float((deviations**2).sum())
    return float((deviations**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0


def jackknife_counts(images: NDArray[np.generic], num_groups: int = NUM_GROUPS) -> NDArray[np.int64]:
    """(groups, N) int64: each row leaves one group of pictures out and counts the others once.

    Pictures go to groups in turn by name; rows of one picture stay together.
    """
    names, inverse = np.unique(np.asarray(images), return_inverse=True)
    groups = min(num_groups, len(names))
    member = (np.arange(len(names)) % groups)[inverse.reshape(-1)]
    counts: NDArray[np.int64] = (member[None, :] != np.arange(groups)[:, None]).astype(np.int64)
    return counts


def normal_interval(value: float, deviation: float, freedom: float, level: float) -> tuple[float, float]:
    """The interval ``value`` +- Student's quantile times the standard ``deviation`` of the estimate."""
    reach = student_quantile((1 + level) / 2, freedom) * deviation
    return value - reach, value + reach


def two_sided(value: float, deviation: float, freedom: float) -> float:
    """Probability of a difference as far from zero as ``value`` where there is none, of Student's distribution."""
    if deviation == 0.0:
        return 1.0 if value == 0.0 else 0.0
    if math.isinf(freedom):
        return math.erfc(abs(value) / deviation / math.sqrt(2))
    from scipy.special import stdtr  # of scipy.stats the import takes a second

    return float(2 * stdtr(freedom, -abs(value) / deviation))


def student_quantile(share: float, freedom: float) -> float:
    """The quantile of Student's distribution; of the normal one for infinite degrees of freedom."""
    if math.isinf(freedom):
        return _NORMAL.inv_cdf(share)
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))


def total_deviation(sampling_sd: float, num_images: int, training_sd: float) -> tuple[float, float]:
    """Standard deviation of a difference and its degrees of freedom, from that of resampled pictures and that of training.

    Degrees of freedom after Satterthwaite (1946): the pictures' n - 1, the training's taken as known.
    """
    sampling = sampling_sd**2 * num_images / (num_images - 1)
    total = sampling + training_sd**2
    freedom = math.inf if sampling == 0 else (num_images - 1) * (total / sampling) ** 2
    return math.sqrt(total), freedom
