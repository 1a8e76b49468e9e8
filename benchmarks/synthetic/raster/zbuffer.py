"""A small z-buffer rasteriser over NumPy arrays: triangles in, interpolated attributes per pixel out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh: `points` (V, 3), `triangles` (T, 3) and per-vertex `attributes` (V, A); normals come with it."""

    points: np.ndarray
    triangles: np.ndarray
    attributes: np.ndarray
    normals: np.ndarray


def grid_mesh(points: np.ndarray, attributes: np.ndarray, outward: np.ndarray) -> Mesh:
    """A mesh over a grid of points (R, C, 3) with attributes (R, C, A).

    Normals are the cross products of central differences, turned away from the inner point `outward` (3,).
    """
    rows, cols = points.shape[:2]
    du = np.empty_like(points)
    dv = np.empty_like(points)
    du[:, 1:-1] = points[:, 2:] - points[:, :-2]
    du[:, 0], du[:, -1] = points[:, 1] - points[:, 0], points[:, -1] - points[:, -2]
    dv[1:-1] = points[2:] - points[:-2]
    dv[0], dv[-1] = points[1] - points[0], points[-1] - points[-2]
    normals = np.cross(du, dv).reshape(-1, 3)
    flat = points.reshape(-1, 3)
    towards = np.einsum("ij,ij->i", normals, flat - outward)
    normals *= np.sign(towards.sum()) or 1.0
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    index = np.arange(rows * cols).reshape(rows, cols)
    a, b, c, d = index[:-1, :-1].ravel(), index[:-1, 1:].ravel(), index[1:, 1:].ravel(), index[1:, :-1].ravel()
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return Mesh(flat, triangles, attributes.reshape(rows * cols, -1), normals)


def join(meshes: list[Mesh]) -> Mesh:
    """One mesh of several; their attributes must have the same width."""
    offsets = np.cumsum([0] + [len(m.points) for m in meshes[:-1]])
    return Mesh(
        np.concatenate([m.points for m in meshes]),
        np.concatenate([m.triangles + o for m, o in zip(meshes, offsets, strict=True)]),
        np.concatenate([m.attributes for m in meshes]),
        np.concatenate([m.normals for m in meshes]),
    )


def rasterise(
    xy: np.ndarray,
    depth: np.ndarray,
    triangles: np.ndarray,
    attributes: np.ndarray,
    size_hw: tuple[int, int],
    keep: Callable[[np.ndarray], np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw triangles with a depth buffer.

    Args:
        xy: vertex positions (V, 2) in pixels, pixel centres at whole numbers.
        depth: nearness (V,); the larger value wins.
        triangles: vertex indices (T, 3); both sides are drawn.
        attributes: values (V, A) to interpolate linearly in the picture.
        size_hw: height and width of the buffers.
        keep: given the first two attributes (F, 2) of all fragments, which of them exist: what is transparent hides nothing.

    Returns:
        nearness (H, W), -inf where nothing was drawn, and attributes (H, W, A) float32.
    """
    height, width = size_hw
    nearness = np.full(height * width, -np.inf, np.float32)
    out = np.zeros((height * width, attributes.shape[1]), np.float32)
    found = list(_fragments(xy, triangles, width, height))
    if found:
        at, tri, w0, w1 = (np.concatenate(part) for part in zip(*found, strict=True))
        corner = triangles[tri]
        w2 = 1 - w0 - w1
        z = depth.astype(np.float32)
        near = z[corner[:, 0]] * w0 + z[corner[:, 1]] * w1 + z[corner[:, 2]] * w2
        values = attributes.astype(np.float32)
        if keep is not None:
            exists = keep(_mix(values[:, :2], corner, w0, w1, w2))
            at, near, corner, w0, w1, w2 = (part[exists] for part in (at, near, corner, w0, w1, w2))
        np.maximum.at(nearness, at, near)
        won = near >= nearness[at]
        out[at[won]] = _mix(values, corner[won], w0[won], w1[won], w2[won])
    return nearness.reshape(height, width), out.reshape(height, width, -1)


def _mix(values: np.ndarray, corner: np.ndarray, w0: np.ndarray, w1: np.ndarray, w2: np.ndarray) -> np.ndarray:
    mixed = values.take(corner[:, 0], axis=0)
    mixed *= w0[:, None]
    for which, weight in ((1, w1), (2, w2)):
        part = values.take(corner[:, which], axis=0)
        part *= weight[:, None]
        mixed += part
    return mixed


def _fragments(xy: np.ndarray, triangles: np.ndarray, width: int, height: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Pixels covered by each triangle: flat index, triangle, and the weights of its first two corners.

    Triangles of like size are tested together against one block of pixels.
    """
    x, y = xy[triangles, 0], xy[triangles, 1]
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    left, top = np.maximum(np.ceil(x.min(1)), 0).astype(int), np.maximum(np.ceil(y.min(1)), 0).astype(int)
    wide = np.minimum(np.floor(x.max(1)), width - 1).astype(int) - left + 1
    high = np.minimum(np.floor(y.max(1)), height - 1).astype(int) - top + 1
    safe = np.where(np.abs(area) > 1e-9, area, 1.0)
    # weight k of a pixel is across_k * dx + down_k * dy + start_k, from the block's first pixel
    weights = []
    for i, j in ((1, 2), (2, 0)):
        start = ((x[:, i] - left) * (y[:, j] - top) - (x[:, j] - left) * (y[:, i] - top)) / safe
        weights.append([v.astype(np.float32) for v in ((y[:, i] - y[:, j]) / safe, (x[:, j] - x[:, i]) / safe, start)])
    usable = (wide > 0) & (high > 0) & (np.abs(area) > 1e-9)
    classes = np.array([2, 4, 7, 12, 24, 64, 256, 4096])
    group = np.searchsorted(classes, wide) * len(classes) + np.searchsorted(classes, high)
    group[~usable] = -1
    for name in np.unique(group[group >= 0]):
        chosen = np.flatnonzero(group == name)
        block_w, block_h = (
            min(int(classes[name // len(classes)]), width),
            min(int(classes[name % len(classes)]), height),
        )
        dx, dy = np.tile(np.arange(block_w), block_h), np.repeat(np.arange(block_h), block_w)
        fx, fy = dx.astype(np.float32), dy.astype(np.float32)
        w0, w1 = (a[chosen, None] * fx + (b[chosen, None] * fy + c[chosen, None]) for a, b, c in weights)
        inside = (w0 >= -1e-5) & (w1 >= -1e-5) & (w0 + w1 <= 1 + 1e-5)
        t, k = np.nonzero(inside)
        column, row = left[chosen[t]] + dx[k], top[chosen[t]] + dy[k]
        fits = (column < width) & (row < height)
        t, k = t[fits], k[fits]
        yield (row * width + column)[fits], chosen[t], w0[t, k], w1[t, k]
