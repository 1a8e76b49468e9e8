"""Random numbers are told from trained filters: both sides of the rule, at the sizes of released first layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from hrnet.checkpoints.first_layer import DECLARED, LEAST, problem_of, structure

SIZES = [(64, 3), (64, 7), (32, 3), (24, 3), (384, 16), (1280, 14)]
"""Filters and their sides: HRNet, ResNet, MobileNetV2 and Lite-HRNet, ShuffleNet, ViT-S, a larger ViT."""


def state(filters: Tensor) -> dict[str, Tensor]:
    return {"backbone.stem.bias": torch.zeros(3), "backbone.conv1.weight": filters, "fc.weight": torch.zeros(2, 3)}


def learnt(count: int, side: int, seed: int, noise: float = 0.5) -> Tensor:
    """What first layers learn from photographs: oriented bars and edges of brightness, some of one colour against another, and
    noise of half their size."""
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(*[np.linspace(-1, 1, side)] * 2, indexing="ij")
    filters = np.zeros((count, 3, side, side))
    for row in filters:
        angle, phase, frequency = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.5 * side / 3)
        wave = np.cos(frequency * (x * np.cos(angle) + y * np.sin(angle)) + phase) * np.exp(-(x**2) - y**2)
        opponent = rng.random() < 0.3
        colours = np.array([1.0, -1.0, 0.2]) if opponent else rng.uniform(0.7, 1.3, 3)
        row += colours[:, None, None] * wave * rng.normal()
    return torch.from_numpy(filters + noise * filters.std() * rng.normal(size=filters.shape)).float()


@pytest.mark.parametrize(("count", "side"), SIZES)
def test_learnt_filters_pass_and_drawn_ones_do_not(count: int, side: int) -> None:
    for seed in range(5):
        generator = torch.Generator().manual_seed(seed)
        shape = (count, 3, side, side)
        assert structure(state(learnt(count, side, seed))) > LEAST  # type: ignore[operator]
        for drawn in (torch.randn(shape, generator=generator), torch.rand(shape, generator=generator) - 0.5):
            assert structure(state(drawn)) < LEAST  # type: ignore[operator]
            # The scales of folded normalisations change nothing.
            scales = torch.rand(count, 1, 1, 1, generator=generator) + 0.3
            assert structure(state((drawn * scales).half())) < LEAST  # type: ignore[operator]


@pytest.mark.parametrize("colours", [(1.0, -1.0, 0.0), (1.0, 1.0, 1.0), (0.0, 0.0, 1.0)])
def test_any_one_kind_of_structure_is_enough(colours: tuple[float, ...]) -> None:
    """Filters of opponent colours alone, colour-blind ones without smoothness, smooth ones of one colour alone."""
    rng = np.random.default_rng(0)
    shape = rng.normal(size=(64, 1, 3, 3))
    if colours[0] == 0:
        shape = np.cumsum(shape, axis=-1)
    assert structure(state(torch.from_numpy(shape * np.array(colours)[:, None, None]).float())) > 0.4  # type: ignore[operator]


def test_what_a_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "pose_hrnet_w32_256x192.pth"
    drawn = torch.randn(64, 3, 3, 3, generator=torch.Generator().manual_seed(1))
    torch.save(state(drawn), path)
    assert problem_of(path).startswith("random numbers: in its first convolution")
    for extra in ({DECLARED: True}, {"meta": {DECLARED: True}}):
        torch.save({"state_dict": state(drawn), **extra}, path)
        assert problem_of(path) == ""
    torch.save({"state_dict": state(learnt(64, 3, 0)), "meta": {"epoch": 210}}, path)
    assert problem_of(path) == ""
    torch.save({"layer.weight": torch.zeros(4, 4)}, path)  # nothing to judge by
    assert problem_of(path) == ""
    torch.save(state(torch.full((64, 3, 3, 3), 0.5)), path)  # every number the same: never trained
    assert problem_of(path).startswith("random numbers")
    path.write_bytes(b"no checkpoint")
    assert problem_of(path) != "" and not problem_of(path).startswith("random")
