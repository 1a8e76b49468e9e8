"""Invariants of heat-map targets."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.heatmaps import decoding, targets

SIZE_WH = (48, 64)


@pytest.mark.parametrize("rule", sorted(targets.TARGET_RULES))
@pytest.mark.parametrize("sigma", [1, 2, 3])
def test_peak_is_one_and_decodes_to_its_cell(rule: str, sigma: int) -> None:
    points = np.array([[12.0, 30.0], [40.0, 20.0], [30.0, 50.0]])
    maps, weights = targets.gaussian_targets(points, np.ones(3), SIZE_WH, sigma, rule)
    found, scores = decoding.argmax_points(maps)
    np.testing.assert_array_equal(found, points)
    np.testing.assert_array_equal(scores, 1)
    np.testing.assert_array_equal(weights, 1)
    assert (maps[0] > 0).any(0).sum() == 6 * sigma + 1


def test_rules_round_differently() -> None:
    point = np.array([[10.6, 10.6], [1.6, 1.6]])
    pose, _ = decoding.argmax_points(targets.gaussian_targets(point, [1, 1], SIZE_WH, 1, "pose")[0])
    hourglass, _ = decoding.argmax_points(targets.gaussian_targets(point, [1, 1], SIZE_WH, 1, "hourglass")[0])
    np.testing.assert_array_equal(pose, [[11, 11], [2, 2]])
    np.testing.assert_array_equal(hourglass, [[10, 10], [2, 2]])


def test_unbiased_targets_decode_to_the_point_itself() -> None:
    truth = np.random.default_rng(0).uniform((6, 6), (41, 57), (20, 2))
    maps, weights = targets.gaussian_targets(truth, np.ones(20), SIZE_WH, 2, "unbiased")
    assert weights.min() == 1 and maps.max() <= 1
    np.testing.assert_allclose(decoding.decode(maps, "dark")[0], truth, atol=0.02)
    outside, weights = targets.gaussian_targets([[-20.0, 5.0]], [1], SIZE_WH, 2, "unbiased")
    assert weights[0] == 0 and outside.max() == 0


def test_outside_loses_its_weight_and_invisible_its_map() -> None:
    points = np.array([[-20.0, 10], [60, 10], [10, 80], [10, 10], [-4, 10]])
    maps, weights = targets.gaussian_targets(points, [1, 1, 1, 0, 1], SIZE_WH, 2)
    np.testing.assert_array_equal(weights, [0, 0, 0, 0, 1])
    assert maps[:4].max() == 0 and 0 < maps[4].max() < 1


def test_nan_is_refused_where_it_counts() -> None:
    point = np.array([[np.nan, 3.0]])
    with pytest.raises(ValueError, match="finite"):
        targets.gaussian_targets(point, [1], SIZE_WH, 2)
    assert targets.gaussian_targets(point, [0], SIZE_WH, 2)[0].max() == 0
    with pytest.raises(ValueError, match="target rule"):
        targets.gaussian_targets(point, [0], SIZE_WH, 2, "posse")
