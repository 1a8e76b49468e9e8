"""Furniture as blocks in perspective: chair, table, sofa, bed, cabinet, shelves, bench. In metres.

`yaw` 0 turns the front of a thing away from the camera, pi towards it, as for vehicles.
"""

from __future__ import annotations

import numpy as np

from benchmarks.synthetic.raster.camera import Camera
from benchmarks.synthetic.raster.canvas import Canvas, Colour, inset, shade_colour
from benchmarks.synthetic.raster.prisms import Face, Placement, prism_faces

WOODS: tuple[Colour, ...] = (
    (150, 98, 56),
    (112, 70, 42),
    (190, 144, 92),
    (84, 54, 38),
    (214, 178, 130),
    (226, 222, 214),
)
FABRICS: tuple[Colour, ...] = (
    (70, 90, 130),
    (140, 50, 52),
    (120, 124, 116),
    (60, 100, 84),
    (196, 176, 146),
    (92, 66, 96),
)
LINENS: tuple[Colour, ...] = ((232, 232, 238), (120, 150, 196), (206, 130, 140), (226, 200, 120), (130, 170, 140))


def pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> tuple[float, float, float]:
    """Draw one of `colours`, a little lighter or darker."""
    return shade_colour(colours[rng.integers(len(colours))], rng.uniform(0.88, 1.1))


def block(
    canvas: Canvas,
    camera: Camera,
    at: Placement,
    along: tuple[float, float],
    across: tuple[float, float],
    high: tuple[float, float],
    colour: Colour,
) -> list[Face]:
    """Paint a box given by its ranges along, across and in height in the axes of `at`; return the faces that are seen."""
    middle = (across[0] + across[1]) / 2
    sin, cos = np.sin(at.yaw), np.cos(at.yaw)
    shifted = Placement(at.x + middle * cos, at.z - middle * sin, at.yaw)
    profile = [(along[0], high[0]), (along[0], high[1]), (along[1], high[1]), (along[1], high[0])]
    faces = prism_faces(camera, shifted, profile, abs(across[1] - across[0]) / 2)
    for face in faces:
        canvas.polygon(face.outline, shade_colour(colour, face.light + 0.14))
    return faces


def chair(canvas: Canvas, camera: Camera, at: Placement, rng: np.random.Generator) -> None:
    """Paint a chair: four legs, a seat, a back."""
    wood, seat_high, wide = pick(rng, WOODS), 0.46, 0.24
    cushion = pick(rng, FABRICS) if rng.random() < 0.5 else shade_colour(wood, 1.1)
    foot = camera.project(np.array([at.x, 0.0, at.z]))
    canvas.shadow(foot, (0.36 * camera.scale(at.z), 0.12 * camera.scale(at.z)), 0.45)
    legs = [(a, c) for a in (-0.2, 0.2) for c in (-0.2, 0.2)]

    def back() -> None:
        for c in (-0.2, 0.2):
            block(canvas, camera, at, (-0.26, -0.2), (c - 0.03, c + 0.03), (seat_high, 1.0), wood)
        block(canvas, camera, at, (-0.26, -0.21), (-wide, wide), (0.72, 1.02), wood)
        block(canvas, camera, at, (-0.26, -0.22), (-wide, wide), (0.56, 0.64), wood)

    with canvas.item("chair", instance=True, depth=at.z, grain=0.02, blotch=0.05):
        towards = np.cos(at.yaw) < 0  # it faces us: its back is the far part
        for a, c in sorted(legs, key=lambda leg: -(leg[0] * np.cos(at.yaw) - leg[1] * np.sin(at.yaw))):
            block(
                canvas,
                camera,
                at,
                (a - 0.03, a + 0.03),
                (c - 0.03, c + 0.03),
                (0.0, seat_high),
                shade_colour(wood, 0.85),
            )
        if towards:
            back()
        block(canvas, camera, at, (-0.25, 0.25), (-wide, wide), (seat_high - 0.05, seat_high + 0.03), cushion)
        if not towards:
            back()


def table(
    canvas: Canvas,
    camera: Camera,
    at: Placement,
    rng: np.random.Generator,
    *,
    wide: float = 1.3,
    deep: float = 0.8,
    high: float = 0.74,
) -> None:
    """Paint a table: four legs and a top, at times a round foot."""
    wood = pick(rng, WOODS)
    scale = camera.scale(at.z)
    canvas.shadow(camera.project(np.array([at.x, 0.0, at.z])), (0.6 * wide * scale, 0.16 * scale), 0.4)
    with canvas.item("table", instance=True, depth=at.z, grain=0.03, blotch=0.08):
        for a in (deep / 2 - 0.06, -deep / 2 + 0.06):
            for c in (-wide / 2 + 0.06, wide / 2 - 0.06):
                block(
                    canvas,
                    camera,
                    at,
                    (a - 0.04, a + 0.04),
                    (c - 0.04, c + 0.04),
                    (0.0, high),
                    shade_colour(wood, 0.75),
                )
        block(canvas, camera, at, (-deep / 2, deep / 2), (-wide / 2, wide / 2), (high - 0.05, high), wood)


def sofa(canvas: Canvas, camera: Camera, at: Placement, rng: np.random.Generator) -> None:
    """Paint a sofa that faces the camera, more or less: base, back, arms, cushions."""
    fabric, wide = pick(rng, FABRICS), rng.uniform(0.8, 1.05)
    scale = camera.scale(at.z)
    canvas.shadow(camera.project(np.array([at.x, 0.0, at.z])), (1.2 * wide * scale, 0.25 * scale), 0.45)
    with canvas.item("sofa", instance=True, depth=at.z, grain=0.03, blotch=0.06):
        block(canvas, camera, at, (-0.42, -0.18), (-wide, wide), (0.05, 0.88), shade_colour(fabric, 0.9))
        block(canvas, camera, at, (-0.2, 0.42), (-wide, wide), (0.05, 0.42), fabric)
        for c in (-wide / 2, wide / 2):
            block(
                canvas,
                camera,
                at,
                (-0.18, 0.42),
                (c - wide * 0.44, c + wide * 0.44),
                (0.42, 0.5),
                shade_colour(fabric, 1.12),
            )
            block(
                canvas,
                camera,
                at,
                (-0.2, -0.08),
                (c - wide * 0.42, c + wide * 0.42),
                (0.5, 0.86),
                shade_colour(fabric, 1.06),
            )
        sides = (-wide, wide) if at.x > 0 else (wide, -wide)
        for c in sides[::-1]:
            block(canvas, camera, at, (-0.3, 0.44), (c - 0.11, c + 0.11), (0.05, 0.62), shade_colour(fabric, 0.97))
    if rng.random() < 0.6:
        with canvas.item("cloth", depth=at.z, grain=0.03, blotch=0.05):
            c = rng.uniform(-0.5, 0.5) * wide
            for face in block(canvas, camera, at, (-0.1, 0.02), (c - 0.2, c + 0.2), (0.5, 0.86), pick(rng, LINENS)):
                canvas.polygon(inset(face.outline, 0.1, 0.4, 0.9, 0.6), pick(rng, FABRICS))


def bed(canvas: Canvas, camera: Camera, at: Placement, rng: np.random.Generator) -> None:
    """Paint a bed seen from its foot: frame and headboard (`bed`), duvet and pillows (`bedclothes`)."""
    wood, linen, half = pick(rng, WOODS), pick(rng, LINENS), rng.uniform(0.7, 0.95)
    scale = camera.scale(at.z)
    canvas.shadow(camera.project(np.array([at.x, 0.0, at.z - 0.4])), (1.2 * half * scale, 0.4 * scale), 0.4)
    with canvas.item("bed", instance=True, depth=at.z, grain=0.03, blotch=0.06):
        block(canvas, camera, at, (-1.05, -0.97), (-half - 0.05, half + 0.05), (0.0, 1.15), wood)
        block(canvas, camera, at, (-1.0, 1.0), (-half, half), (0.08, 0.4), shade_colour(wood, 0.9))
        block(canvas, camera, at, (0.97, 1.03), (-half - 0.04, half + 0.04), (0.0, 0.5), wood)
    with canvas.item("bedclothes", depth=at.z, grain=0.02, blotch=0.07):
        block(canvas, camera, at, (-0.95, 0.92), (-half * 0.98, half * 0.98), (0.36, 0.6), linen)
        for k in (-1, 1):
            block(
                canvas,
                camera,
                at,
                (-0.9, -0.55),
                (k * half * 0.48 - 0.3, k * half * 0.48 + 0.3),
                (0.6, 0.74),
                (244, 244, 246),
            )
        second = pick(rng, LINENS)
        block(canvas, camera, at, (0.1, 0.95), (-half, half), (0.42, 0.64), second)


def cabinet(
    canvas: Canvas,
    camera: Camera,
    at: Placement,
    rng: np.random.Generator,
    *,
    wide: float,
    high: float,
    deep: float = 0.45,
) -> None:
    """Paint a cupboard or chest with doors or drawers and handles."""
    wood = pick(rng, WOODS)
    columns, rows = max(1, round(wide / 0.5)), (1 if high > 1.3 else int(rng.integers(1, 4)))
    with canvas.item("cabinet", instance=True, depth=at.z, grain=0.03, blotch=0.07):
        for face in block(canvas, camera, at, (-deep / 2, deep / 2), (-wide / 2, wide / 2), (0.0, high), wood):
            if face.index != (0 if np.cos(at.yaw) > 0 else 2):
                continue
            quad = face.outline[[0, 3, 2, 1]]
            for i in range(columns):
                for j in range(rows):
                    u, v = i / columns, j / rows
                    door = inset(quad, u + 0.04 / columns, v + 0.05 / rows, u + 0.96 / columns, v + 0.95 / rows)
                    canvas.polygon(door, shade_colour(wood, 1.14 * face.light + 0.14))
                    canvas.polygon(inset(door, 0.06, 0.06, 0.94, 0.94), shade_colour(wood, 0.98 * face.light + 0.1))
                    handle = (0.42, 0.46, 0.58, 0.54) if rows > 1 else (0.82, 0.44, 0.9, 0.58)
                    canvas.polygon(inset(door, *handle), (210, 200, 170))


def shelves(
    canvas: Canvas, camera: Camera, x: float, z: float, rng: np.random.Generator, *, wide: float, high: float
) -> None:
    """Paint open shelves (`shelves`) that face the camera with books and boxes (`book`) in them."""
    wood = pick(rng, WOODS)
    storeys = int(rng.integers(3, 6))
    at = Placement(x, z, 0.0)
    with canvas.item("shelves", instance=True, depth=z, grain=0.03, blotch=0.05):
        block(canvas, camera, at, (-0.16, 0.16), (-wide / 2, wide / 2), (0.0, high), wood)
        for k in range(storeys):
            low, top = high * k / storeys + 0.05, high * (k + 1) / storeys
            canvas.polygon(
                camera.facing(x - wide / 2 + 0.04, x + wide / 2 - 0.04, z - 0.16, low, top), shade_colour(wood, 0.42)
            )
    for k in range(storeys):
        low, room = high * k / storeys + 0.05, high / storeys - 0.05
        with canvas.item("book", depth=z, grain=0.01, blotch=0.02):
            at_x = x - wide / 2 + 0.06
            while at_x < x + wide / 2 - 0.12:
                thick = rng.uniform(0.05, 0.11)
                if rng.random() < 0.85:
                    colour = rng.integers(40, 230, 3).tolist()
                    tall = room * rng.uniform(0.6, 0.95)
                    spine = camera.facing(at_x, at_x + thick, z - 0.16, low, low + tall)
                    canvas.polygon(spine, colour)
                    canvas.polygon(inset(spine, 0.15, 0.6, 0.85, 0.75), shade_colour(colour, 1.5))
                at_x += thick * 1.05


def bench(canvas: Canvas, camera: Camera, at: Placement, rng: np.random.Generator) -> None:
    """Paint a park bench: slats for the seat and the back on two dark stands."""
    wood, half = pick(rng, WOODS[:4]), rng.uniform(0.7, 0.95)
    scale = camera.scale(at.z)
    canvas.shadow(camera.project(np.array([at.x, 0.0, at.z])), (1.1 * half * scale, 0.2 * scale), 0.45)
    with canvas.item("bench", instance=True, depth=at.z, grain=0.03, blotch=0.06):
        for c in (-half * 0.8, half * 0.8):
            block(canvas, camera, at, (-0.25, -0.18), (c - 0.05, c + 0.05), (0.0, 0.9), (44, 46, 48))
            block(canvas, camera, at, (-0.2, 0.22), (c - 0.05, c + 0.05), (0.0, 0.42), (44, 46, 48))
        for low in (0.52, 0.66, 0.8):
            block(canvas, camera, at, (-0.24, -0.2), (-half, half), (low, low + 0.1), wood)
        for near in (-0.18, -0.04, 0.1):
            block(canvas, camera, at, (near, near + 0.12), (-half, half), (0.42, 0.46), shade_colour(wood, 1.1))
