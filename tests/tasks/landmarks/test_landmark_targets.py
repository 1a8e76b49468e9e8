"""Targets and decoding: the recorded border behaviour, round trips, and what the reference's rounding costs."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.geometry import transform_points
from tasks.landmarks.crops.face_crops import crop_matrix
from tasks.landmarks.protocol import LandmarkProtocol
from tasks.landmarks.targets import decode_faces, face_targets


def drawn_at(position: float, sigma: float) -> np.ndarray:
    """The target of a point at (position, position), along one axis."""
    return face_targets([[position, position]], (64, 64), sigma)[0].max(0)


def test_sigma_of_one_and_a_half_moves_the_peak_near_the_border() -> None:
    """Protocols, section 15: drawn at 0 .. 5 it peaks at 1, 2, 3, 4, 5, 5."""
    assert [int(drawn_at(p, 1.5).argmax()) for p in range(6)] == [1, 2, 3, 4, 5, 5]


@pytest.mark.parametrize(("sigma", "first", "last"), [(1.5, 25, 34), (1.0, 27, 33), (2.0, 24, 36)])
def test_support(sigma: float, first: int, last: int) -> None:
    support = np.flatnonzero(drawn_at(30.0, sigma) > 0)
    assert (support[0], support[-1]) == (first, last)


def reference_routine(cell: int, side: int, sigma: float) -> np.ndarray:
    """The face reference's patch on one axis, step by step: both ends of the patch are truncated from the cell."""
    reach = sigma * 3
    low, high = int(cell - reach), int(cell + reach + 1)
    size = 2 * reach + 1
    across = np.arange(0, size, 1, dtype=np.float32)
    patch = np.exp(-((across - size // 2) ** 2) / (2 * sigma**2))
    made = np.zeros(side, dtype=np.float32)
    made[max(0, low) : min(high, side)] = patch[max(0, -low) : min(high, side) - low]
    return made


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0])
def test_patches_end_where_the_references_do(sigma: float) -> None:
    for cell in (0, 1, 3, 4, 5, 6, 30, 58, 60, 63):
        np.testing.assert_allclose(drawn_at(float(cell), sigma), reference_routine(cell, 64, sigma), atol=1e-6)


def test_the_reference_truncates_and_mmpose_rounds() -> None:
    cells = [[20.9, 20.2]]
    for rule, peak in (("face", (20, 20)), ("pose", (21, 20))):
        row, column = np.unravel_index(face_targets(cells, (64, 64), 1.0, rule)[0].argmax(), (64, 64))
        assert (column, row) == peak


def test_exact_targets_decode_to_where_they_were_drawn() -> None:
    rng = np.random.default_rng(0)
    centre, scale = np.array([[201.5, 188.0]]), np.array([1.3])
    protocol = LandmarkProtocol(crop="affine", decoder="dark", dark_blur=5)
    points = centre + rng.uniform(-0.4, 0.4, (40, 2)) * 200 * scale
    cells = transform_points(points, crop_matrix(centre[0], 1.3, (256, 256))) / 4
    found, scores = decode_faces(face_targets(cells, (64, 64), 1.5, "exact")[None], centre, scale, protocol)
    cell_px = 1.3 * 200 / 64
    assert np.abs(found[0] - points).max() < 0.02 * cell_px
    assert (scores > 0.8).all()


def test_exact_targets_decode_at_the_rim_too() -> None:
    """DARK leaves the two outermost cells alone; there the parabola through the logarithms takes over."""
    cells = np.array([[[1.3, 8.2], [14.4, 14.2], [8.6, 13.7], [0.8, 1.4], [8.4, 0.3]]])
    maps = face_targets(cells[0], (16, 16), 1.0, "exact")[None]
    centre, scale = np.array([[100.0, 100.0]]), np.array([16 / 200])
    found, _ = decode_faces(maps, centre, scale, LandmarkProtocol(crop="affine", decoder="dark", dark_blur=5))
    expected = cells[0] + centre[0] - 8
    # in the outermost row itself there is no neighbour on one side
    assert np.abs(found[0, :4] - expected[:4]).max() < 0.02 and np.abs(found[0, 4] - expected[4]).max() < 0.31


@pytest.mark.parametrize(("crop", "rule"), [("affine", "pose"), ("reference", "face")])
def test_rounded_targets_decode_without_bias(crop: str, rule: str) -> None:
    rng = np.random.default_rng(1)
    errors = []
    for _ in range(40):
        centre, scale = rng.uniform(180, 240, (1, 2)), rng.uniform(0.8, 1.8, 1)
        points = centre + rng.uniform(-0.35, 0.35, (68, 2)) * 200 * scale
        cells = transform_points(points, crop_matrix(centre[0], float(scale[0]), (256, 256), 0.0, crop)) / 4
        protocol = LandmarkProtocol(crop=crop, decoder="quarter")
        found, _ = decode_faces(face_targets(cells, (64, 64), 1.0, rule)[None], centre, scale, protocol)
        errors.append((found[0] - points) / (200 * scale / 64))
    mean = np.mean(errors, axis=(0, 1))
    assert np.abs(mean).max() < 0.04 and np.abs(errors).max() <= 0.51


def test_the_reference_answers_in_whole_pixels_half_a_pixel_off() -> None:
    """Protocols, section 9: a noise-free round trip at 1.66 px per cell has a mean bias of about +0.5 px."""
    rng = np.random.default_rng(2)
    scale = 1.66 * 64 / 200
    errors = []
    for _ in range(60):
        centre = rng.uniform(150, 200, (1, 2))
        points = centre + rng.uniform(-0.35, 0.35, (68, 2)) * 200 * scale
        cells = transform_points(points, crop_matrix(centre[0], scale, (256, 256), 0.0, "reference")) / 4
        found, _ = decode_faces(face_targets(cells, (64, 64), 1.0)[None], centre, [scale], LandmarkProtocol())
        np.testing.assert_array_equal(found, np.trunc(found))
        errors.append(found[0] - points)
    assert np.mean(errors) == pytest.approx(0.5, abs=0.1)
    assert np.abs(errors).mean() == pytest.approx(0.62, abs=0.06)


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\['face', 'pose', 'exact'\] but got 'round'"):
        face_targets([[1.0, 1.0]], (8, 8), 1.0, "round")
