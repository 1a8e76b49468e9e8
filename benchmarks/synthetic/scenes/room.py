"""An empty room: walls, ceiling, floor, and what belongs to the walls: windows, curtains, doors, lamps, cloths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.synthetic.raster.camera import Camera
from benchmarks.synthetic.raster.canvas import Canvas, Colour, blend_colour, inset, rectangle, shade_colour
from benchmarks.synthetic.scenes.things import furniture

WALLS: tuple[Colour, ...] = (
    (214, 200, 176), (178, 196, 204), (204, 178, 164), (186, 200, 170), (222, 218, 208), (170, 164, 184), (226, 200, 140),
)  # fmt: skip
_FLOORS: tuple[Colour, ...] = ((150, 106, 66), (112, 76, 50), (178, 144, 104), (134, 128, 124), (160, 90, 70))
_DRAPES: tuple[Colour, ...] = (
    (150, 40, 50),
    (60, 90, 150),
    (196, 160, 90),
    (90, 120, 90),
    (120, 70, 120),
    (226, 220, 206),
)


@dataclass(frozen=True)
class Room:
    """A room: walls at x = -left and x = right, the back wall at `deep`, the ceiling at `high`; metres."""

    camera: Camera
    left: float
    right: float
    deep: float
    high: float


def paint_shell(canvas: Canvas, room: Room, rng: np.random.Generator) -> None:
    """Paint wall, ceiling and floor, with boards or tiles, a skirting and a cornice."""
    camera = room.camera
    paint = furniture.pick(rng, WALLS)
    boards = furniture.pick(rng, _FLOORS)
    with canvas.item("wall", grain=0.02, blotch=0.03):
        canvas.polygon(rectangle(0, 0, canvas.width, canvas.height), paint)
        for x, light in ((-room.left, 0.86), (room.right, 0.78)):
            canvas.polygon(camera.upright(x, 0.9, room.deep, 0.0, room.high), shade_colour(paint, light))
            canvas.polygon(camera.upright(x, 0.9, room.deep, 0.0, 0.12), shade_colour(paint, 1.15))
        canvas.polygon(camera.facing(-room.left, room.right, room.deep, 0.0, 0.12), shade_colour(paint, 1.18))
        if rng.random() < 0.3:  # striped wallpaper
            for x in np.arange(-room.left, room.right, 0.4):
                canvas.polygon(camera.facing(x, x + 0.2, room.deep, 0.12, room.high), shade_colour(paint, 0.93))
    with canvas.item("ceiling", grain=0.01, blotch=0.02):
        canvas.polygon(
            camera.strip(-room.left, room.right, 0.85, room.deep, room.high),
            shade_colour((238, 236, 230), rng.uniform(0.86, 1.0)),
        )
    with canvas.item("floor", depth=-1, grain=0.04, blotch=0.05):
        canvas.polygon(camera.strip(-room.left, room.right, 0.85, room.deep), boards)
        if rng.random() < 0.6:
            for x in np.arange(-room.left, room.right, rng.uniform(0.2, 0.35)):
                canvas.polygon(camera.strip(x, x + 0.025, 0.85, room.deep), shade_colour(boards, 0.72))
        else:
            for x in np.arange(-room.left, room.right, 0.5):
                canvas.polygon(camera.strip(x, x + 0.03, 0.85, room.deep), shade_colour(boards, 0.8))
            for z in np.arange(1.0, room.deep, 0.5):
                canvas.polygon(camera.strip(-room.left, room.right, z, z + 0.03), shade_colour(boards, 0.8))


def paint_window(canvas: Canvas, room: Room, rng: np.random.Generator, x: float, *, drapes: bool) -> None:
    """Paint a window in the back wall at x, with curtains on its sides."""
    camera, z = room.camera, room.deep
    wide, low, top = rng.uniform(1.0, 1.5), 0.9, 2.1
    with canvas.item("window", depth=z, grain=0.01, blotch=0.01):
        frame = camera.facing(x - wide / 2, x + wide / 2, z, low, top)
        canvas.polygon(frame, (240, 240, 236))
        sky = ((150, 196, 240), (214, 224, 230), (40, 50, 80))[rng.integers(3)]
        for u0, u1 in ((0.05, 0.48), (0.52, 0.95)):
            for v0, v1 in ((0.05, 0.47), (0.53, 0.95)):
                canvas.polygon(inset(frame, u0, v0, u1, v1), sky if v0 > 0.5 else blend_colour(sky, (96, 130, 80), 0.5))
        canvas.polygon(
            camera.facing(x - wide / 2 - 0.06, x + wide / 2 + 0.06, z - 0.05, low - 0.08, low), (236, 234, 228)
        )
    if drapes:
        paint = furniture.pick(rng, _DRAPES)
        for side in (-1, 1):
            with canvas.item("curtain", depth=z, grain=0.02, blotch=0.04):
                inner, outer = x + side * wide * 0.34, x + side * (wide / 2 + 0.3)
                edges = np.linspace(inner, outer, 7)
                for k in range(6):
                    fold = camera.facing(edges[k], edges[k + 1], z - 0.08, 0.1 if wide > 1.2 else 0.7, 2.3)
                    canvas.polygon(fold, shade_colour(paint, 1.05 if k % 2 else 0.8))


def _door(canvas: Canvas, room: Room, rng: np.random.Generator, x: float) -> None:
    wood = furniture.pick(rng, furniture.WOODS)
    with canvas.item("door", depth=room.deep, grain=0.02, blotch=0.05):
        canvas.polygon(room.camera.facing(x - 0.52, x + 0.52, room.deep - 0.02, 0.0, 2.12), shade_colour(wood, 0.7))
        leaf = room.camera.facing(x - 0.44, x + 0.44, room.deep - 0.02, 0.0, 2.04)
        canvas.polygon(leaf, wood)
        for v0, v1 in ((0.08, 0.45), (0.55, 0.92)):
            canvas.polygon(inset(leaf, 0.14, v0, 0.86, v1), shade_colour(wood, 0.84))
        canvas.polygon(inset(leaf, 0.86, 0.46, 0.96, 0.52), (226, 200, 120))


def paint_picture(canvas: Canvas, room: Room, rng: np.random.Generator, x: float) -> None:
    """A framed picture: PASCAL Context has no class for it among the 59."""
    half, low = rng.uniform(0.25, 0.45), rng.uniform(1.25, 1.5)
    with canvas.item("", depth=room.deep, grain=0.02):
        frame = room.camera.facing(x - half, x + half, room.deep - 0.02, low, low + half * 1.5)
        canvas.polygon(frame, furniture.pick(rng, furniture.WOODS))
        canvas.polygon(inset(frame, 0.1, 0.1, 0.9, 0.9), rng.integers(60, 220, 3).tolist())
        canvas.polygon(inset(frame, 0.1, 0.1, 0.9, 0.45), rng.integers(60, 220, 3).tolist())


def paint_lamp(canvas: Canvas, room: Room, rng: np.random.Generator) -> None:
    """A pendant lamp or a floor lamp."""
    camera = room.camera
    glow: Colour = ((255, 238, 190), (250, 214, 150), (240, 240, 230))[rng.integers(3)]
    if rng.random() < 0.6:
        x, z = rng.uniform(-0.8, 0.8), rng.uniform(2.2, room.deep - 0.5)
        top, low = camera.project(np.array([[x, room.high, z], [x, room.high - 0.55, z]]))
        scale = camera.scale(z)
        with canvas.item("light", instance=True, depth=z, grain=0.0, blotch=0.01):
            canvas.line(np.stack([top, low]), max(0.03 * scale, 0.8), (60, 60, 60))
            shade = np.array([[-0.12, -0.1], [0.12, -0.1], [0.3, 0.16], [-0.3, 0.16]]) * scale + low
            canvas.polygon(shade, glow)
            canvas.ellipse(low + np.array([0, 0.16 * scale]), (0.3 * scale, 0.07 * scale), shade_colour(glow, 1.1))
        return
    x, z = rng.choice((-room.left + 0.4, room.right - 0.4)), room.deep - 0.5
    foot, top = camera.project(np.array([[x, 0, z], [x, 1.5, z]]))
    scale = camera.scale(z)
    with canvas.item("light", instance=True, depth=z, grain=0.0, blotch=0.01):
        canvas.line(np.stack([foot, top]), max(0.05 * scale, 1.0), (70, 66, 60))
        canvas.ellipse(foot, (0.18 * scale, 0.05 * scale), (70, 66, 60))
        canvas.polygon(np.array([[-0.16, -0.3], [0.16, -0.3], [0.28, 0.08], [-0.28, 0.08]]) * scale + top, glow)


def _towel(canvas: Canvas, room: Room, rng: np.random.Generator, x: float) -> None:
    """A cloth that hangs on the wall."""
    paint = furniture.pick(rng, furniture.LINENS)
    with canvas.item("cloth", depth=room.deep, grain=0.03, blotch=0.06):
        sheet = room.camera.facing(x - 0.3, x + 0.3, room.deep - 0.06, 0.7, 1.6)
        canvas.polygon(sheet, paint)
        for v in (0.15, 0.3, 0.75):
            canvas.polygon(inset(sheet, 0.0, v, 1.0, v + 0.07), shade_colour(paint, 0.7))


def paint_wall_things(canvas: Canvas, room: Room, rng: np.random.Generator, *, drapes: float) -> None:
    """Paint windows, doors, cloths and pictures along the back wall, perhaps a lamp; `drapes`: share of curtained windows."""
    slots = list(rng.permutation(np.arange(-room.left + 0.8, room.right - 0.5, 1.6)))
    for x in slots:
        draw = rng.random()
        if draw < 0.42:
            paint_window(canvas, room, rng, float(x), drapes=bool(rng.random() < drapes))
        elif draw < 0.66:
            _door(canvas, room, rng, float(x))
        elif draw < 0.82:
            _towel(canvas, room, rng, float(x))
        else:
            paint_picture(canvas, room, rng, float(x))
    if rng.random() < 0.6:
        paint_lamp(canvas, room, rng)
