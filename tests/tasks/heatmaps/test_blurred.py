"""DARK and UDP of maps that are tensors: OpenCV's answers but for its rounding, and exactly those of a blur in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from tasks.heatmaps import blurred, decoding, udp
from tasks.landmarks.protocol import LandmarkProtocol
from tasks.landmarks.targets import decode_faces

RNG = np.random.default_rng(0)
CELL = 1e-4


def _as_predicted(count: int, height: int, width: int, sigma: float) -> np.ndarray:
    """Gaussians of all heights, also at and beyond the borders, with a weaker one beside each, on noise."""
    x, y = RNG.uniform(-1, width, (count, 1, 1)), RNG.uniform(-1, height, (count, 1, 1))
    columns, rows = np.arange(width), np.arange(height)[:, None]
    maps = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)) * RNG.uniform(0.1, 1.1, (count, 1, 1))
    maps += 0.02 * np.exp(-((columns - x - 6) ** 2 + (rows - y + 5) ** 2) / 20)
    return (maps + RNG.normal(0, 0.003, maps.shape)).astype(np.float32)


SMOOTH = {
    "64x48": _as_predicted(300, 64, 48, 2.0),
    "96x72": _as_predicted(60, 96, 72, 3.0),
    "64x64": _as_predicted(60, 64, 64, 1.5),
    "negative": -RNG.random((30, 16, 12)).astype(np.float32),
    "zero": np.zeros((9, 16, 12), np.float32),
    "flat": np.full((9, 16, 12), 0.3, np.float32),
    "single cells": (RNG.random((60, 24, 18)) < 0.003).astype(np.float32),
    "plateaus": np.kron(RNG.integers(0, 3, (60, 3, 3)), np.ones((8, 8))).astype(np.float32),
}
NOISE = {
    "uniform": RNG.random((120, 32, 24)).astype(np.float32),
    "normal": RNG.standard_normal((120, 32, 24)).astype(np.float32),
    "ties": RNG.integers(0, 3, (120, 24, 16)).astype(np.float32),
    "smaller than the kernel": RNG.random((60, 5, 7)).astype(np.float32),
    "one cell": RNG.standard_normal((9, 1, 1)).astype(np.float32),
}
WAYS: dict[str, Callable[..., Any]] = {
    "dark": lambda maps, blur: decoding.decode(maps, "dark", blur),
    "dark and rim": lambda maps, blur: decoding.decode(maps, "dark", blur, rim=True),
    "udp": udp.decode_udp,
    "combined": udp.decode_combined,
}


@pytest.mark.parametrize("blur", [11, 17])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", SMOOTH)
def test_points_are_opencvs(kind: str, way: str, blur: int) -> None:
    maps = SMOOTH[kind].reshape(3, -1, *SMOOTH[kind].shape[1:])
    if way == "combined" and kind in ("flat", "plateaus"):
        return  # its highest cell is one of many that differ by rounding
    maps = maps[:, : maps.shape[1] // 3 * 3] if way == "combined" else maps
    (points, scores), (found, heights) = (WAYS[way](given, blur) for given in (maps, torch.from_numpy(maps)))
    assert found.dtype == points.dtype == heights.dtype == np.float32 and found.shape == points.shape
    far = np.abs(points - decoding.argmax_points(maps)[0]) > 3 if way != "combined" else np.zeros(points.shape, bool)
    np.testing.assert_allclose(found[~far], points[~far], atol=CELL, rtol=0)
    np.testing.assert_allclose(found[far], points[far], rtol=1e-2)  # a curvature that nearly vanishes
    np.testing.assert_allclose(heights, scores, rtol=1e-6, atol=1e-9)


@pytest.fixture
def _exact_blur(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV's sums in float64, with the same kernel."""

    def exact(image: np.ndarray, size: tuple[int, int], sigma: float, borderType: int = cv2.BORDER_DEFAULT) -> Any:
        kernel = cv2.getGaussianKernel(size[0], sigma, cv2.CV_32F).astype(np.float64)
        reach = size[0] // 2
        wide = cv2.copyMakeBorder(image.astype(np.float64), reach, reach, reach, reach, borderType)
        return cv2.sepFilter2D(wide, cv2.CV_64F, kernel, kernel)[reach:-reach, reach:-reach]

    for length in {side for maps in NOISE.values() for side in maps.shape[1:]}:
        for blur, border in ((11, cv2.BORDER_CONSTANT), (23, cv2.BORDER_DEFAULT)):
            blurred._weights(length, blur, border)  # kept, from OpenCV
    monkeypatch.setattr(cv2, "GaussianBlur", exact)


@pytest.mark.usefixtures("_exact_blur")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", NOISE)
def test_noise_has_the_steps_of_exact_sums(kind: str, way: str) -> None:
    """Where a curvature nearly vanishes a step is as long as rounding makes it: OpenCV's own is then one of many."""
    maps = NOISE[kind]
    (points, scores), (found, heights) = (WAYS[way](given, 11) for given in (maps, torch.from_numpy(maps)))
    np.testing.assert_allclose(found, points, atol=CELL, rtol=1e-4)
    np.testing.assert_allclose(heights, scores, rtol=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_maps_are_taken_in_parts(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = torch.from_numpy(SMOOTH["64x48"])
    whole = WAYS[way](maps, 11)
    monkeypatch.setattr(blurred, "CELLS_AT_ONCE", 10 * 64 * 48)
    sizes: list[int] = []
    blur = blurred.blurred
    monkeypatch.setattr(blurred, "blurred", lambda part, *rest: (sizes.append(len(part)), blur(part, *rest))[1])
    assert all(np.array_equal(one, other) for one, other in zip(WAYS[way](maps, 11), whole, strict=True))
    assert max(sizes) == (3 if way == "combined" else 10) and len(sizes) > 20
    assert WAYS[way](maps[:0], 11)[0].shape == (0, 2)


@pytest.mark.parametrize("crop", ["affine", "reference"])
def test_faces_keep_their_rim(crop: str) -> None:
    protocol = LandmarkProtocol(crop=crop, decoder="dark")  # type: ignore[arg-type]
    maps = _as_predicted(60, 16, 16, 1.5).reshape(3, 20, 16, 16)
    where = RNG.uniform(50, 300, (3, 2)), RNG.uniform(0.3, 3, 3)
    (points, scores), (found, heights) = (decode_faces(m, *where, protocol) for m in (maps, torch.from_numpy(maps)))
    np.testing.assert_allclose(found, points, atol=3 * 200 / 16 * CELL)
    assert np.array_equal(heights, scores)
    plain = decoding.decode(maps, "dark")[0]
    assert (decoding.decode(maps, "dark", rim=True)[0] != plain).any()


def test_a_kernel_without_a_middle_is_refused() -> None:
    for decode in (WAYS["dark"], udp.decode_udp, udp.decode_combined):
        with pytest.raises(ValueError, match="odd"):
            decode(torch.zeros(3, 8, 8), 4)
