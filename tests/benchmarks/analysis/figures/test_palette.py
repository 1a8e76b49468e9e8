"""Colours of bodies are told apart by everybody, and stand out from their paper; each goes with a shape."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from benchmarks.analysis.figures.palette import DARK, DARK_PAPER, LIGHT, LIGHT_PAPER, SHAPES, colour, shape

# Machado, Oliveira and Fernandes 2009, severity 1.0, of linear RGB.
SIGHTS = {
    "everybody": np.eye(3),
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}


def linear(text: str) -> np.ndarray:
    """#rrggbb as linear RGB from 0 to 1 (IEC 61966-2-1)."""
    channels = np.array([int(text[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE Lab (D65) of linear RGB."""
    matrix = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    )
    x, y, z = (
        np.cbrt(value) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116
        for value in matrix @ rgb / (0.95047, 1.0, 1.08883)
    )
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2)."""
    first, second = sorted((float(linear(text) @ (0.2126, 0.7152, 0.0722)) for text in (one, other)), reverse=True)
    return (first + 0.05) / (second + 0.05)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_pairs_of_colours_are_at_least_15_apart(theme: tuple[str, ...], sight: str) -> None:
    seen = {text: lab(np.clip(np.asarray(SIGHTS[sight]) @ linear(text), 0, 1)) for text in theme}
    apart = {pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])) for pair in combinations(theme, 2)}
    assert min(apart.values()) >= 15, min(apart.items(), key=lambda item: item[1])


def test_colours_stand_out_from_their_paper() -> None:
    assert min(contrast(text, LIGHT_PAPER) for text in LIGHT) >= 3
    assert min(contrast(text, DARK_PAPER) for text in DARK) >= 3


def test_a_shape_goes_with_every_colour() -> None:
    looks = [(colour(k), colour(k, True), shape(k)) for k in range(len(LIGHT) * len(SHAPES))]
    assert len(set(looks)) == len(looks) == 56 and len(LIGHT) == len(DARK)
