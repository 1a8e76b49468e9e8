"""Intervals against SciPy's own BCa, by hand, and for a figure whose resamples are biased."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap, norm, t

from benchmarks.tables.intervals import (
    bca_interval,
    jackknife_counts,
    student_quantile,
    total_deviation,
    two_sided,
)


def test_bca_is_that_of_scipy_but_for_the_expansion() -> None:
    values = np.random.default_rng(3).exponential(size=40)
    generator = np.random.default_rng(5)
    resamples = generator.integers(0, 40, (4000, 40))
    draws = values[resamples].mean(1)
    without = np.array([np.delete(values, i).mean() for i in range(40)])
    reference = bootstrap((values,), np.mean, n_resamples=20000, method="BCa", rng=0).confidence_interval
    low, high = bca_interval(float(values.mean()), draws, without, 10**9, 0.95)
    assert low == pytest.approx(reference.low, abs=0.02) and high == pytest.approx(reference.high, abs=0.03)
    wide = bca_interval(float(values.mean()), draws, without, 5, 0.95)
    assert wide[0] < low and wide[1] > high


def test_a_biased_figure_is_corrected() -> None:
    """Draws that lie above the figure, as those of average precision do: percentiles leave it out, the corrected interval not."""
    values = np.sort(np.random.default_rng(0).normal(size=200))
    generator = np.random.default_rng(1)
    draws = np.array([(values[generator.integers(0, 200, 200)].std() + 0.2) for _ in range(2000)])
    without = np.array([np.delete(values, slice(5 * g, 5 * g + 5)).std() for g in range(40)])
    plain = np.quantile(draws, [0.025, 0.975])
    low, high = bca_interval(float(values.std()), draws, without, 200, 0.95)
    assert plain[0] > values.std()  # the percentiles leave the figure out altogether
    assert low < plain[0] and high < plain[1]


def test_jackknife_groups_share_the_pictures() -> None:
    counts = jackknife_counts(np.array(["b", "a", "b", "c"]), 2)
    assert counts.tolist() == [[1, 0, 1, 0], [0, 1, 0, 1]]
    assert jackknife_counts(np.arange(100), 40).sum() == 40 * 100 - 100


def test_student_and_normal() -> None:
    assert student_quantile(0.975, 4) == pytest.approx(t.ppf(0.975, 4))
    assert student_quantile(0.975, float("inf")) == pytest.approx(norm.ppf(0.975))
    assert two_sided(2.0, 1.0, 9) == pytest.approx(2 * t.sf(2, 9)) and two_sided(0.0, 0.0, 3) == 1.0
    assert two_sided(2.0, 1.0, float("inf")) == pytest.approx(2 * norm.sf(2))


def test_training_adds_to_the_deviation_and_frees_it_of_few_images() -> None:
    deviation, freedom = total_deviation(1.0, 5, 0.0)
    assert deviation == pytest.approx(np.sqrt(5 / 4)) and freedom == 4
    deviation, freedom = total_deviation(1.0, 5, 10.0)
    assert deviation == pytest.approx(np.sqrt(101.25)) and freedom > 1000
    assert total_deviation(0.0, 5, 2.0) == (2.0, float("inf"))
