"""Invariants of decoding."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.heatmaps import decoding

SIZE_WH = (48, 64)


def smooth_map(x: float, y: float, sigma: float = 2.0) -> np.ndarray:
    columns, rows = np.arange(SIZE_WH[0]), np.arange(SIZE_WH[1])[:, None]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)).astype(np.float32)


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


def test_to_image_inverts_the_crop() -> None:
    from tasks.geometry import affine_matrix, transform_points

    centre, scale = np.array([[300.0, 200.0]]), np.array([[1.5, 2.0]])
    points = np.array([[[280.0, 150.0], [330.0, 260.0]]])
    cells = transform_points(points[0], affine_matrix(centre[0], scale[0], 0, SIZE_WH))
    np.testing.assert_allclose(decoding.to_image(cells[None], centre, scale, SIZE_WH), points, atol=1e-3)
