"""A canvas that paints a picture and, from the same strokes, remembers what lies where.

Colours go to a supersampled RGB buffer; every stroke also goes to the mask of the item that is being painted. Items are
painted from the back to the front, so the painting order is the depth order. Coordinates are output pixels, x right and
y down, pixel k covering [k, k + 1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

Colour = Sequence[float]
Point = Sequence[float] | np.ndarray
SUPERSAMPLING = 2
_SHIFT = 4  # cv2 takes fixed-point coordinates: 1/16 of a supersampled pixel
_NOISE_HW = (512, 768)
_TURN_24 = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_CIRCLE_24 = np.stack([np.cos(_TURN_24), np.sin(_TURN_24)], 1)


@dataclass
class Item:
    """One painted thing: its label, its own (amodal) mask cut to `box_xyxy`, and how its surface looks."""

    label: str
    instance: bool
    depth: float
    grain: float
    blotch: float
    box_xyxy: tuple[int, int, int, int] = (0, 0, 0, 0)
    mask: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), bool))
    extra: dict[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=1)
def _noise_fields() -> tuple[np.ndarray, np.ndarray]:
    """Two fixed float32 fields of zero mean and unit spread: fine grain and soft blotches."""
    rng = np.random.default_rng(20190820)
    grain = rng.standard_normal(_NOISE_HW).astype(np.float32)
    grain = 0.8 * grain + 0.2 * cv2.GaussianBlur(grain, (0, 0), 1.0) * 3
    blotch: np.ndarray = sum(  # type: ignore[assignment]
        weight * cv2.resize(rng.standard_normal((_NOISE_HW[0] // cell, _NOISE_HW[1] // cell)), _NOISE_HW[::-1])
        for cell, weight in ((4, 0.6), (8, 0.8), (32, 0.7))
    )
    return grain / grain.std(), (blotch / blotch.std()).astype(np.float32)


def shade_colour(colour: Colour, factor: float) -> tuple[float, float, float]:
    """Return `colour` (RGB, 0..255) made darker (factor < 1) or lighter (factor > 1), clipped to the range."""
    return tuple(float(min(255.0, max(0.0, channel * factor))) for channel in colour)  # type: ignore[return-value]


def blend_colour(first: Colour, second: Colour, share: float) -> tuple[float, float, float]:
    """Return the mixture of two RGB colours; share 0 gives the first, 1 the second."""
    return tuple(a + (b - a) * share for a, b in zip(first, second, strict=True))  # type: ignore[return-value]


class Canvas:
    """Paints items back to front; afterwards `picture` gives the RGB image and `item_map` who is seen where."""

    def __init__(self, width: int, height: int, colour: Colour = (128, 128, 128)) -> None:
        self.width, self.height = width, height
        self.rgb = np.empty((height * SUPERSAMPLING, width * SUPERSAMPLING, 3), np.uint8)
        self.rgb[:] = np.asarray(colour, np.uint8)
        self.items: list[Item] = []
        self._mask = np.zeros(self.rgb.shape[:2], np.uint8)
        self._bounds: list[float] | None = None

    @contextmanager
    def item(
        self,
        label: str,
        *,
        instance: bool = False,
        depth: float = 0.0,
        grain: float = 0.03,
        blotch: float = 0.04,
        **extra: Any,
    ) -> Iterator[Item]:
        """Everything painted inside the `with` block is one item; an item that covers no pixel is forgotten.

        `depth` (metres, 0 = untouched by fog; negative = the ground, whose depth follows the row), `grain` and `blotch`
        (relative amplitudes of the surface noise) act in `picture`; `extra` is kept for the writers.
        """
        assert self._bounds is None, "items do not nest"
        self._bounds = [np.inf, np.inf, -np.inf, -np.inf]
        current = Item(label, instance, depth, grain, blotch, extra=extra)
        try:
            yield current
            self._keep(current)
        finally:
            self._bounds = None

    def _keep(self, current: Item) -> None:
        assert self._bounds is not None
        low_x, low_y, high_x, high_y = self._bounds
        if low_x == np.inf:
            return
        x0, y0 = max(0, int(np.floor(low_x)) - 2), max(0, int(np.floor(low_y)) - 2)
        x1, y1 = min(self.width, int(np.ceil(high_x)) + 3), min(self.height, int(np.ceil(high_y)) + 3)
        if x1 <= x0 or y1 <= y0:
            return
        s = SUPERSAMPLING
        fine = self._mask[y0 * s : y1 * s, x0 * s : x1 * s]
        mask = cv2.resize(fine, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA) > 140
        fine[:] = 0
        if mask.any():
            current.box_xyxy, current.mask = (x0, y0, x1, y1), mask
            self.items.append(current)

    def _fixed(self, points: np.ndarray) -> np.ndarray:
        scale = float(SUPERSAMPLING << _SHIFT)
        scaled = np.asarray(points, np.float64) * scale - 0.5 * (1 << _SHIFT)
        fixed = np.minimum(np.maximum(scaled, -131072.0), 131072.0).astype(np.int32)
        if self._bounds is not None and fixed.size:
            x, y, width, height = cv2.boundingRect(fixed.reshape(-1, 2))
            old = self._bounds
            self._bounds = [
                min(old[0], x / scale),
                min(old[1], y / scale),
                max(old[2], (x + width) / scale),
                max(old[3], (y + height) / scale),
            ]
        return fixed

    def polygon(self, points: np.ndarray, colour: Colour, *, claim: bool = True) -> None:
        """Fill one polygon (N, 2) or K polygons (K, N, 2); `claim=False` paints without adding to the item's mask."""
        if not len(points):
            return
        fixed = self._fixed(points)
        shapes = [fixed] if fixed.ndim == 2 else list(fixed)
        cv2.fillPoly(self.rgb, shapes, tuple(colour), cv2.LINE_AA, _SHIFT)
        if claim and self._bounds is not None:
            cv2.fillPoly(self._mask, shapes, 255, cv2.LINE_8, _SHIFT)

    def claim(self, points: np.ndarray) -> None:
        """Add a polygon (N, 2) to the item's mask without painting it (a fence claims the gaps between its bars)."""
        cv2.fillPoly(self._mask, [self._fixed(points)], 255, cv2.LINE_8, _SHIFT)

    def line(self, points: np.ndarray, width_px: float, colour: Colour, *, claim: bool = True) -> None:
        """Draw an open polyline (N, 2) of the given width; below one supersampled pixel the colour is thinned out."""
        fixed = self._fixed(points)
        thickness = max(1, round(width_px * SUPERSAMPLING))
        cv2.polylines(self.rgb, [fixed], False, tuple(colour), thickness, cv2.LINE_AA, _SHIFT)
        if claim and self._bounds is not None:
            low_x, low_y, high_x, high_y = self._bounds
            self._bounds = [low_x - width_px, low_y - width_px, high_x + width_px, high_y + width_px]
            cv2.polylines(self._mask, [fixed], False, 255, thickness, cv2.LINE_8, _SHIFT)

    def ellipse(
        self,
        centre_xy: Point,
        radii_xy: Point,
        colour: Colour,
        *,
        angle_deg: float = 0.0,
        claim: bool = True,
    ) -> None:
        """Fill an ellipse given by its centre, its two radii and the angle of the first one."""
        self.polygon(ellipse_points(centre_xy, radii_xy, angle_deg), colour, claim=claim)

    def shadow(self, centre_xy: Point, radii_xy: Point, strength: float = 0.45) -> None:
        """Darken what is already painted inside a soft ellipse; it belongs to no item."""
        s = SUPERSAMPLING
        (cx, cy), (rx, ry) = centre_xy, (max(0.5, radii_xy[0]), max(0.5, radii_xy[1]))
        x0, x1 = max(0, int((cx - rx) * s)), min(self.rgb.shape[1], int((cx + rx) * s) + 1)
        y0, y1 = max(0, int((cy - ry) * s)), min(self.rgb.shape[0], int((cy + ry) * s) + 1)
        if x1 <= x0 or y1 <= y0:
            return
        dx = (np.arange(x0, x1, dtype=np.float32) / s - cx) / rx
        dy = (np.arange(y0, y1, dtype=np.float32) / s - cy) / ry
        fall = np.clip(1.4 * (1.0 - dx[None] ** 2 - dy[:, None] ** 2), 0, 1) * strength
        patch = self.rgb[y0:y1, x0:x1]
        patch[:] = (patch * (1.0 - fall[..., None])).astype(np.uint8)

    def sprite(self, rgb: np.ndarray, alpha: np.ndarray, left_top: tuple[int, int]) -> None:
        """Lay a picture (h, w, 3) uint8 with alpha (h, w) 0..1 over the canvas; both in supersampled pixels.

        `left_top` is its corner (x, y) in supersampled pixels; parts outside are cut. Alpha above one half is claimed.
        """
        x, y = left_top
        x0, y0 = max(0, x), max(0, y)
        x1, y1 = min(self.rgb.shape[1], x + alpha.shape[1]), min(self.rgb.shape[0], y + alpha.shape[0])
        if x1 <= x0 or y1 <= y0:
            return
        part = alpha[y0 - y : y1 - y, x0 - x : x1 - x].astype(np.float32)
        patch = self.rgb[y0:y1, x0:x1]
        patch[:] = patch + (rgb[y0 - y : y1 - y, x0 - x : x1 - x].astype(np.float32) - patch) * part[..., None] + 0.5
        if self._bounds is not None:
            self.claim_mask(part > 0.5, (x0, y0))

    def claim_mask(self, mask: np.ndarray, left_top: tuple[int, int]) -> None:
        """Add a mask (h, w) bool in supersampled pixels, wholly inside the canvas, to the item's mask."""
        (x, y), (high, wide), s = left_top, mask.shape, SUPERSAMPLING
        self._fixed(np.array([[x / s, y / s], [(x + wide) / s, (y + high) / s]]))
        fine = self._mask[y : y + high, x : x + wide]
        np.maximum(fine, mask.astype(np.uint8) * 255, out=fine)

    def vertical_gradient(self, top: Colour, bottom: Colour, y0: float, y1: float) -> None:
        """Paint rows y0 to y1 with a gradient over the whole width; claimed by the current item."""
        s = SUPERSAMPLING
        r0, r1 = max(0, round(y0 * s)), min(self.rgb.shape[0], round(y1 * s))
        if r1 <= r0:
            return
        share = np.linspace(0, 1, r1 - r0, dtype=np.float32)[:, None]
        rows = np.asarray(top, np.float32) * (1 - share) + np.asarray(bottom, np.float32) * share
        self.rgb[r0:r1] = np.clip(rows, 0, 255).astype(np.uint8)[:, None]
        if self._bounds is not None:
            self._fixed(np.array([[0, y0], [self.width, y1]]))
            self._mask[r0:r1] = 255

    def item_map(self) -> np.ndarray:
        """Return (H, W) int32: the index of the item seen at each pixel, -1 where none was painted."""
        seen = np.full((self.height, self.width), -1, np.int32)
        for index, current in enumerate(self.items):
            x0, y0, x1, y1 = current.box_xyxy
            seen[y0:y1, x0:x1][current.mask] = index
        return seen

    def picture(
        self,
        rng: np.random.Generator,
        *,
        ground_depth: np.ndarray | None = None,
        fog_colour: Colour = (200, 205, 210),
        visibility_m: float = np.inf,
        gain: Colour = (1.0, 1.0, 1.0),
        gamma: float = 1.0,
        noise: float = 2.0,
        blur_px: float = 0.0,
        vignette: float = 0.1,
    ) -> np.ndarray:
        """Return the finished RGB picture (H, W, 3) uint8: surface noise, fog by depth, light, lens and sensor.

        `ground_depth` (H,) holds the depth of the ground in each row, for items of negative depth.
        """
        image = cv2.resize(self.rgb, (self.width, self.height), interpolation=cv2.INTER_AREA).astype(np.float32)
        seen = self.item_map()
        fields = [
            f[y : y + self.height, x : x + self.width]
            for f in _noise_fields()
            for y, x in [(rng.integers(0, _NOISE_HW[0] - self.height), rng.integers(0, _NOISE_HW[1] - self.width))]
        ]
        table = np.array([[i.grain, i.blotch, i.depth] for i in self.items] + [[0.02, 0.02, 0.0]], np.float32)
        surface = 1.0 + table[seen, 0] * fields[0] + table[seen, 1] * fields[1]
        image *= np.clip(surface, 0.3, 1.8)[..., None]
        if np.isfinite(visibility_m):
            depth = table[seen, 2]
            if ground_depth is not None:
                depth = np.where(depth < 0, ground_depth[:, None].astype(np.float32), depth)
            clear = np.exp(-depth / visibility_m)[..., None]
            fog = np.asarray(fog_colour, np.float32)
            image = fog + (image - fog) * clear
        dy: np.ndarray = np.linspace(-1, 1, self.height, dtype=np.float32)[:, None]
        dx: np.ndarray = np.linspace(-1, 1, self.width, dtype=np.float32)[None]
        image *= np.asarray(gain, np.float32) * (1.0 - vignette * (dx * dx + dy * dy) / 2)[..., None]
        if blur_px > 0.2:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), blur_px), np.float32)
        if gamma != 1.0:
            image = 255.0 * (np.clip(image, 0, 255) / 255.0) ** gamma
        if noise:
            image += rng.standard_normal(image.shape, dtype=np.float32) * noise
        result: np.ndarray = np.clip(image + 0.5, 0, 255).astype(np.uint8)
        return result


def ellipse_points(centre_xy: Point, radii_xy: Point, angle_deg: float = 0.0) -> np.ndarray:
    """Return the outline (N, 2) of an ellipse, N growing with its size."""
    count = int(np.clip(6 + 1.5 * max(radii_xy), 8, 40))
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    local = np.stack([np.cos(turn) * radii_xy[0], np.sin(turn) * radii_xy[1]], 1)
    angle = np.deg2rad(angle_deg)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    result: np.ndarray = local @ rotation + np.asarray(centre_xy, np.float64)
    return result


def rectangle(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """Return the corners (4, 2) of an upright rectangle."""
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)


def inset(quad: np.ndarray, u0: float, v0: float, u1: float, v1: float) -> np.ndarray:
    """Return the part (4, 2) of a quadrilateral between the shares u (first edge) and v (second edge) of its sides."""
    u = np.array([u0, u1, u1, u0])[:, None]
    v = np.array([v0, v0, v1, v1])[:, None]
    a, b, c, d = np.asarray(quad, np.float64)
    result: np.ndarray = (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * d + u * c)
    return result


def blob(rng: np.random.Generator, centre_xy: Point, radii_xy: Point, rough: float) -> np.ndarray:
    """Return an irregular round outline (24, 2), `rough` being the relative spread of its radius."""
    draws = 1.0 + rough * rng.standard_normal(25)
    radius = (draws[1:] + draws[:-1]) / 2
    radius[0] = (radius[-1] + radius[1]) / 2
    return _CIRCLE_24 * radius[:, None] * np.asarray(radii_xy, np.float64) + np.asarray(centre_xy, np.float64)
