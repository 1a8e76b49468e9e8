"""From a figure's buffers to its colours: materials, patterns, fabric folds and light."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from benchmarks.synthetic.people.figure.clothing import Material
from benchmarks.synthetic.raster.strokes import Layer

FOLD_TILE_PX = 256


@lru_cache(maxsize=1)
def fold_tile() -> np.ndarray:
    """Return a (256, 256) float32 tile of creases around zero, the same in every run; it repeats without a seam."""
    rng = np.random.default_rng(20260)
    total = np.zeros((FOLD_TILE_PX, FOLD_TILE_PX), np.float32)
    for cells, weight in ((6, 1.0), (14, 0.8), (40, 0.35)):
        coarse = rng.normal(0, 1, (cells, cells)).astype(np.float32)
        wrapped = np.pad(coarse, 2, mode="wrap")
        factor = FOLD_TILE_PX / cells
        big = cv2.resize(wrapped, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        start = round(2 * factor)
        total += weight * big[start : start + FOLD_TILE_PX, start : start + FOLD_TILE_PX]
    result: np.ndarray = total / np.float32(np.abs(total).max())
    return result


def _pattern_share(material: Material, along: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Return how much of the second colour each point has, 0 to 1; coordinates in metres."""
    period = np.float32(material.period)
    if material.pattern == "stripes":
        result: np.ndarray = (np.mod(along, period) < period * np.float32(0.45)).astype(np.float32)
        return result
    if material.pattern == "pinstripes":
        result = (np.mod(across, period) < period * np.float32(0.3)).astype(np.float32)
        return result
    if material.pattern == "checks":
        rows = np.mod(along, period) < period * np.float32(0.5)
        columns = np.mod(across, period) < period * np.float32(0.5)
        result = np.float32(0.5) * (rows.astype(np.float32) + columns.astype(np.float32))
        return result
    if material.pattern == "dots":
        u = np.mod(along, period) / period - np.float32(0.5)
        v = np.mod(across, period) / period - np.float32(0.5)
        result = (u * u + v * v < np.float32(0.07)).astype(np.float32)
        return result
    if material.pattern == "denim":
        result = np.clip(np.float32(0.18) - np.abs(across) * np.float32(3.0), 0, None)
        return result
    if material.pattern == "strands":
        result = np.float32(0.5) + np.float32(0.5) * np.sin(
            (across + along * np.float32(0.35)) * np.float32(2 * np.pi) / period
        )
        return result
    return np.zeros(along.shape, np.float32)


def paint(layer: Layer, materials: list[Material], px_per_m: float, fold_offset: tuple[int, int]) -> np.ndarray:
    """Return the layer's colours, (H, W, 3) float32 RGB 0..255, zero where nothing was drawn.

    Args:
        materials: material k of the list is number k + 1 of the layer.
        px_per_m: layer pixels per metre.
        fold_offset: where in the fold tile this person begins, so that people differ.
    """
    tint = np.asarray(layer.light.tint, np.float32)
    table = np.zeros((len(materials) + 1, 3), np.float32)
    folds = np.zeros(len(materials) + 1, np.float32)
    for number, material in enumerate(materials):
        table[number + 1] = np.asarray(material.colour, np.float32) * tint
        folds[number + 1] = material.folds
    colours = table[layer.material]
    for number, material in enumerate(materials):
        if material.pattern == "plain":
            continue
        rows, columns = np.nonzero(layer.material == number + 1)
        if not len(rows):
            continue
        along = layer.along[rows, columns] / np.float32(px_per_m)
        across = layer.across[rows, columns] / np.float32(px_per_m)
        share = _pattern_share(material, along, across)[:, None]
        second = np.asarray(material.second, np.float32) * tint
        colours[rows, columns] += share * (second - table[number + 1])
    high, wide = layer.size_hw
    # Crease size is fixed on the body, so the tile is stretched to the layer; creases are smooth, so a third of the size will do.
    scale = 3 * 110.0 / px_per_m
    matrix = np.array(((scale, 0, fold_offset[0]), (0, scale, fold_offset[1])), np.float32)
    coarse_wh = (wide // 3 + 1, high // 3 + 1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    coarse = cv2.warpAffine(fold_tile(), matrix, coarse_wh, flags=flags, borderMode=cv2.BORDER_WRAP)
    creases = cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_LINEAR)
    shade = np.clip(layer.shade, 0.28, 1.35) * (1.0 + np.float32(0.22) * folds[layer.material] * creases)
    result: np.ndarray = colours * shade[:, :, None]
    return result
