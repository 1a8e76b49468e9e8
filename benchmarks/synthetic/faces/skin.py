"""The look of a parametric face: tones, make-up, beard, and its painting into a flat texture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from benchmarks.synthetic.faces.shape import FaceGeometry, spline

SKINS = np.array(
    [
        [246, 214, 192],
        [236, 196, 168],
        [224, 178, 146],
        [208, 158, 122],
        [184, 132, 98],
        [150, 104, 76],
        [116, 78, 58],
        [86, 58, 46],
    ],
    float,
)
HAIRS = np.array(
    [
        *([28, 22, 20], [50, 34, 26], [84, 56, 38], [126, 88, 54], [186, 148, 96], [214, 186, 138]),
        *([150, 70, 40], [150, 148, 146], [214, 212, 208]),
    ],
    float,
)
IRISES = np.array([[66, 42, 28], [96, 64, 36], [88, 96, 58], [86, 116, 146], [104, 128, 134]], float)
# The texture covers x in +-HALF_X and y from TOP_Y down, PX_PER_UNIT pixels per unit.
HALF_X, TOP_Y, BOTTOM_Y, PX_PER_UNIT = 1.02, 1.25, -1.95, 84.0
TEXTURE_WH = (round(2 * HALF_X * PX_PER_UNIT), round((TOP_Y - BOTTOM_Y) * PX_PER_UNIT))
_SHIFT = 4


@dataclass(frozen=True)
class FaceLook:
    """Colours (RGB 0..255) and paint of one face."""

    skin: np.ndarray
    hair: np.ndarray
    iris: np.ndarray
    beard: float  # 0 shaven .. 1 full
    moustache: float
    age: float  # 0 smooth .. 1 lined
    makeup: float  # 0 none .. 1 heavy
    lipstick: np.ndarray
    eyeshadow: np.ndarray
    seed: int


def random_look(rng: np.random.Generator, makeup: float) -> FaceLook:
    """Random colours; `makeup` is the strength of the paint."""
    tone = int(rng.choice(len(SKINS), p=[0.15, 0.18, 0.18, 0.15, 0.12, 0.1, 0.07, 0.05]))
    skin = np.clip(SKINS[tone] * rng.uniform(0.93, 1.05) + rng.normal(0, 4, 3), 20, 255)
    dark = [0.3, 0.26, 0.18, 0.09, 0.05, 0.02, 0.02, 0.06, 0.02]
    hair = HAIRS[rng.choice(len(HAIRS), p=dark if tone < 4 else [0.55, 0.3, 0.08, 0, 0, 0, 0, 0.05, 0.02])]
    bearded = makeup < 0.3 and rng.random() < 0.3
    lipstick = np.array([[176, 40, 56], [200, 70, 90], [140, 30, 60], [206, 60, 44]], float)[rng.integers(4)]
    shadow = np.array([[92, 70, 110], [60, 84, 120], [110, 74, 60], [60, 50, 56]], float)[rng.integers(4)]
    return FaceLook(
        skin=skin,
        hair=np.clip(hair * rng.uniform(0.85, 1.15), 8, 240),
        iris=IRISES[0 if tone > 4 else rng.integers(len(IRISES))] * rng.uniform(0.8, 1.2),
        beard=float(rng.uniform(0.3, 1.0)) if bearded and rng.random() < 0.7 else 0.0,
        moustache=float(rng.uniform(0.3, 1.0)) if bearded else 0.0,
        age=float(np.clip(rng.normal(0.3, 0.3), 0, 1)),
        makeup=makeup,
        lipstick=lipstick,
        eyeshadow=shadow,
        seed=int(rng.integers(1 << 30)),
    )


def to_texture(xy: np.ndarray) -> np.ndarray:
    """Flat face coordinates (..., 2) -> texture pixels."""
    xy = np.asarray(xy, float)
    return np.stack([(xy[..., 0] + HALF_X) * PX_PER_UNIT, (TOP_Y - xy[..., 1]) * PX_PER_UNIT], -1)


@lru_cache(maxsize=4)
def noise_map(kind: str) -> np.ndarray:
    """Fixed zero-mean noise pictures of twice the texture's size: `mottle` (soft patches) and `strands` (fine streaks)."""
    rng = np.random.default_rng([77, len(kind)])
    width, height = TEXTURE_WH[0] * 2, TEXTURE_WH[1] * 2
    white = rng.normal(0, 1, (height, width)).astype(np.float32)
    if kind == "mottle":
        soft = cv2.GaussianBlur(white, (0, 0), 9) * 28 + cv2.GaussianBlur(white, (0, 0), 1.5) * 2.2
        result: np.ndarray = soft / soft.std()
        return result
    streaks = cv2.blur(cv2.GaussianBlur(white, (0, 0), 0.7), (1, 23))
    result = streaks / streaks.std()
    return result


def noise_cut(kind: str, rng: np.random.Generator, size_wh: tuple[int, int]) -> np.ndarray:
    """A random window (H, W) of a noise map."""
    picture = noise_map(kind)
    top = int(rng.integers(picture.shape[0] - size_wh[1] + 1))
    left = int(rng.integers(picture.shape[1] - size_wh[0] + 1))
    return picture[top : top + size_wh[1], left : left + size_wh[0]]


def _polygon(image: np.ndarray, points: np.ndarray, colour: Any) -> None:
    cv2.fillPoly(image, [np.round(to_texture(points) * (1 << _SHIFT)).astype(np.int32)], colour, cv2.LINE_AA, _SHIFT)


def _line(image: np.ndarray, points: np.ndarray, colour: Any, thickness: int = 1, closed: bool = False) -> None:
    fixed = np.round(to_texture(points) * (1 << _SHIFT)).astype(np.int32)
    cv2.polylines(image, [fixed], closed, colour, thickness, cv2.LINE_AA, _SHIFT)


def _disc(image: np.ndarray, centre: np.ndarray, radius: float, colour: Any, squash: float = 1.0) -> None:
    at = np.round(to_texture(centre) * (1 << _SHIFT)).astype(int)
    axes = np.round(np.array([radius, radius * squash]) * PX_PER_UNIT * (1 << _SHIFT)).astype(int)
    cv2.ellipse(image, tuple(at.tolist()), tuple(axes.tolist()), 0, 0, 360, colour, -1, cv2.LINE_AA, _SHIFT)


def _soft(draw_value: int, spots: list[tuple[float, float, float, float]], blur: float) -> np.ndarray:
    """A soft mask (0..1) of ellipses (cx, cy, rx, ry), painted at quarter size."""
    size = (TEXTURE_WH[0] // 4, TEXTURE_WH[1] // 4)
    mask: np.ndarray = np.zeros((size[1], size[0]), np.uint8)
    for cx, cy, rx, ry in spots:
        at = to_texture(np.array([cx, cy])) / 4
        axes = (max(1, round(rx * PX_PER_UNIT / 4)), max(1, round(ry * PX_PER_UNIT / 4)))
        cv2.ellipse(mask, (round(at[0]), round(at[1])), axes, 0, 0, 360, draw_value, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), blur * PX_PER_UNIT / 4)
    return cv2.resize(mask, TEXTURE_WH, interpolation=cv2.INTER_LINEAR).astype(np.float32)[..., None] / 255


def paint(geometry: FaceGeometry, look: FaceLook) -> np.ndarray:
    """The face's texture (H, W, 3) float32 RGB: skin, lips, eyes, brows, nostrils, beard and make-up."""
    g, s = geometry, geometry.shape
    rng = np.random.default_rng(look.seed)
    skin = look.skin.astype(np.float32)
    light = float(skin.mean() / 210)
    image = np.empty((TEXTURE_WH[1], TEXTURE_WH[0], 3), np.float32)
    image[:] = skin
    image += (noise_cut("mottle", rng, TEXTURE_WH) * 2.6)[..., None] * np.array([1, 0.8, 0.7], np.float32)
    red = (skin * np.array([1.0, 0.80, 0.78])).astype(np.float32)
    smile = max(s.smile, 0)
    blush = _soft(255, [(-0.48, -0.33, 0.2, 0.15), (0.48, -0.33, 0.2, 0.15), (0, g.nose_tip_y, 0.1, 0.08)], 0.09)
    image += blush * (0.45 + 0.4 * look.makeup) * (red - image)
    shade = (skin * np.array([0.72, 0.62, 0.60])).astype(np.float32)
    sockets: list[tuple[float, float, float, float]] = [(sx * 0.30, 0.07, 0.15, 0.06) for sx in (-1, 1)] + [
        (sx * 0.33, -0.09, 0.12, 0.02) for sx in (-1, 1)
    ]
    under: list[tuple[float, float, float, float]] = [
        (0, g.nose_base_y - 0.03, 0.13, 0.025),
        (0, g.lip_outer[9][1] - 0.06, 0.16, 0.02),
    ]
    image += _soft(255, sockets + under, 0.05) * 0.38 * (shade - image)
    if look.beard or look.moustache:
        _paint_beard(image, g, look, rng)
    if look.makeup > 0.2:
        for upper, _ in g.eye_lids:
            c = upper[12]
            image += (
                _soft(255, [(c[0], c[1] + 0.035, 0.15, 0.045)], 0.03)
                * 0.75
                * look.makeup
                * (look.eyeshadow.astype(np.float32) - image)
            )
    canvas: np.ndarray = np.clip(image, 0, 255).astype(np.uint8)
    fold = (skin * np.array([0.70, 0.58, 0.55])).tolist()
    depth = 0.25 + 0.5 * smile + 0.45 * look.age
    overlay = canvas.copy()
    for side, sign in ((0, -1), (1, 1)):
        corner = g.lip_outer[0 if sign < 0 else 6]
        wing = np.array([sign * (g.nose_half + 0.02), g.nose_base_y + 0.1])
        mid = (wing + corner) / 2 + np.array([sign * (0.10 + 0.03 * smile), 0.02])
        _line(overlay, spline(np.stack([wing, mid, corner + np.array([sign * 0.07, 0.0])]), 12), fold, 3)
        upper, lower = g.eye_lids[side]
        _line(overlay, lower[4:21] - [0, 0.05], fold, 2)
        if look.age > 0.45:
            for dy in (0.02, -0.02):
                start = upper[0] + [sign * 0.04, dy]
                _line(overlay, np.stack([start, start + np.array([sign * 0.09, dy * 1.5])]), fold, 1)
    if look.age > 0.35 or s.surprise > 0.3:
        for k in range(3):
            x = np.linspace(-0.4, 0.4, 9)
            _line(overlay, np.stack([x, 0.44 + 0.1 * k + 0.02 * np.cos(x * 8 + k)], 1), fold, 2)
    if s.frown > 0.3:
        for sign in (-1, 1):
            _line(overlay, np.array([[sign * 0.06, 0.13], [sign * 0.05, 0.27]]), fold, 2)
    overlay = cv2.GaussianBlur(overlay, (0, 0), 1.6)
    canvas = cv2.addWeighted(canvas, 1 - depth, overlay, depth, 0) if depth < 1 else overlay
    _paint_nose(canvas, g, skin, light)
    _paint_mouth(canvas, g, look, skin)
    for side in (0, 1):
        _paint_eye(canvas, g, look, side)
        _paint_brow(canvas, g, look, side, rng)
    return cv2.GaussianBlur(canvas, (0, 0), 0.6).astype(np.float32)


def _paint_beard(image: np.ndarray, g: FaceGeometry, look: FaceLook, rng: np.random.Generator) -> None:
    mask = np.zeros((TEXTURE_WH[1], TEXTURE_WH[0]), np.uint8)
    outer, y = g.lip_outer, g.mouth_y
    if look.moustache:
        left, right = outer[0], outer[6]
        ring = [
            left + np.array([-0.05, -0.05]),
            [-0.13, g.nose_base_y - 0.03],
            [0.13, g.nose_base_y - 0.03],
            right + np.array([0.05, -0.05]),
            outer[4],
            outer[3],
            outer[2],
        ]
        _polygon(mask, np.array(ring), int(235 * look.moustache))
    if look.beard:
        jaw = g.outline[: g.ear_index + 1, :2]
        cheek = np.array(
            [
                [0.80, 0.0],
                [0.66, -0.42],
                [0.50, y + 0.02],
                [g.mouth_half + 0.06, y - 0.06],
                [0.2, outer[9][1] - 0.05],
                [0, outer[9][1] - 0.08],
            ]
        )
        side = np.concatenate([jaw + np.array([0.1, -0.12]), cheek])
        for sign in (-1, 1):
            _polygon(mask, side * [sign, 1], int(225 * look.beard))
    soft = cv2.GaussianBlur(mask, (0, 0), 5).astype(np.float32)[..., None] / 255
    streaks = noise_cut("strands", rng, TEXTURE_WH)[..., None] * 0.28
    cover = np.clip(soft * (1.05 + streaks), 0, 1)
    image += cover * (look.hair.astype(np.float32) * (1 + 0.5 * streaks) - image)


def _paint_nose(canvas: np.ndarray, g: FaceGeometry, skin: np.ndarray, light: float) -> None:
    dark = (skin * np.array([0.34, 0.24, 0.22])).tolist()
    shade = (skin * np.array([0.70, 0.57, 0.54])).tolist()
    for sign in (-1, 1):
        wing = np.array([sign * g.nose_half, g.nose_base_y + 0.085])
        curve = np.stack(
            [
                wing + np.array([-sign * 0.03, 0.06]),
                wing + np.array([sign * 0.008, 0.0]),
                wing + np.array([-sign * 0.03, -0.05]),
                [sign * 0.06, g.nose_base_y + 0.012],
                [0, g.nose_base_y],
            ]
        )
        _line(canvas, spline(curve, 16), shade, 1)
        _disc(canvas, np.array([sign * 0.44 * g.nose_half, g.nose_base_y + 0.036]), 0.038, dark, 0.55)


def _paint_mouth(canvas: np.ndarray, g: FaceGeometry, look: FaceLook, skin: np.ndarray) -> None:
    natural = skin * np.array([0.86, 0.66, 0.66]) + np.array([4, 0, 2])
    lip = natural + look.makeup * 0.85 * (look.lipstick - natural)
    outer, inner = g.lip_outer, g.lip_inner
    upper = np.concatenate([spline(outer[:7], 31), spline(inner[4::-1], 21)])
    lower = np.concatenate(
        [spline(np.concatenate([outer[6:], outer[:1]]), 31), spline(np.concatenate([inner[:1], inner[:3:-1]]), 21)]
    )
    ring = np.concatenate([spline(outer[:7], 31), spline(np.concatenate([outer[6:], outer[:1]]), 31)])
    _polygon(canvas, ring, (lip * 0.9).tolist())
    _polygon(canvas, upper, (lip * 0.86).tolist())
    _polygon(canvas, lower, (lip * 1.04).clip(0, 255).tolist())
    top, bottom = spline(inner[:5], 21), spline(np.concatenate([inner[4:], inner[:1]]), 21)
    dark = (lip * 0.30 + np.array([14, 0, 0])).tolist()
    if g.lip_gap > 0.02:
        hole = np.concatenate([top, bottom])
        _polygon(canvas, hole, dark)
        gap = g.lip_gap
        drop = min(0.085, 0.8 * gap)
        teeth = np.concatenate([top[3:18], (top[3:18] - [0, drop])[::-1]])
        low_edge = np.interp(teeth[:, 0], bottom[::-1, 0], bottom[::-1, 1])
        teeth[:, 1] = np.maximum(teeth[:, 1], low_edge)
        _polygon(canvas, teeth, [226, 222, 210])
        if gap > 0.16:
            tongue = np.array([0, bottom[10, 1] + 0.04])
            _disc(canvas, tongue, min(0.13, 0.45 * g.mouth_half), [168, 78, 78], 0.45)
            _line(canvas, bottom, lip.tolist(), 3)
    _line(canvas, np.concatenate([outer[:1], top, outer[6:7]]), dark, 1 if g.lip_gap > 0.02 else 2)


def _paint_eye(canvas: np.ndarray, g: FaceGeometry, look: FaceLook, side: int) -> None:
    upper, lower = g.eye_lids[side]
    sign = -1 if side == 0 else 1
    skin = look.skin
    ring = np.concatenate([upper, lower[::-1]])
    lash = (look.hair * 0.25 + np.array([12, 8, 8])) * (1 - 0.5 * look.makeup)
    opening = float((upper[12] - lower[12])[1])
    if opening > 0.02:
        fixed = to_texture(ring)
        x0, y0 = np.floor(fixed.min(0)).astype(int) - 3
        x1, y1 = np.ceil(fixed.max(0)).astype(int) + 4
        patch = np.ascontiguousarray(canvas[y0:y1, x0:x1])
        white = np.empty_like(patch)
        white[:] = (232, 226, 222)
        at = to_texture(g.pupils[side]) - [x0, y0]

        def ball(radius: float, colour: Any, shift: tuple[float, float] = (0.0, 0.0)) -> None:
            c = np.round((at + np.array(shift) * PX_PER_UNIT) * 16).astype(int)
            cv2.circle(white, (int(c[0]), int(c[1])), round(radius * PX_PER_UNIT * 16), colour, -1, cv2.LINE_AA, 4)

        ball(0.071, (look.iris * 0.45).tolist())
        ball(0.062, look.iris.tolist())
        ball(0.030, [12, 10, 10])
        ball(0.014, [250, 250, 250], (0.022, -0.022))
        white[: max(1, (y1 - y0) // 3)] = (white[: max(1, (y1 - y0) // 3)] * 0.78).astype(np.uint8)
        mask = np.zeros(patch.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.round((fixed - [x0, y0]) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        alpha = mask[..., None].astype(np.float32) / 255
        canvas[y0:y1, x0:x1] = (patch * (1 - alpha) + white * alpha).astype(np.uint8)
        _disc(canvas, upper[-1] + [sign * 0.016, -0.002], 0.012, [206, 140, 130])
        crease = upper[2:22] + np.stack([0 * upper[2:22, 0], 0.035 + 0.02 * np.sin(np.linspace(0, np.pi, 20))], 1)
        _line(canvas, crease, (skin * np.array([0.68, 0.56, 0.53])).tolist(), 1)
        _line(canvas, lower[2:], (skin * np.array([0.62, 0.45, 0.42])).tolist(), 1)
    tail = upper[:1] + np.array([sign * 0.02, 0.008 + 0.012 * look.makeup])
    _line(canvas, np.concatenate([tail, upper]), lash.tolist(), 3 if look.makeup > 0.4 else 2)
    if opening <= 0.02:
        for k in range(2, 22, 3):
            _line(canvas, np.stack([upper[k], upper[k] + [sign * 0.012, -0.03]]), lash.tolist(), 1)


def _paint_brow(canvas: np.ndarray, g: FaceGeometry, look: FaceLook, side: int, rng: np.random.Generator) -> None:
    upper, lower = g.brows[side]
    colour = look.hair * 0.75 + 0.10 * look.skin
    ring = np.concatenate([upper, lower[::-1]])
    fixed = to_texture(ring)
    x0, y0 = np.maximum(np.floor(fixed.min(0)).astype(int) - 4, 0)
    x1, y1 = np.ceil(fixed.max(0)).astype(int) + 5
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillPoly(mask, [np.round((fixed - [x0, y0]) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    alpha = cv2.GaussianBlur(mask, (0, 0), 1.1).astype(np.float32) / 255
    alpha = np.clip(alpha * (0.86 + 0.10 * noise_cut("strands", rng, (x1 - x0, y1 - y0))), 0, 1)[..., None]
    region = canvas[y0:y1, x0:x1]
    canvas[y0:y1, x0:x1] = (region * (1 - alpha) + colour * alpha).astype(np.uint8)
