"""Cars, trucks, buses and trams, built of convex prisms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.synthetic.raster.camera import NEAR_M, Camera
from benchmarks.synthetic.raster.canvas import Canvas, Colour, blend_colour, inset, shade_colour
from benchmarks.synthetic.raster.prisms import Placement, in_view, prism_faces, side_points

GLASS = (58, 68, 80)
TYRE = (26, 26, 28)
CAR_COLOURS = (
    (186, 28, 32), (30, 62, 150), (22, 24, 30), (225, 226, 228), (152, 156, 162), (92, 98, 106), (28, 88, 60),
    (196, 152, 40), (120, 40, 60), (70, 110, 170), (236, 236, 230), (60, 62, 70),
)  # fmt: skip
BUS_COLOURS = ((222, 172, 20), (206, 52, 30), (240, 206, 60), (222, 120, 26))
TRAM_COLOURS = ((40, 120, 70), (24, 110, 130), (20, 130, 100), (70, 150, 60))
CAB_COLOURS = ((36, 80, 170), (190, 40, 36), (240, 240, 240), (240, 140, 20), (40, 130, 80))
BOX_COLOURS = ((226, 226, 222), (200, 206, 212), (214, 204, 180), (236, 236, 240))


def _visible_side(camera: Camera, at: Placement, half_width: float) -> float | None:
    """Return +half_width or -half_width for the side that the camera sees, None where it sees neither."""
    for w in (half_width, -half_width):
        centre = at.world(np.array([0.0, 1.0, w]))
        normal = centre - at.world(np.array([0.0, 1.0, 0.0]))
        if np.dot(normal, np.array([-camera.bend * at.z**2, 1.0, 0.0]) - centre) > 0:
            return w
    return None


def _wheels(canvas: Canvas, camera: Camera, at: Placement, where: Sequence[float], radius: float, w: float) -> None:
    turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    for along in where:
        for factor, colour in ((1.0, TYRE), (0.55, (150, 152, 156))):
            ring = np.stack([along + radius * factor * np.cos(turn), radius + radius * factor * np.sin(turn)], -1)
            canvas.polygon(side_points(camera, at, ring, w), colour)


def _axle_end(camera: Camera, at: Placement, along: float, w: float, half: float, high: float) -> np.ndarray:
    """Outline of a wheel seen along the vehicle."""
    quad = np.array([[along, h, w + side] for h, side in ((0, -half), (0, half), (high, half), (high, -half))])
    return camera.project(at.world(quad))


def _ground_shadow(canvas: Canvas, camera: Camera, at: Placement, length: float, half_width: float) -> None:
    corners = np.array([[sl * length / 2, 0, sw * half_width] for sl, sw in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
    outline = camera.project(at.world(corners))
    low, high = outline.min(0), outline.max(0)
    radii = (high - low) / 2
    canvas.shadow((low + high) / 2 + [0, 0.1 * radii[1]], (radii[0] * 1.15, max(radii[1] * 1.5, 1.5)), 0.7)


def _lamps(canvas: Canvas, quad: np.ndarray, front: bool, glow: bool, v0: float, v1: float) -> None:
    colour = ((255, 250, 215) if glow else (232, 234, 226)) if front else ((255, 40, 30) if glow else (176, 22, 24))
    for u0, u1 in ((0.04, 0.22), (0.78, 0.96)):
        canvas.polygon(inset(quad, u0, v0, u1, v1), colour)


def car(
    canvas: Canvas, camera: Camera, at: Placement, rng: np.random.Generator, *, label: str = "car", glow: bool = False
) -> None:
    """Paint a car (hatchback, saloon or estate) of random colour; `glow` lights its lamps."""
    length, half, roof = rng.uniform(3.9, 4.7), rng.uniform(0.84, 0.93), rng.uniform(1.42, 1.62)
    if not in_view(camera, at, length):
        return
    paint: Colour = CAR_COLOURS[rng.integers(len(CAR_COLOURS))]
    paint = shade_colour(paint, rng.uniform(0.85, 1.1))
    tail, belt = rng.choice([-0.47, -0.40, -0.30]), 0.56 * roof
    body = np.array(
        [(-0.5, 0.28), (-0.5, 0.52 * roof), (-0.46, belt + 0.03), (0.36, belt), (0.49, 0.46 * roof), (0.5, 0.28)]
    )
    cabin = np.array([(tail, belt), (tail + 0.07, roof), (0.10, roof), (0.27, belt)])
    body[:, 0] *= length
    cabin[:, 0] *= length
    _ground_shadow(canvas, camera, at, length, half)
    side = _visible_side(camera, at, half)
    with canvas.item(label, instance=True, depth=at.z, grain=0.015, blotch=0.03):
        if camera.scale(at.z) > 6:
            for face in prism_faces(camera, at, _box_profile(-0.46 * length, 0.46 * length, 0.1, 0.3), half * 0.9):
                canvas.polygon(face.outline, (24, 24, 26))
            for w in (half * 0.72, -half * 0.72):  # wheels seen from behind or in front, under the bumper
                for along in (-0.3 * length, 0.3 * length):
                    canvas.polygon(_axle_end(camera, at, along, w, 0.12, 0.35), TYRE)
        for face in prism_faces(camera, at, body, half):
            canvas.polygon(face.outline, shade_colour(paint, face.light + 0.12))
            if face.index in (0, 4):
                front = face.index == 4
                quad = face.outline[[0, 3, 2, 1]]
                _lamps(canvas, quad, front, glow, 0.25 if front else 0.45, 0.88)
                canvas.polygon(inset(quad, 0.36, 0.15, 0.64, 0.45), (40, 40, 44) if front else (222, 222, 216))
        for face in prism_faces(camera, at, cabin, half * 0.97, half * 0.78):
            canvas.polygon(face.outline, shade_colour(paint, face.light + 0.08))
            if face.index == 1 or face.index == 3:  # roof and floor
                continue
            if face.index < 0:
                quad = face.outline
                for u0, u1 in ((0.08, 0.46), (0.5, 0.93)):
                    # profile order: tail bottom, tail top, front top, front bottom
                    canvas.polygon(inset(quad[[0, 3, 2, 1]], u0, 0.1, u1, 0.88), GLASS)
            else:
                canvas.polygon(inset(face.outline, 0.08, 0.08, 0.92, 0.92), blend_colour(GLASS, (150, 170, 190), 0.25))
        if side is not None:
            _wheels(canvas, camera, at, (-0.31 * length, 0.31 * length), 0.33, side)


def _box_profile(back: float, front: float, low: float, high: float, slope: float = 0.0) -> list[tuple[float, float]]:
    return [(back, low), (back, high), (front - slope, high), (front, low)]


def _window_row(
    canvas: Canvas, camera: Camera, at: Placement, side: float, span: tuple[float, float], rows: tuple[float, float],
    count: int, colour: Colour,
) -> None:  # fmt: skip
    edges = np.linspace(span[0], span[1], count + 1)
    gap = 0.12 * (edges[1] - edges[0])
    low, high = rows
    pairs = zip(edges[:-1] + gap, edges[1:] - gap, strict=True)
    panes = np.array([[(a, low), (b, low), (b, high), (a, high)] for a, b in pairs])
    canvas.polygon(side_points(camera, at, panes, side), colour)


def bus(
    canvas: Canvas, camera: Camera, at: Placement, rng: np.random.Generator, *, label: str = "bus", glow: bool = False
) -> None:
    """Paint a city bus: one bright colour, a long row of windows, a large windscreen."""
    length, half, high = rng.uniform(8.5, 11.5), 1.25, rng.uniform(2.9, 3.2)
    if not in_view(camera, at, length):
        return
    paint = shade_colour(BUS_COLOURS[rng.integers(len(BUS_COLOURS))], rng.uniform(0.9, 1.05))
    glass: Colour = (226, 206, 150) if glow else (48, 60, 74)
    _ground_shadow(canvas, camera, at, length, half)
    side = _visible_side(camera, at, half)
    with canvas.item(label, instance=True, depth=at.z, grain=0.012, blotch=0.02):
        for face in prism_faces(camera, at, _box_profile(-length / 2 + 0.2, length / 2 - 0.2, 0.0, 0.4), half * 0.92):
            canvas.polygon(face.outline, (26, 26, 28))
        for face in prism_faces(camera, at, _box_profile(-length / 2, length / 2, 0.3, high, 0.15), half, half * 0.96):
            canvas.polygon(face.outline, shade_colour(paint, face.light + 0.14))
            if face.index in (0, 2):
                front = face.index == 2
                quad = face.outline[[0, 3, 2, 1]] if not front else face.outline[[1, 2, 3, 0]]
                canvas.polygon(inset(quad, 0.07, 0.42, 0.93, 0.84), glass if front else shade_colour(glass, 0.8))
                canvas.polygon(inset(quad, 0.2, 0.87, 0.8, 0.97), (20, 20, 22))
                canvas.polygon(inset(quad, 0.28, 0.89, 0.6, 0.95), (250, 190, 60))
                _lamps(canvas, quad, front, glow, 0.1, 0.22)
        if side is not None:
            _window_row(canvas, camera, at, side, (-0.48 * length, 0.48 * length), (1.35, 0.84 * high), 7, glass)
            _wheels(canvas, camera, at, (-0.27 * length, 0.3 * length), 0.48, side)


def truck(
    canvas: Canvas, camera: Camera, at: Placement, rng: np.random.Generator, *, label: str = "truck", glow: bool = False
) -> None:
    """Paint a lorry: a pale windowless box behind a coloured cab."""
    length, half, high = rng.uniform(6.5, 8.5), 1.22, rng.uniform(3.0, 3.5)
    if not in_view(camera, at, length):
        return
    cab = CAB_COLOURS[rng.integers(len(CAB_COLOURS))]
    box = BOX_COLOURS[rng.integers(len(BOX_COLOURS))]
    accent = CAB_COLOURS[rng.integers(len(CAB_COLOURS))]
    _ground_shadow(canvas, camera, at, length, half)
    side = _visible_side(camera, at, half)
    split = 0.5 * length - 1.9

    def paint_cab() -> None:
        profile = [
            (split + 0.1, 0.45),
            (split + 0.1, 2.55),
            (length / 2 - 0.25, 2.55),
            (length / 2, 1.5),
            (length / 2, 0.45),
        ]
        for face in prism_faces(camera, at, profile, half * 0.95):
            canvas.polygon(face.outline, shade_colour(cab, face.light + 0.1))
            quad = face.outline
            if face.index == 2:
                canvas.polygon(inset(quad, 0.08, 0.08, 0.92, 0.92), GLASS)
            elif face.index == 3:
                _lamps(canvas, quad[[1, 2, 3, 0]], True, glow, 0.1, 0.35)
                canvas.polygon(inset(quad, 0.2, 0.1, 0.8, 0.5), shade_colour(cab, 0.45))
        if side is not None:
            pane = np.array(
                [(split + 0.5, 1.55), (length / 2 - 0.35, 1.55), (length / 2 - 0.5, 2.3), (split + 0.5, 2.3)]
            )
            canvas.polygon(side_points(camera, at, pane, side * 0.95), GLASS)

    def paint_box() -> None:
        for face in prism_faces(camera, at, _box_profile(-length / 2, split, 0.95, high), half):
            canvas.polygon(face.outline, shade_colour(box, face.light + 0.12))
            if face.index == 0:  # the rear doors
                quad = face.outline[[0, 3, 2, 1]]
                canvas.polygon(inset(quad, 0.485, 0.02, 0.515, 0.98), shade_colour(box, 0.5))
                _lamps(canvas, quad, False, glow, 0.0, 0.07)
                canvas.polygon(inset(quad, 0.05, 0.1, 0.45, 0.18), (200, 40, 40))
                canvas.polygon(inset(quad, 0.55, 0.1, 0.95, 0.18), (200, 40, 40))
        if side is not None:
            l0, l1 = -0.42 * length, split - 0.5
            band = np.array([(l0, 1.6), (l1, 1.8), (l1, 2.5), (l0, 2.3)])
            canvas.polygon(side_points(camera, at, band, side), accent)

    with canvas.item(label, instance=True, depth=at.z, grain=0.012, blotch=0.02):
        for face in prism_faces(camera, at, _box_profile(-length / 2, length / 2 - 0.1, 0.3, 0.98), half * 0.85):
            canvas.polygon(face.outline, (40, 40, 44))
        for w in (-half * 0.8, half * 0.8):
            canvas.polygon(_axle_end(camera, at, -0.45 * length, w, 0.25, 0.95), TYRE)
        if np.cos(at.yaw) > 0:  # seen from behind: the cab is the farther part
            paint_cab()
            paint_box()
        else:
            paint_box()
            paint_cab()
        if side is not None:
            _wheels(canvas, camera, at, (-0.36 * length, -0.2 * length, 0.36 * length), 0.5, side)


def tram(
    canvas: Canvas, camera: Camera, at: Placement, rng: np.random.Generator, *, label: str = "train", glow: bool = False
) -> None:
    """Paint a tram (Cityscapes' train): pale above, coloured below, a sloping nose and a pantograph."""
    length, half, high = rng.uniform(13.0, 22.0), 1.25, 3.4
    length = min(length, 2 * (at.z - NEAR_M - 1.0) / max(abs(np.cos(at.yaw)), 1e-3))
    if length < 6.0 or not in_view(camera, at, length):
        return
    colour = TRAM_COLOURS[rng.integers(len(TRAM_COLOURS))]
    cream = (238, 232, 214)
    glass: Colour = (232, 214, 160) if glow else (40, 46, 56)
    _ground_shadow(canvas, camera, at, length, half)
    side = _visible_side(camera, at, half)
    upper = [(-length / 2, 1.5), (-length / 2 + 0.6, high), (length / 2 - 0.6, high), (length / 2, 1.5)]
    with canvas.item(label, instance=True, depth=at.z, grain=0.012, blotch=0.02):
        for face in prism_faces(camera, at, _box_profile(-length / 2 + 0.3, length / 2 - 0.3, 0.05, 0.5), half * 0.9):
            canvas.polygon(face.outline, (46, 44, 46))
        for face in prism_faces(camera, at, _box_profile(-length / 2, length / 2, 0.35, 1.5), half):
            canvas.polygon(face.outline, shade_colour(colour, face.light + 0.16))
            if face.index in (0, 2):
                quad = face.outline[[0, 3, 2, 1]] if face.index == 0 else face.outline[[1, 2, 3, 0]]
                _lamps(canvas, quad, face.index == 2, glow, 0.45, 0.75)
        for face in prism_faces(camera, at, upper, half, half * 0.9):
            canvas.polygon(face.outline, shade_colour(cream, face.light + 0.14))
            if face.index in (0, 2):
                quad = face.outline[[0, 3, 2, 1]] if face.index == 0 else face.outline[[1, 2, 3, 0]]
                canvas.polygon(inset(quad, 0.1, 0.08, 0.9, 0.66), glass)
                canvas.polygon(inset(quad, 0.25, 0.76, 0.75, 0.93), (250, 200, 70))
        if side is not None:
            _window_row(
                canvas,
                camera,
                at,
                side,
                (-0.46 * length, 0.46 * length),
                (1.62, 2.62),
                max(4, round(length / 1.6)),
                glass,
            )
            stripe = np.array([(-length / 2, 0.95), (length / 2, 0.95), (length / 2, 1.1), (-length / 2, 1.1)])
            canvas.polygon(side_points(camera, at, stripe, side), (240, 240, 236))
        arm = np.array([[0.0, high, 0.0], [-0.8, high + 0.5, 0.0], [0.3, high + 1.1, 0.0]])
        canvas.line(camera.project(at.world(arm)), 0.07 * camera.scale(at.z), (60, 60, 64))
