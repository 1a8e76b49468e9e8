"""What hides parts of a face: glasses, hands and things held before it."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from benchmarks.synthetic.faces.shape import FaceGeometry

KINDS = ("hand", "cup", "microphone", "phone", "scarf", "mask", "sunglasses", "none")
_SHIFT = 4


def choose(rng: np.random.Generator, occluding: bool) -> str:
    """Which occluder a picture gets (`none` leaves it to hair or hat)."""
    return str(rng.choice(KINDS, p=[0.28, 0.08, 0.09, 0.07, 0.14, 0.10, 0.16, 0.08])) if occluding else "none"


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.round(np.asarray(points) * (1 << _SHIFT)).astype(np.int32)


def glasses(
    image: np.ndarray,
    rng: np.random.Generator,
    geometry: FaceGeometry,
    project: Callable[[np.ndarray], np.ndarray],
    covered: np.ndarray,
    dark: bool,
    exposure: float,
) -> np.ndarray:
    """Draw glasses in place and return the mask (H, W) of what they hide (dark lenses only)."""
    height, width = covered.shape
    rx, ry = rng.uniform(0.18, 0.225), rng.uniform(0.12, 0.18)
    power = rng.uniform(2.0, 4.5)
    drop = float(rng.uniform(0.0, 0.05))
    front = geometry.depth(np.array([0.0]))[0] + 0.05
    tone = (np.array([18, 16, 18]) if rng.random() < 0.6 else rng.uniform(30, 190, 3)) * min(exposure, 1.2)
    left, right = project(np.array([[-0.5, 0, 0.8], [0.5, 0, 0.8]]))[:, :2]
    thick = max(1, round(rng.uniform(0.012, 0.035) * float(np.linalg.norm(right - left) + 40)))
    angle = np.linspace(0, 2 * np.pi, 33)[:-1]
    mask = np.zeros((height, width), np.uint8)

    def place(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return project(np.stack([x, y, z], 1))

    def visible(seen: np.ndarray) -> np.ndarray:
        u, v = (
            np.clip(np.round(seen[:, 0]).astype(int), 0, width - 1),
            np.clip(np.round(seen[:, 1]).astype(int), 0, height - 1),
        )
        result: np.ndarray = covered[v, u] <= seen[:, 2] + 0.05
        return result

    rings = []
    for sign in (-1, 1):
        c, s = np.cos(angle), np.sin(angle)
        x = sign * 0.36 + rx * np.sign(c) * np.abs(c) ** (2 / power)
        y = -drop - 0.01 + ry * np.sign(s) * np.abs(s) ** (2 / power)
        rings.append(place(x, y, front - 0.22 * x**2))
    for ring in rings:
        if visible(ring).mean() > 0.6:
            cv2.fillPoly(mask, [_fixed(ring[:, :2])], 255, cv2.LINE_AA, _SHIFT)
    lens = mask.astype(np.float32)[..., None] / 255
    shade = np.array([20, 20, 24], np.float32) if dark else np.array([205, 215, 220], np.float32)
    image += lens * (0.90 if dark else 0.07) * (shade * min(exposure, 1.3) - image)
    if dark:
        glare = np.linspace(38, 0, height, dtype=np.float32)[:, None, None]
        image += lens * glare
    strokes = [np.concatenate([ring, ring[:1]]) for ring in rings]
    t = np.linspace(0, 1, 5)
    strokes.append(
        place(-0.36 + rx + t * (0.72 - 2 * rx), 0 * t - drop + 0.03 + 0.03 * np.sin(np.pi * t), 0 * t + front)
    )
    ear = geometry.outline[geometry.ear_index]
    t = np.linspace(0, 1, 9)
    for sign in (-1, 1):
        x0 = 0.36 + rx
        x = sign * (x0 + (ear[0] + 0.03 - x0) * t**0.5)
        z = front - 0.22 * x0**2 + (ear[2] - 0.05 - front + 0.22 * x0**2) * t
        strokes.append(place(x, 0 * t - drop + 0.03, z))
    for stroke in strokes:
        _stroke(image, stroke, visible(stroke), tone, thick)
    return mask > 127 if dark else np.zeros((height, width), bool)


def _stroke(image: np.ndarray, stroke: np.ndarray, shown: np.ndarray, tone: np.ndarray, thick_px: int) -> None:
    """Draw the segments of `stroke` (N, >= 2) whose ends are both shown, in place."""
    for k in range(len(stroke) - 1):
        if shown[k] and shown[k + 1]:
            start, end = _fixed(stroke[k : k + 2, :2]).tolist()
            cv2.line(image, start, end, tone.tolist(), thick_px, cv2.LINE_AA, _SHIFT)


def held(
    image: np.ndarray,
    rng: np.random.Generator,
    kind: str,
    anchors: np.ndarray,
    unit_px: float,
    skin: np.ndarray,
    lit: float,
) -> np.ndarray:
    """Draw a hand, cup, microphone or phone in place over one of the anchors (N, 2); returns its mask (H, W)."""
    height, width = image.shape[:2]
    at = anchors[rng.integers(len(anchors))] + rng.normal(0, 0.06, 2) * unit_px
    centre = np.array([width / 2, height / 2])
    scale = 2.0  # drawn at twice the size, so that the outline is smooth
    layer = np.zeros((round(height * scale), round(width * scale), 3), np.uint8)
    mask = np.zeros(layer.shape[:2], np.uint8)
    down = np.array([rng.uniform(-0.5, 0.5) + 0.5 * np.sign(at[0] - centre[0]), 1.0])
    down /= np.linalg.norm(down)
    side = np.array([-down[1], down[0]])
    tone = skin * min(lit, 1.05)

    def capsule(a: np.ndarray, b: np.ndarray, thick: float, colour: np.ndarray) -> None:
        ends = [tuple(np.round(p * scale).astype(int).tolist()) for p in (a, b)]
        for target, value in ((layer, np.clip(colour, 0, 255).tolist()), (mask, 255)):
            cv2.line(target, ends[0], ends[1], value, max(1, round(thick * scale)))

    def plate(points: np.ndarray, colour: np.ndarray) -> None:
        ring = np.round(points * scale).astype(np.int32)
        cv2.fillPoly(layer, [ring], np.clip(colour, 0, 255).tolist())
        cv2.fillPoly(mask, [ring], 255)

    def hand(tip: np.ndarray, reach: float) -> None:
        wide = 0.155 * unit_px
        palm = tip + down * reach
        capsule(palm + down * 0.25 * unit_px, palm + down * 1.6 * unit_px, 0.50 * unit_px, tone * 0.94)
        capsule(
            palm - side * 0.12 * unit_px + down * 0.15 * unit_px,
            palm + side * 0.12 * unit_px + down * 0.15 * unit_px,
            0.52 * unit_px,
            tone * 0.97,
        )
        lengths = np.array([0.80, 1.0, 0.95, 0.72]) * reach
        for k in range(4):
            base = palm + side * (k - 1.5) * wide * 1.04
            end = base - down * lengths[k] + side * (k - 1.5) * 0.05 * unit_px
            capsule(base, end, wide * 1.10, tone * 0.66)
            capsule(base, end, wide * 0.94, tone * (0.98 + 0.02 * (k % 2)))
            capsule(base + side * 0.02 * unit_px, end + side * 0.02 * unit_px, wide * 0.30, tone * 1.03)
            capsule(end - down * 0.01 * unit_px, end + down * 0.035 * unit_px, wide * 0.55, tone * 1.03 + 5)
        thumb = palm + side * 2.2 * wide
        capsule(palm + down * 0.2 * unit_px, thumb - down * 0.3 * reach, wide * 1.2, tone * 0.72)
        capsule(palm + down * 0.2 * unit_px, thumb - down * 0.3 * reach, wide * 1.02, tone)

    if kind == "hand":
        hand(at - down * 0.15 * unit_px, float(rng.uniform(0.45, 0.65)) * unit_px)
    else:
        colour = rng.uniform(20, 230, 3)
        if kind == "microphone":
            capsule(at + down * 0.1 * unit_px, at + down * 1.6 * unit_px, 0.16 * unit_px, np.array([28.0, 28, 30]))
            for k, value in enumerate((40, 66, 92)):
                capsule(at, at + np.array([0.01, 0.01]), (0.42 - 0.12 * k) * unit_px, np.full(3, float(value)))
        else:
            half, long = (0.26, 0.62) if kind == "cup" else (0.2, 0.42)
            if kind == "phone":
                hand(at + down * 0.42 * unit_px, 0.3 * unit_px)
            box = (
                np.array([[-half, -long / 2], [half, -long / 2], [half * 0.86, long / 2], [-half * 0.86, long / 2]])
                * unit_px
            )
            ring = at + box[:, :1] * side + box[:, 1:] * down
            plate(ring, colour)
            strip = at + box[:, :1] * 0.45 * side + box[:, 1:] * 0.9 * down
            plate(strip, colour * 1.18 + 8 if kind == "cup" else np.array([22.0, 24, 30]))
            if kind == "cup":
                hand(at + down * 0.30 * unit_px, 0.25 * unit_px)
    layer = cv2.resize(cv2.GaussianBlur(layer, (0, 0), 1.2), (width, height), interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / 255
    image += alpha * (layer.astype(np.float32) - image)
    return alpha[..., 0] > 0.5
