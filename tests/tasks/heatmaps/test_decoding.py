"""Invariants of heat-map targets and decoding."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.heatmaps import decoding, flip, targets
from tasks.pose.joints import COCO

SIZE_WH = (48, 64)


def smooth_map(x: float, y: float, sigma: float = 2.0) -> np.ndarray:
    columns, rows = np.arange(SIZE_WH[0]), np.arange(SIZE_WH[1])[:, None]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)).astype(np.float32)


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


def test_dark_is_exact_on_gaussians_and_quarter_is_close() -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform((6, 6), (41, 57), (30, 2))
    maps = np.stack([smooth_map(x, y) for x, y in truth])
    errors = {}
    for method in decoding.DECODERS:
        points, _ = decoding.decode(maps, method)
        errors[method] = np.abs(points - truth).max()
    assert errors["dark"] < 0.02
    assert errors["quarter"] <= 0.2501
    assert errors["argmax"] <= 0.5
    assert errors["dark"] < errors["quarter"] < errors["argmax"]


def test_quarter_leaves_the_border_alone() -> None:
    for x, y in [(1, 30), (46.6, 30), (20, 1), (20, 62.6), (0, 0)]:
        maps = smooth_map(x, y)[None]
        points, _ = decoding.argmax_points(maps)
        moved = decoding.refine_quarter(maps, points)
        inside = 1 < points[0, 0] < 47 and 1 < points[0, 1] < 63
        assert inside or (moved == points).all()
    peaked = smooth_map(2, 30.2)[None]
    np.testing.assert_allclose(decoding.decode(peaked)[0], [[2, 30.25]])


def test_batched_equals_single() -> None:
    maps = np.random.default_rng(0).normal(size=(3, 5, 16, 12)).astype(np.float32)
    for method in decoding.DECODERS:
        points, scores = decoding.decode(maps, method)
        for index in range(3):
            one, score = decoding.decode(maps[index], method)
            np.testing.assert_array_equal(points[index], one)
            np.testing.assert_array_equal(scores[index], score)


def test_empty_map_decodes_to_zero() -> None:
    points, scores = decoding.argmax_points(np.full((1, 8, 8), -0.5, dtype=np.float32))
    np.testing.assert_array_equal(points, [[0, 0]])
    np.testing.assert_array_equal(scores, [-0.5])


def test_unknown_decoder_is_refused() -> None:
    with pytest.raises(ValueError, match="decoder"):
        decoding.decode(np.zeros((1, 8, 8)), "drak")
    with pytest.raises(ValueError, match="odd"):
        decoding.refine_dark(np.zeros((1, 8, 8)), np.zeros((1, 2)), blur=4)


def test_flip_twice_is_identity_and_shift_moves_right() -> None:
    maps = np.random.default_rng(0).normal(size=(2, 17, 8, 6)).astype(np.float32)
    once = flip.flip_heatmaps(maps, COCO.pairs)
    np.testing.assert_array_equal(flip.flip_heatmaps(once, COCO.pairs), maps)
    np.testing.assert_array_equal(once[:, 1], maps[:, 2, :, ::-1])
    shifted = flip.flip_heatmaps(maps, COCO.pairs, shift=True)
    np.testing.assert_array_equal(shifted[..., 1:], once[..., :-1])
    np.testing.assert_array_equal(shifted[..., 0], once[..., 0])


def test_to_image_inverts_the_crop() -> None:
    from tasks.geometry import affine_matrix, transform_points

    centre, scale = np.array([[300.0, 200.0]]), np.array([[1.5, 2.0]])
    points = np.array([[[280.0, 150.0], [330.0, 260.0]]])
    cells = transform_points(points[0], affine_matrix(centre[0], scale[0], 0, SIZE_WH))
    np.testing.assert_allclose(decoding.to_image(cells[None], centre, scale, SIZE_WH), points, atol=1e-3)


def test_pck_counts_hits_of_occurring_joints() -> None:
    target = np.stack([smooth_map(20, 30), smooth_map(10, 10), smooth_map(0, 0)])[None]
    predicted = np.stack([smooth_map(21, 30), smooth_map(40, 60), smooth_map(5, 5)])[None]
    mean, per_joint = flip.pck_accuracy(predicted, target)
    np.testing.assert_array_equal(per_joint, [1, 0, np.nan])
    assert mean == 0.5
    assert flip.pck_accuracy(target, target)[0] == 1
    assert flip.pck_accuracy(predicted[:, 2:], target[:, 2:])[0] == 0
