"""Peaks found by torch are those found by NumPy, to the last bit: ties, borders, flat and negative maps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tasks.heatmaps.corners import decode_whole_pixels
from tasks.heatmaps.decoding import decode
from tasks.heatmaps.peaks import RULES
from tasks.landmarks.protocol import LandmarkProtocol
from tasks.landmarks.targets import decode_faces

RNG = np.random.default_rng(0)


def _peaks_everywhere(height: int, width: int) -> np.ndarray:
    """One map for each cell, which is its highest, on noise."""
    maps = RNG.random((height * width, height, width)).astype(np.float32)
    maps.reshape(len(maps), -1)[np.arange(len(maps)), np.arange(len(maps))] = 2
    return maps


MAPS = {
    "noise": RNG.standard_normal((6, 17, 16, 12)).astype(np.float32),
    "ties": RNG.integers(0, 3, (40, 5, 8, 8)).astype(np.float32),
    "borders": _peaks_everywhere(7, 5)[None],
    "negative": -RNG.random((3, 4, 6, 9)).astype(np.float32),
    "zero": np.zeros((2, 3, 5, 4), np.float32),
    "one cell": RNG.standard_normal((2, 3, 1, 1)).astype(np.float32),
    "smaller than a step": RNG.standard_normal((4, 9, 2, 2)).astype(np.float32),
    "as bf16 gives them": torch.randn(4, 9, 12, 9).bfloat16().float().numpy(),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", MAPS)
def test_points_and_scores_are_numpys(kind: str, rule: str) -> None:
    points, scores = decode(MAPS[kind], rule)
    found, heights = decode(torch.from_numpy(MAPS[kind]), rule)
    assert found.dtype == points.dtype and heights.dtype == scores.dtype
    assert np.array_equal(found, points) and np.array_equal(heights, scores)


def test_a_step_moves_some_points() -> None:
    moved = [decode(torch.from_numpy(MAPS["borders"]), rule)[0] for rule in RULES]
    assert (moved[0] != moved[1]).any() and (moved[1] != moved[2]).any()


@pytest.mark.parametrize("kind", ["noise", "ties", "borders", "negative", "zero"])
def test_whole_pixels_are_numpys(kind: str) -> None:
    maps = MAPS[kind]
    centres, scales = RNG.uniform(50, 300, (len(maps), 2)), RNG.uniform(0.3, 3, len(maps))
    expected = decode_whole_pixels(maps, centres, scales)
    found = decode_whole_pixels(torch.from_numpy(maps), centres, scales)
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("crop", ["affine", "reference"])
@pytest.mark.parametrize("decoder", ["reference", *RULES])
def test_faces_are_the_same_whichever_way_they_are_decoded(crop: str, decoder: str) -> None:
    protocol = LandmarkProtocol(crop=crop, decoder=decoder)  # type: ignore[arg-type]
    maps = np.abs(RNG.standard_normal((3, 7, 16, 16))).astype(np.float32)
    where = RNG.uniform(50, 300, (3, 2)), RNG.uniform(0.3, 3, 3)
    expected, found = decode_faces(maps, *where, protocol), decode_faces(torch.from_numpy(maps), *where, protocol)
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


def test_a_map_that_is_no_number_stays_none() -> None:
    maps = MAPS["noise"].copy()
    maps[1, 2, 3, 4] = np.nan
    assert np.isnan(decode(torch.from_numpy(maps), "quarter")[1][1, 2])
