"""The head: face, ears, hair, hats and glasses as solids around the head's centre."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.synthetic.people.figure.body import Body
from benchmarks.synthetic.people.figure.clothing import LABEL, Outfit
from benchmarks.synthetic.raster.strokes import Layer

Place = Callable[[float, float, float], np.ndarray]
"""From (left, up, front) in half head heights to a point of camera space."""


def draw_head(
    layer: Layer, centre: np.ndarray, frame: np.ndarray, body: Body, outfit: Outfit, index: dict[str, int], px: float
) -> None:
    """Draw a head into `layer`.

    Args:
        centre: (3,) middle of the skull in camera space, pixels.
        frame: (3, 3) unit vectors left, up, front as columns, camera space.
        index: material name -> number in the layer.
        px: pixels per metre.
    """
    left, up, front = frame[:, 0], frame[:, 1], frame[:, 2]
    high = body.head_height / 2 * px
    wide = body.head_width / 2 * px
    deep = high * 0.84
    face, hair = LABEL["face"], LABEL["hair"]
    skin = index["skin"]

    def at(x: float, y: float, z: float) -> np.ndarray:
        return centre + left * (x * high) + up * (y * high) + front * (z * high)

    # One egg from the crown to the chin: two ellipsoids would leave a crease over the cheek.
    egg = tuple(wide * share for share in (0.97, 1.0, 0.99, 0.95, 0.86, 0.71, 0.48))
    layer.add_strip(
        at(0, 0.40, -0.02),
        at(0, -0.86, 0.15),
        egg,
        skin,
        face,
        cap=(0.86, 0.25),
        lateral=left,
        forward=front,
        flatness=deep / wide,
    )
    ear = wide / high
    for side in (1, -1):
        layer.add_ellipsoid(
            at(side * ear * 1.0, -0.02, -0.04), frame, (high * 0.09, high * 0.19, high * 0.13), skin, face
        )
    if front[2] > -0.5:
        _draw_features(layer, at, frame, index, high)
    if outfit.beard:
        layer.add_ellipsoid(
            at(0, -0.42, 0.16),
            frame,
            (wide * 0.84, high * 0.64, deep * 0.80),
            index["hair"],
            hair,
            cut=(-up, high * 0.12),
        )
    _draw_hair(layer, at, frame, outfit, index["hair"], high, wide, deep)
    if outfit.sunglasses:
        glasses = LABEL["sunglasses"]
        for side in (1, -1):
            layer.add_ellipsoid(
                at(side * 0.30, 0.09, 0.78), frame, (high * 0.25, high * 0.19, high * 0.10), index["glasses"], glasses
            )
            layer.add_strip(
                at(side * 0.45, 0.12, 0.74),
                at(side * ear * 1.03, 0.06, 0.0),
                (high * 0.04, high * 0.04),
                index["glasses"],
                glasses,
            )
        layer.add_strip(
            at(-0.2, 0.12, 0.84), at(0.2, 0.12, 0.84), (high * 0.04, high * 0.04), index["glasses"], glasses
        )
    if outfit.hat is not None:
        _draw_hat(layer, at, frame, outfit.hat, index["hat"], high, wide, deep)


def _draw_features(layer: Layer, at: Place, frame: np.ndarray, index: dict[str, int], high: float) -> None:
    """Draw eyes, brows, nose and mouth."""
    label = LABEL["face"]
    for side in (1, -1):
        white = (high * 0.125, high * 0.075, high * 0.08)
        layer.add_ellipsoid(at(side * 0.29, 0.10, 0.71), frame, white, index["eye"], label)
        pupil = (high * 0.06, high * 0.07, high * 0.06)
        layer.add_ellipsoid(at(side * 0.29, 0.10, 0.755), frame, pupil, index["pupil"], label)
        brow = (high * 0.045, high * 0.035)
        layer.add_strip(at(side * 0.14, 0.27, 0.76), at(side * 0.44, 0.26, 0.66), brow, index["brow"], label)
    layer.add_strip(at(0, 0.10, 0.78), at(0, -0.14, 0.90), (high * 0.06, high * 0.10), index["skin"], label)
    lips = (high * 0.05, high * 0.05)
    layer.add_strip(at(-0.17, -0.47, 0.76), at(0.17, -0.47, 0.76), lips, index["lips"], label)


def _draw_hair(
    layer: Layer, at: Place, frame: np.ndarray, outfit: Outfit, material: int, high: float, wide: float, deep: float
) -> None:
    label = LABEL["hair"]
    up, front = frame[:, 1], frame[:, 2]
    style = outfit.hair
    if style == "bald":
        return
    puff = {"curly": 1.28, "short": 1.06}.get(style, 1.1)
    # The cap of hair is cut by a plane that falls from the forehead to the nape, so the face stays free.
    slope = (0.80 * up - 0.60 * front) if style == "short" else (0.62 * up - 0.78 * front)
    normal = slope / np.sqrt(slope @ slope)
    layer.add_ellipsoid(
        at(0, 0.20, -0.05),
        frame,
        (wide * puff, high * 0.86 * puff, deep * puff),
        material,
        label,
        cut=(normal, -0.10 * high),
    )
    if style in ("long", "bob"):
        bottom = -0.75 if style == "bob" else -1.55
        for side in (1, -1):
            layer.add_strip(
                at(side * 0.36, 0.35, -0.38),
                at(side * 0.40, bottom, -0.42),
                (high * 0.46, high * 0.36),
                material,
                label,
            )
    elif style == "ponytail":
        layer.add_strip(at(0, 0.35, -0.95), at(0, -0.95, -1.10), (high * 0.24, high * 0.16), material, label)
    elif style == "bun":
        layer.add_ellipsoid(at(0, 0.75, -0.75), frame, (high * 0.34, high * 0.34, high * 0.34), material, label)


def _draw_hat(
    layer: Layer, at: Place, frame: np.ndarray, kind: str, material: int, high: float, wide: float, deep: float
) -> None:
    label = LABEL["hat"]
    up = frame[:, 1]
    crown = {"cap": 1.14, "beanie": 1.17, "brim": 1.16, "helmet": 1.26}[kind]
    layer.add_ellipsoid(
        at(0, 0.24, -0.04),
        frame,
        (wide * crown, high * 0.88 * crown, deep * crown),
        material,
        label,
        cut=(up, 0.10 * high),
    )
    if kind == "cap":
        layer.add_ellipsoid(at(0, 0.36, 0.95), frame, (wide * 0.92, high * 0.07, high * 0.62), material, label)
    elif kind == "brim":
        layer.add_ellipsoid(at(0, 0.34, 0.0), frame, (wide * 1.9, high * 0.08, deep * 1.75), material, label)
    elif kind == "beanie":
        layer.add_ellipsoid(at(0, 1.26, -0.08), frame, (high * 0.2, high * 0.2, high * 0.2), material, label)
