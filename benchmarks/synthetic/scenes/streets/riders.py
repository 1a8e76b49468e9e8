"""Riders: people sitting on bicycles and motorcycles, their hands on the bar and their feet on the pedals."""

from __future__ import annotations

import numpy as np

from benchmarks.synthetic.raster.camera import Camera
from benchmarks.synthetic.raster.canvas import Canvas, Colour, shade_colour
from benchmarks.synthetic.raster.prisms import Placement, in_view

SKIN = ((236, 196, 164), (212, 160, 122), (156, 106, 72), (98, 66, 46))
JACKETS = ((214, 230, 40), (240, 110, 30), (196, 40, 60), (50, 110, 200), (230, 230, 232), (60, 150, 90))
TROUSERS = ((40, 46, 66), (60, 60, 66), (30, 30, 34), (110, 100, 84))
HELMETS = ((236, 236, 236), (200, 30, 36), (30, 90, 190), (250, 200, 30), (40, 40, 44))


def rider(
    canvas: Canvas,
    camera: Camera,
    at: Placement,
    rng: np.random.Generator,
    *,
    motor: bool,
    label: str = "rider",
    instance: bool = True,
) -> None:
    """Paint the rider of a bicycle or, with `motor`, of a motorcycle that stands at the same placement."""
    if not in_view(camera, at, 1.9):
        return
    scale = camera.scale(at.z)
    skin: Colour = SKIN[rng.integers(len(SKIN))]
    jacket, trousers = JACKETS[rng.integers(len(JACKETS))], TROUSERS[rng.integers(len(TROUSERS))]
    helmet = HELMETS[rng.integers(len(HELMETS))]
    lean = rng.uniform(0.18, 0.42)
    hip = np.array([-0.3, 0.86]) if motor else np.array([-0.16, 1.0])
    hands = np.array([0.32, 1.1])
    neck = hip + 0.56 * np.array([np.sin(lean), np.cos(lean)])
    head = neck + np.array([0.07, 0.2])
    turn = rng.uniform(0, 2 * np.pi)

    def spot(point: np.ndarray, w: float) -> np.ndarray:
        return camera.project(at.world(np.array([point[0], point[1], w])))

    def limb(points: list[np.ndarray], w: float, width_m: float, colour: Colour) -> None:
        path = np.stack([spot(p, w) for p in points])
        canvas.line(path, max(width_m * scale, 0.8), colour)

    def leg(w: float, phase: float, colour: Colour) -> None:
        foot = (
            np.array([0.15, 0.3])
            if motor
            else np.array([-0.05, 0.38]) + 0.17 * np.array([np.cos(phase), np.sin(phase)])
        )
        middle = (hip + foot) / 2
        along = foot - hip
        reach = np.sqrt(max(0.45**2 - along @ along / 4, 0.0))
        knee = middle + reach * np.array([-along[1], along[0]]) / max(np.linalg.norm(along), 1e-6)
        if knee[0] < middle[0]:
            knee = 2 * middle - knee
        limb([hip, knee], w, 0.19, colour)
        limb([knee, foot], w, 0.14, colour)
        limb([foot - np.array([0.04, 0]), foot + np.array([0.2, -0.02])], w, 0.1, (36, 32, 32))

    def arm(w: float, colour: Colour) -> None:
        shoulder = neck - [0.0, 0.05]
        elbow = (shoulder + hands) / 2 + [-0.06, -0.12]
        limb([shoulder, elbow], w, 0.13, colour)
        limb([elbow, hands], w * 1.2, 0.1, shade_colour(colour, 0.95))
        canvas.ellipse(spot(hands, w * 1.2), (max(0.06 * scale, 0.5),) * 2, skin)

    far = -1.0 if np.cos(at.yaw) * (at.x + camera.bend * at.z**2) < 0 else 1.0
    with canvas.item(label, instance=instance, depth=at.z, grain=0.02, blotch=0.03):
        leg(0.11 * far, turn, shade_colour(trousers, 0.75))
        arm(0.2 * far, shade_colour(jacket, 0.75))
        left, right = (np.stack([spot(hip, w * 0.8), spot(neck, w)]) for w in (-0.2, 0.2))
        canvas.line(np.stack([spot(hip, 0.0), spot(neck, 0.0)]), 0.27 * scale, jacket)
        canvas.polygon(np.stack([left[0], left[1], right[1], right[0]]), shade_colour(jacket, 0.95))
        leg(-0.11 * far, turn + np.pi, trousers)
        arm(-0.2 * far, jacket)
        centre = spot(head, 0.0)
        canvas.ellipse(centre, (0.115 * scale, 0.135 * scale), skin)
        size = 0.15 if motor else 0.13
        crown = centre - [0, 0.045 * scale]
        canvas.ellipse(crown, (size * scale, size * 0.85 * scale), helmet)
        if motor:
            canvas.ellipse(centre, (size * scale, size * 1.1 * scale), helmet)
            if abs(np.sin(at.yaw)) > 0.5 or np.cos(at.yaw) < 0:
                visor = spot(head + np.array([0.1, 0.0]), 0.0)
                canvas.ellipse(visor, (0.07 * scale, 0.05 * scale), (24, 26, 30), claim=False)
