"""Bicycles and motorcycles, with a little thickness so that they can be seen from the front and from behind too."""

from __future__ import annotations

import numpy as np

from benchmarks.synthetic.raster.camera import Camera
from benchmarks.synthetic.raster.canvas import Canvas, Colour, shade_colour
from benchmarks.synthetic.raster.prisms import Placement, in_view, prism_faces, ring, side_points

FRAME_COLOURS = ((190, 30, 40), (30, 90, 190), (20, 120, 90), (230, 140, 20), (150, 40, 130), (220, 220, 220))
_OCTAGON = np.array([(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 12, endpoint=False)])
TANK_COLOURS = ((206, 26, 30), (24, 60, 180), (240, 130, 10), (30, 30, 34), (40, 140, 60))


def _tyre(canvas: Canvas, camera: Camera, at: Placement, hub: tuple[float, float], radius: float, thick: float) -> None:
    """A wheel with visible thickness: two rims and the tread between them."""
    scale = camera.scale(at.z)
    outlines = [ring(camera, at, hub, radius, w) for w in (-thick / 2, thick / 2)]
    first, second = outlines
    tread = np.stack([first, np.roll(first, -1, 0), np.roll(second, -1, 0), second], 1)
    for quad in tread[np.abs(np.ptp(tread[..., 0], 1)) > 0.2]:  # one by one: overlapping quads of one call would cancel
        canvas.polygon(quad, (22, 22, 24))
    loop = np.concatenate([outlines[1], outlines[1][:1]])
    canvas.claim(outlines[1])
    canvas.line(loop, max(0.055 * scale, 0.5), (22, 22, 24))
    canvas.line(
        np.concatenate([ring(camera, at, hub, radius * 0.86, thick / 2)] * 1), max(0.02 * scale, 0.5), (150, 150, 154)
    )


def bicycle(canvas: Canvas, camera: Camera, at: Placement, rng: np.random.Generator, *, label: str = "bicycle") -> None:
    """Paint a bicycle; its two wheels and its frame triangle count as solid, as in the Cityscapes labels."""
    if not in_view(camera, at, 1.8):
        return
    paint: Colour = FRAME_COLOURS[rng.integers(len(FRAME_COLOURS))]
    scale = camera.scale(at.z)
    rear, front, radius = (-0.55, 0.36), (0.55, 0.36), 0.36
    seat, crank, head, bar = (-0.18, 0.92), (-0.05, 0.36), (0.38, 0.85), (0.36, 1.06)
    with canvas.item(label, instance=True, depth=at.z, grain=0.02, blotch=0.02):
        for hub in (rear, front):
            _tyre(canvas, camera, at, hub, radius, 0.09)
        canvas.claim(side_points(camera, at, np.array([rear, seat, head, front, crank])))
        width = max(0.06 * scale, 0.6)
        for path in ((rear, crank, head, seat, crank), (rear, (-0.14, 0.8)), (front, head, bar)):
            canvas.line(side_points(camera, at, np.array(path)), width, paint)
        canvas.line(
            side_points(camera, at, np.array([(-0.32, 0.95), (-0.06, 0.97)])), max(0.09 * scale, 0.6), (30, 24, 22)
        )
        bars = at.world(np.array([[0.34, 1.06, -0.28], [0.4, 1.04, 0.0], [0.34, 1.06, 0.28]]))
        canvas.line(camera.project(bars), max(0.05 * scale, 0.5), (40, 40, 44))
        if rng.random() < 0.4:  # a basket over the front wheel
            basket = np.array([(0.46, 0.8), (0.82, 0.8), (0.88, 1.08), (0.42, 1.08)])
            canvas.polygon(side_points(camera, at, basket), (120, 90, 60))


def motorcycle(
    canvas: Canvas,
    camera: Camera,
    at: Placement,
    rng: np.random.Generator,
    *,
    label: str = "motorcycle",
    glow: bool = False,
) -> None:
    """Paint a motorcycle: thick wheels, an engine block, a coloured tank and fairing, a lamp."""
    if not in_view(camera, at, 2.2):
        return
    paint: Colour = TANK_COLOURS[rng.integers(len(TANK_COLOURS))]
    scale = camera.scale(at.z)
    rear, front, radius = (-0.72, 0.34), (0.74, 0.34), 0.34
    parts: list[tuple[list[tuple[float, float]], Colour, float]] = [
        ([(-0.45, 0.2), (0.4, 0.2), (0.45, 0.6), (-0.4, 0.62)], (70, 72, 76), 0.2),
        ([(-0.95, 0.62), (-0.9, 0.88), (-0.1, 0.82), (-0.05, 0.6)], (28, 26, 28), 0.16),
        ([(-0.15, 0.6), (-0.1, 0.92), (0.3, 1.02), (0.5, 0.85), (0.3, 0.58)], paint, 0.2),
        ([(0.35, 0.62), (0.4, 1.12), (0.6, 1.1), (0.78, 0.75), (0.6, 0.6)], shade_colour(paint, 0.9), 0.22),
        ([(-1.0, 0.72), (-0.95, 0.92), (-0.6, 0.86), (-0.62, 0.7)], shade_colour(paint, 0.8), 0.14),
    ]
    canvas.shadow(camera.project(np.array([at.x, 0.0, at.z])), (0.8 * scale, 0.16 * scale), 0.5)
    with canvas.item(label, instance=True, depth=at.z, grain=0.02, blotch=0.02):
        near = 0.1 if np.cos(at.yaw) * at.x - np.sin(at.yaw) * at.z < 0 else -0.1  # the side that we see
        hubs = (front, rear) if np.cos(at.yaw) > 0 else (rear, front)  # the farther wheel first
        for hub in hubs:
            tyre = np.array(hub) + radius * _OCTAGON
            for face in prism_faces(camera, at, tyre, 0.09):
                canvas.polygon(face.outline, shade_colour((36, 36, 40), face.light))
            for size, colour in ((0.6, (140, 142, 146)), (0.25, (40, 40, 44))):
                canvas.polygon(side_points(camera, at, np.array(hub) + size * radius * _OCTAGON, near), colour)
        for outline, surface, half in parts:
            for face in prism_faces(camera, at, outline, half):
                canvas.polygon(face.outline, shade_colour(surface, face.light + 0.12))
        canvas.line(
            side_points(camera, at, np.array([(0.45, 1.0), front]), 0.12), max(0.07 * scale, 0.6), (160, 160, 164)
        )
        bars = at.world(np.array([[0.3, 1.12, -0.36], [0.42, 1.06, 0.0], [0.3, 1.12, 0.36]]))
        canvas.line(camera.project(bars), max(0.06 * scale, 0.6), (30, 30, 34))
        front_side = np.cos(at.yaw) < 0
        lamp_l, lamp_h = (0.68, 0.92) if front_side else (-1.0, 0.84)
        lamp = camera.project(at.world(np.array([lamp_l, lamp_h, 0.0])))
        bright = (255, 248, 220) if front_side else (230, 30, 26)
        canvas.ellipse(lamp, (max(0.11 * scale, 0.6),) * 2, bright if glow else shade_colour(bright, 0.85))
