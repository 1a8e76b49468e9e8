"""Rooms: living room, bedroom, dining room, office, and a table seen from close by.

Labels are PASCAL Context's names; what has no name there (pictures on the wall) stays unlabelled: an item named "".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.synthetic.people.people import sample_person
from benchmarks.synthetic.raster.camera import Camera
from benchmarks.synthetic.raster.canvas import Canvas, inset, rectangle, shade_colour
from benchmarks.synthetic.raster.prisms import Placement
from benchmarks.synthetic.scenes.room import WALLS, Room, paint_shell, paint_wall_things
from benchmarks.synthetic.scenes.streets.figures import figure
from benchmarks.synthetic.scenes.things import furniture
from benchmarks.synthetic.scenes.things.animals import animal
from benchmarks.synthetic.scenes.things.everyday import EVERYDAY

KINDS = ("living", "bedroom", "dining", "office", "tabletop")


def _on_top(
    canvas: Canvas,
    room: Room,
    rng: np.random.Generator,
    at: Placement,
    high: float,
    wide: float,
    names: tuple[str, ...],
    size_m: float,
) -> None:
    """Put things on a table at `at`, the farther ones first."""
    places = sorted(((rng.uniform(-0.25, 0.2), k) for k in range(len(names))), key=lambda place: -place[0])
    slots = rng.permutation(np.linspace(-wide / 2 + 0.18, wide / 2 - 0.18, len(names)))
    for back, k in places:
        z = at.z + back
        foot = room.camera.project(np.array([at.x + slots[k], high, z]))
        size = (
            size_m
            * room.camera.scale(z)
            * {"plate": 0.35, "keyboard": 0.4, "cup": 0.6, "mouse": 0.35, "food": 0.6}.get(names[k], 1.0)
        )
        EVERYDAY[names[k]](canvas, rng, foot, size, depth=z)


def _pick_names(rng: np.random.Generator, names: tuple[str, ...], least: int, most: int) -> tuple[str, ...]:
    return tuple(str(name) for name in rng.choice(names, int(rng.integers(least, most + 1)), replace=False))


def _someone(
    canvas: Canvas, room: Room, rng: np.random.Generator, x: float, z: float, action: str | None = None
) -> None:
    person = sample_person(rng, action=action or str(rng.choice(("stand", "walk", "reach", "arms_crossed"))))
    figure(canvas, person, tuple(room.camera.project(np.array([x, 0.0, z]))), room.camera.scale(z), depth=z)


def _pet(canvas: Canvas, room: Room, rng: np.random.Generator, x: float, z: float) -> None:
    kind = "cat" if rng.random() < 0.55 else "dog"
    animal(canvas, rng, kind, room.camera.project(np.array([x, 0.0, z])), 0.5 * room.camera.scale(z), depth=z)


def _wall_unit(canvas: Canvas, room: Room, rng: np.random.Generator, x: float) -> None:
    """Shelves, a tall cupboard, or a low chest with something on it, against the back wall."""
    draw, z = rng.random(), room.deep - 0.3
    if draw < 0.4:
        furniture.shelves(canvas, room.camera, x, z, rng, wide=rng.uniform(0.9, 1.5), high=rng.uniform(1.5, 2.2))
    elif draw < 0.65:
        furniture.cabinet(
            canvas, room.camera, Placement(x, z), rng, wide=rng.uniform(0.9, 1.3), high=rng.uniform(1.6, 2.0)
        )
    else:
        high, wide = rng.uniform(0.6, 0.9), rng.uniform(1.1, 1.6)
        furniture.cabinet(canvas, room.camera, Placement(x, z), rng, wide=wide, high=high)
        names = _pick_names(rng, ("tvmonitor", "pottedplant", "flower", "book", "bottle"), 1, 2)
        _on_top(canvas, room, rng, Placement(x, z), high, wide, names, 0.6)


def _living(canvas: Canvas, room: Room, rng: np.random.Generator) -> None:
    _wall_unit(canvas, room, rng, rng.uniform(-1.5, 1.5))
    furniture.sofa(
        canvas,
        room.camera,
        Placement(rng.uniform(-1.1, 1.1), rng.uniform(3.0, 3.5), np.pi + rng.uniform(-0.3, 0.3)),
        rng,
    )
    if rng.random() < 0.7:
        x = rng.choice((-1, 1)) * rng.uniform(1.2, 1.8)
        EVERYDAY["pottedplant"](
            canvas, rng, room.camera.project(np.array([x, 0, 3.0])), room.camera.scale(3.0), depth=3.0
        )
    if rng.random() < 0.6:
        at = Placement(rng.uniform(-0.6, 0.6), 2.2, 0.0)
        furniture.table(canvas, room.camera, at, rng, wide=1.0, deep=0.55, high=0.42)
        _on_top(
            canvas, room, rng, at, 0.42, 1.0, _pick_names(rng, ("book", "cup", "bottle", "flower", "plate"), 1, 3), 0.34
        )
    if rng.random() < 0.4:
        _someone(canvas, room, rng, rng.uniform(-1.2, 1.2), 2.6)
    if rng.random() < 0.5:
        _pet(canvas, room, rng, rng.uniform(-0.9, 0.9), 2.55)


def _bedroom(canvas: Canvas, room: Room, rng: np.random.Generator) -> None:
    side = float(rng.choice((-1, 1)))
    _wall_unit(canvas, room, rng, side * 1.5)
    furniture.bed(
        canvas,
        room.camera,
        Placement(-side * rng.uniform(0.3, 0.8), room.deep - 1.3, np.pi + rng.uniform(-0.15, 0.15)),
        rng,
    )
    if rng.random() < 0.5:
        spot = room.camera.project(np.array([side * 1.1, 0, 2.4]))
        EVERYDAY["bag"](canvas, rng, spot, 0.5 * room.camera.scale(2.4), depth=2.4)
    if rng.random() < 0.35:
        _someone(canvas, room, rng, side * 1.0, 2.4)
    if rng.random() < 0.45:
        _pet(canvas, room, rng, side * rng.uniform(0.3, 1.0), 2.5)


def _dining(canvas: Canvas, room: Room, rng: np.random.Generator) -> None:
    _wall_unit(canvas, room, rng, rng.uniform(-1.6, 1.6))
    at = Placement(rng.uniform(-0.4, 0.4), 2.7, 0.0)
    for x in (-0.45, 0.45):
        if rng.random() < 0.75:
            furniture.chair(canvas, room.camera, Placement(at.x + x, at.z + 0.65, np.pi + rng.uniform(-0.3, 0.3)), rng)
    if rng.random() < 0.4:
        _someone(canvas, room, rng, at.x + rng.uniform(-1.2, 1.2), at.z + 0.8)
    furniture.table(canvas, room.camera, at, rng, wide=1.5, deep=0.85)
    names = _pick_names(rng, ("plate", "plate", "cup", "bottle", "food", "flower", "bottle", "cup"), 3, 5)
    _on_top(canvas, room, rng, at, 0.74, 1.5, names, 0.36)
    if rng.random() < 0.6:
        turned = Placement(at.x + rng.choice((-1, 1)) * rng.uniform(0.9, 1.1), 2.3, rng.uniform(-np.pi, np.pi))
        furniture.chair(canvas, room.camera, turned, rng)
    if rng.random() < 0.3:
        _pet(canvas, room, rng, rng.uniform(-0.9, 0.9), 2.5)


def _office(canvas: Canvas, room: Room, rng: np.random.Generator) -> None:
    _wall_unit(canvas, room, rng, rng.uniform(-1.6, 1.6))
    at = Placement(rng.uniform(-0.4, 0.4), 2.4, 0.0)
    furniture.table(canvas, room.camera, at, rng, wide=1.7, deep=0.8)
    back = _pick_names(rng, ("tvmonitor", "computer", "tvmonitor", "pottedplant", "book"), 2, 3)
    _on_top(canvas, room, rng, Placement(at.x, at.z + 0.2), 0.74, 1.6, back, 0.5)
    for name, x in (("keyboard", -0.2), ("mouse", 0.45), ("cup", 0.7)):
        if rng.random() < 0.75:
            foot = room.camera.project(np.array([at.x + x, 0.74, at.z - 0.3]))
            size = {"keyboard": 0.16, "mouse": 0.14, "cup": 0.2}[name] * room.camera.scale(at.z)
            EVERYDAY[name](canvas, rng, foot, size, depth=at.z)
    if rng.random() < 0.7:
        furniture.chair(
            canvas, room.camera, Placement(at.x + rng.uniform(-0.6, 0.6), 1.75, rng.uniform(-0.5, 0.5)), rng
        )
    if rng.random() < 0.35:
        _someone(canvas, room, rng, rng.choice((-1, 1)) * 1.2, 2.6)


_ROOMS: dict[str, Callable[[Canvas, Room, np.random.Generator], None]] = {
    "living": _living, "bedroom": _bedroom, "dining": _dining, "office": _office,
}  # fmt: skip


def _tabletop(canvas: Canvas, rng: np.random.Generator) -> None:
    """A table from close by: the wall behind it, things in two or three rows."""
    wide, high = canvas.width, canvas.height
    edge = high * rng.uniform(0.3, 0.42)
    paint, wood = furniture.pick(rng, WALLS), furniture.pick(rng, furniture.WOODS)
    with canvas.item("wall", grain=0.02, blotch=0.04):
        canvas.vertical_gradient(shade_colour(paint, 0.95), shade_colour(paint, 0.8), 0, high)
    with canvas.item("table", instance=True, grain=0.03, blotch=0.08):
        canvas.polygon(rectangle(-2, edge, wide + 2, high + 2), wood)
        for k in range(5):
            y = edge + (high - edge) * ((k + 1) / 5) ** 1.6
            canvas.line(np.array([[-2.0, y], [wide + 2.0, y]]), 0.8, shade_colour(wood, 0.78), claim=False)
        canvas.polygon(rectangle(-2, edge, wide + 2, edge + 1.6), shade_colour(wood, 1.25), claim=False)
    if rng.random() < 0.4:
        with canvas.item("cloth", grain=0.02, blotch=0.04):
            linen = furniture.pick(rng, furniture.LINENS)
            x = rng.uniform(0.25, 0.75) * wide
            mat = np.array(
                [
                    [x - 0.3 * wide, edge + 6],
                    [x + 0.3 * wide, edge + 6],
                    [x + 0.42 * wide, high * 0.95],
                    [x - 0.42 * wide, high * 0.95],
                ]
            )
            canvas.polygon(mat, linen)
            for u in (0.06, 0.9):
                canvas.polygon(inset(mat, u, 0.0, u + 0.05, 1.0), shade_colour(linen, 0.7))
    rows = (
        (0.16, ("tvmonitor", "computer", "pottedplant", "bottle", "book", "flower", "bottle")),
        (0.5, ("plate", "cup", "food", "book", "computer", "cup", "bottle")),
        (0.9, ("keyboard", "mouse", "plate", "cup", "food", "mouse", "keyboard")),
    )
    for share, names in rows:
        chosen = _pick_names(rng, names, 1, 3)
        slots = (rng.permutation(len(chosen)) + 0.5) / len(chosen)
        for name, slot in zip(chosen, slots, strict=True):
            foot = np.array(
                [wide * (slot + rng.uniform(-0.06, 0.06)), edge + (high - edge) * (share + rng.uniform(-0.05, 0.05))]
            )
            size = high * (0.22 + 0.14 * share) * rng.uniform(0.85, 1.2)
            size *= {
                "plate": 0.5,
                "keyboard": 0.42,
                "cup": 0.75,
                "mouse": 0.55,
                "tvmonitor": 1.5,
                "pottedplant": 1.5,
                "bottle": 1.6,
                "food": 0.8,
                "computer": 1.3,
            }.get(name, 1.0)
            if name == "plate" and rng.random() < 0.6:
                EVERYDAY["plate"](canvas, rng, foot, size)
                EVERYDAY["food"](canvas, rng, foot - np.array([0, 0.4 * size]), 0.85 * size)
            else:
                EVERYDAY[name](canvas, rng, foot, size)


def indoor(rng: np.random.Generator, width: int, height: int, kind: str | None = None) -> tuple[Canvas, np.ndarray]:
    """Return the painted canvas and the RGB picture (height, width, 3) uint8 of a room; `kind` is one of `KINDS`."""
    canvas = Canvas(width, height, (128, 124, 120))
    kind = kind or str(rng.choice(KINDS, p=(0.22, 0.2, 0.2, 0.16, 0.22)))
    if kind == "tabletop":
        _tabletop(canvas, rng)
    else:
        camera = Camera(
            rng.uniform(0.62, 0.8) * width,
            width * rng.uniform(0.42, 0.58),
            height * rng.uniform(0.36, 0.46),
            rng.uniform(1.35, 1.65),
        )
        room = Room(camera, rng.uniform(2.0, 2.7), rng.uniform(2.0, 2.7), rng.uniform(3.8, 4.8), rng.uniform(2.4, 2.7))
        paint_shell(canvas, room, rng)
        paint_wall_things(canvas, room, rng, drapes=0.65)
        _ROOMS[kind](canvas, room, rng)
    warm = rng.uniform(-0.06, 0.08)
    brightness = rng.uniform(0.82, 1.08)
    picture = canvas.picture(
        rng,
        gain=(brightness * (1 + warm), brightness, brightness * (1 - warm)),
        noise=rng.uniform(1.0, 4.0),
        blur_px=rng.uniform(0.0, 0.6),
        vignette=rng.uniform(0.1, 0.35),
    )
    return canvas, picture
