"""A small depth-buffered rasteriser for the solids that a figure is made of.

Two solids suffice for people: a *strip* (an axis with an elliptical section whose width follows a profile: limbs, torsos, skirts)
and an *ellipsoid*, optionally cut by a plane (heads, hair, hats). The view is orthographic. Each solid writes its depth, its
shading, two surface coordinates (for fabric patterns), a material and a part label; colours are found afterwards, once.

Camera space: x right and y down in pixels of the layer, z towards the viewer in the same unit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

PROFILE_STEPS = 48
_STEPS = np.linspace(0.0, 1.0, PROFILE_STEPS + 1)
_INDICES = np.arange(16.0)
FAR = np.float32(-1e9)


@dataclass(frozen=True)
class Light:
    """A directional light over an ambient one.

    Attributes:
        direction: unit vector from the scene to the light, camera space (x right, y down, z towards the viewer).
        ambient: brightness of surfaces turned away from the light.
        diffuse: further brightness of surfaces that face it.
        tint: RGB factors of the light's colour.
    """

    direction: tuple[float, float, float] = (-0.4, -0.6, 0.7)
    ambient: float = 0.62
    diffuse: float = 0.45
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


def sample_light(rng: np.random.Generator) -> Light:
    """Draw a light from above, from any side, at times low or coloured (a dull day, a lamp)."""
    azimuth = rng.uniform(-1.2, 1.2)
    elevation = rng.uniform(0.25, 1.1)
    direction = (
        float(np.sin(azimuth) * np.cos(elevation)),
        float(-np.sin(elevation)),
        float(np.cos(azimuth) * np.cos(elevation)),
    )
    warmth = rng.normal(0.0, 0.05)
    dimming = rng.choice([1.0, 1.0, 1.0, 0.8, 0.65])
    tint = (float(dimming * (1 + warmth)), float(dimming), float(dimming * (1 - warmth)))
    return Light(direction, float(rng.uniform(0.5, 0.75)), float(rng.uniform(0.3, 0.6)), tint)


@dataclass(frozen=True)
class _Section:
    """The elliptical section of a strip as the viewer sees it.

    Attributes:
        gain: seen half-width over the profile's; depth_gain: its depth over the half-width; shear: change of depth across.
        seen_end: half-width of the section's seen end; components (xe, xw, ze, zw) of its axes, where it has some.
    """

    gain: float = 1.0
    depth_gain: float = 1.0
    shear: float = 0.0
    seen_end: float = 0.0
    components: tuple[float, float, float, float] | None = None
    flatness: float = 1.0

    @staticmethod
    def of(
        lateral: np.ndarray | None,
        forward: np.ndarray | None,
        flatness: float,
        e: np.ndarray,
        w: np.ndarray,
        k: np.ndarray,
    ) -> _Section:
        """From the section's axes and the strip's frame: across (e), towards the viewer (w), along (k), unit vectors."""
        if lateral is None or forward is None:
            return _Section()
        xe, xw, ze, zw = float(lateral @ e), float(lateral @ w), float(forward @ e), float(forward @ w)
        gain = float(np.sqrt(xe**2 + (flatness * ze) ** 2)) + 1e-3
        shear = (xe * xw + flatness**2 * ze * zw) / gain**2
        seen_end = math.hypot(float(lateral @ k), flatness * float(forward @ k))
        return _Section(gain, flatness / gain, shear, seen_end, (xe, xw, ze, zw), flatness)

    @property
    def has_axes(self) -> bool:
        return self.components is not None

    def angle(self, perp: np.ndarray, bulge: np.ndarray) -> np.ndarray:
        """Angle around the section (0 at the front) of points `perp` pixels across and `bulge` before the axis."""
        assert self.components is not None
        xe, xw, ze, zw = self.components
        back = bulge + perp * np.float32(self.shear)
        side = perp * np.float32(xe) + back * np.float32(xw)
        front = perp * np.float32(ze) + back * np.float32(zw)
        angle: np.ndarray = np.arctan2(side, front * np.float32(1.0 / self.flatness))
        return angle


def _frame(axis: np.ndarray) -> tuple[float, float, np.ndarray, np.ndarray, np.ndarray]:
    """Length of an axis (3,) in space and in the picture; unit vectors across it, towards the viewer, and along it."""
    length = float(np.sqrt(axis @ axis)) + 1e-6
    length_px = float(np.hypot(axis[0], axis[1]))
    if length_px > 1e-3:
        kx, ky = float(axis[0]) / length_px, float(axis[1]) / length_px
    else:
        kx, ky = 0.0, 1.0
    tilt_cos, tilt_sin = length_px / length, float(axis[2]) / length
    towards = np.array((-tilt_sin * kx, -tilt_sin * ky, tilt_cos))
    return length, length_px, np.array((-ky, kx, 0.0)), towards, np.array((kx, ky, 0.0))


def _half_widths(profile: tuple[float, ...], t: np.ndarray) -> np.ndarray:
    """Half-widths in pixels at the shares `t` of the axis, from a profile at equal steps."""
    if len(profile) == 2:
        half: np.ndarray = np.float32(profile[0]) + t * np.float32(profile[1] - profile[0])
        return half
    table = np.interp(_STEPS * (len(profile) - 1), _INDICES[: len(profile)], profile).astype(np.float32)
    half = table[(t * np.float32(PROFILE_STEPS)).astype(np.intp)]
    return half


class Layer:
    """The buffers of one figure: (H, W) arrays over a window of the picture.

    Attributes:
        depth: float32, `FAR` where nothing was drawn.
        shade: float32 brightness factor.
        along, across: float32 surface coordinates in layer pixels, for patterns.
        material, label: uint8; material 0 is empty.
        patterned: for each material number whether its colour needs the surface coordinates.
    """

    def __init__(self, size_hw: tuple[int, int], light: Light, patterned: list[bool]) -> None:
        self.size_hw = size_hw
        self.patterned = patterned
        self.light = light
        self.depth = np.full(size_hw, FAR, np.float32)
        self.shade = np.zeros(size_hw, np.float32)
        self.along = np.zeros(size_hw, np.float32)
        self.across = np.zeros(size_hw, np.float32)
        self.material = np.zeros(size_hw, np.uint8)
        self.label = np.zeros(size_hw, np.uint8)
        self._xs = np.arange(size_hw[1], dtype=np.float32)[None, :]
        self._ys = np.arange(size_hw[0], dtype=np.float32)[:, None]

    def _window(self, x0: float, y0: float, x1: float, y1: float) -> tuple[slice, slice] | None:
        left, top = max(0, int(np.floor(x0))), max(0, int(np.floor(y0)))
        right, bottom = min(self.size_hw[1], int(np.ceil(x1)) + 1), min(self.size_hw[0], int(np.ceil(y1)) + 1)
        if right <= left or bottom <= top:
            return None
        return slice(top, bottom), slice(left, right)

    def _write(
        self,
        window: tuple[slice, slice],
        inside: np.ndarray,
        depth: np.ndarray,
        shade: np.ndarray,
        along: np.ndarray | None,
        across: np.ndarray | None,
        material: int,
        label: int,
    ) -> None:
        wins = inside & (depth > self.depth[window])
        np.copyto(self.depth[window], depth, where=wins)
        np.copyto(self.shade[window], shade, where=wins)
        if along is not None and across is not None:
            np.copyto(self.along[window], along, where=wins)
            np.copyto(self.across[window], across, where=wins)
        np.copyto(self.material[window], np.uint8(material), where=wins)
        np.copyto(self.label[window], np.uint8(label), where=wins)

    def add_strip(
        self,
        start: np.ndarray,
        end: np.ndarray,
        profile: tuple[float, ...],
        material: int,
        label: int,
        *,
        cap: float | tuple[float, float] = 1.0,
        lateral: np.ndarray | None = None,
        forward: np.ndarray | None = None,
        flatness: float = 1.0,
        phase: float = 0.0,
        wrap: bool = False,
        gap: float = 0.0,
    ) -> None:
        """Draw a solid along the axis `start` to `end` ((3,) points in camera space).

        Args:
            profile: half-widths in pixels at equal steps of the axis, two or more; measured along `lateral`.
            material, label: what is written where the solid is in front.
            cap: how far the ends bulge, in half-widths (0: cut flat, 1: round); one figure for both ends, or (start, end).
            lateral, forward: unit vectors of the section's two axes; a round section needs none.
            flatness: depth of the section over its width.
            phase: added to the coordinate along the axis, so that patterns run on over consecutive strips.
            wrap: measure `across` around the section (0 at the front) rather than across the picture.
            gap: leave out what lies within this angle (radians) of the front, as an open coat does; needs `wrap`.
        """
        axis = end - start
        length, length_px, e, w, k = _frame(axis)
        kx, ky = float(k[0]), float(k[1])
        widest = max(profile)
        cap_start, cap_end = cap if isinstance(cap, tuple) else (cap, cap)
        section = _Section.of(lateral, forward, flatness, e, w, k)
        gain, depth_gain, shear, seen_end = section.gain, section.depth_gain, section.shear, section.seen_end
        gain_start = max(math.hypot(seen_end, cap_start * gain), 1e-3)
        gain_end = max(math.hypot(seen_end, cap_end * gain), 1e-3)
        reach = widest * max(gain, gain_start, gain_end) + 1.0
        x0, x1 = sorted((float(start[0]), float(end[0])))
        y0, y1 = sorted((float(start[1]), float(end[1])))
        window = self._window(x0 - reach, y0 - reach, x1 + reach, y1 + reach)
        if window is None:
            return
        dx = self._xs[:, window[1]] - np.float32(start[0])
        dy = self._ys[window[0]] - np.float32(start[1])
        along = dx * np.float32(kx) + dy * np.float32(ky)
        perp = dy * np.float32(kx) - dx * np.float32(ky)
        t = np.minimum(np.maximum(along * np.float32(1.0 / max(length_px, 1e-3)), 0.0), 1.0)
        over = along - t * np.float32(length_px)
        half = _half_widths(profile, t)
        inverse = 1.0 / half
        u = perp * (inverse * np.float32(1.0 / gain))
        v = over * (inverse * np.float32(1.0 / gain_end))
        if gain_start != gain_end:
            v[over < 0] *= np.float32(gain_end / gain_start)
        h_squared = 1.0 - u * u - v * v
        inside = h_squared > 0
        if not inside.any():
            return
        h = np.sqrt(np.maximum(h_squared, 0.0))
        bulge = half * h * np.float32(depth_gain)
        depth = np.float32(start[2]) + t * np.float32(axis[2]) + bulge
        if shear:
            depth += perp * np.float32(shear)
        light = np.asarray(self.light.direction)
        diffuse = self.light.diffuse
        roundness = min(1.0, depth_gain / gain)
        shade = np.float32(self.light.ambient - 0.16) + u * np.float32(diffuse * roundness * float(e @ light))
        shade += h * np.float32(0.16 + diffuse * float(w @ light))
        if gain_end > 1e-3:
            shade += v * np.float32(diffuse * roundness * float(k @ light))
        across = perp
        if wrap and section.has_axes and (gap > 0.0 or self.patterned[material]):
            angle = section.angle(perp, bulge)
            if gap > 0:
                inside &= np.abs(angle) > np.float32(gap)
            across = angle * np.float32(widest)
        surface = t * np.float32(length) + np.float32(phase) if self.patterned[material] else None
        self._write(window, inside, depth, shade, surface, across, material, label)

    def add_ellipsoid(
        self,
        centre: np.ndarray,
        axes: np.ndarray,
        radii: tuple[float, float, float],
        material: int,
        label: int,
        *,
        cut: tuple[np.ndarray, float] | None = None,
    ) -> None:
        """Draw an ellipsoid about `centre` (3,) with the unit vectors `axes` (columns of (3, 3)) and `radii` in pixels.

        `cut` = (unit vector n, distance d) keeps the points p with (p - centre) . n >= d.
        """
        form = (axes / np.square(radii)) @ axes.T
        spread = (axes * np.square(radii)) @ axes.T
        reach_x, reach_y = float(np.sqrt(spread[0, 0])) + 1.0, float(np.sqrt(spread[1, 1])) + 1.0
        x, y = float(centre[0]), float(centre[1])
        window = self._window(x - reach_x, y - reach_y, x + reach_x, y + reach_y)
        if window is None:
            return
        dx = self._xs[:, window[1]] - np.float32(x)
        dy = self._ys[window[0]] - np.float32(y)
        a = float(form[2, 2])
        b = dx * np.float32(form[0, 2]) + dy * np.float32(form[1, 2])
        c = dx * dx * np.float32(form[0, 0]) + dy * dy * np.float32(form[1, 1]) - np.float32(1.0)
        c = c + dx * dy * np.float32(2 * form[0, 1])
        disc = b * b - c * np.float32(a)
        inside = disc > 0
        dz = (np.sqrt(np.maximum(disc, 0.0)) - b) * np.float32(1.0 / a)
        if cut is not None:
            n, distance = cut
            inside &= dx * np.float32(n[0]) + dy * np.float32(n[1]) + dz * np.float32(n[2]) >= np.float32(distance)
        if not inside.any():
            return
        size = float(np.cbrt(radii[0] * radii[1] * radii[2]))
        toward = size * (form @ np.asarray(self.light.direction)) * self.light.diffuse + size * 0.16 * form[2]
        shade = dx * np.float32(toward[0]) + dy * np.float32(toward[1]) + dz * np.float32(toward[2])
        shade += np.float32(self.light.ambient - 0.16)
        if self.patterned[material]:
            self._write(window, inside, dz + np.float32(centre[2]), shade, dy, dx, material, label)
        else:
            self._write(window, inside, dz + np.float32(centre[2]), shade, None, None, material, label)
