"""Scenes of things to be detected, in a park, on a square, in a room, on a shelf.

People, vehicles, pets, simple things. Items are labelled with the painters' names; `THINGS` are those that stand for a
category. The rest is background, and nothing is in it that would be one of COCO's categories.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.synthetic.people.people import sample_person
from benchmarks.synthetic.raster.camera import Camera
from benchmarks.synthetic.raster.canvas import Canvas, inset, rectangle, shade_colour
from benchmarks.synthetic.raster.prisms import Placement
from benchmarks.synthetic.scenes import landscape, scenery
from benchmarks.synthetic.scenes.landscape import View
from benchmarks.synthetic.scenes.room import WALLS, Room, paint_lamp, paint_picture, paint_shell, paint_window
from benchmarks.synthetic.scenes.streets.figures import figure, passer_by
from benchmarks.synthetic.scenes.things import furniture, vehicles
from benchmarks.synthetic.scenes.things.animals import animal
from benchmarks.synthetic.scenes.things.everyday import EVERYDAY
from benchmarks.synthetic.scenes.things.two_wheelers import bicycle

KINDS = ("park", "square", "room", "shelf")
_KIND_ODDS = (0.3, 0.28, 0.24, 0.18)
THINGS = (
    "person", "bicycle", "car", "bus", "cat", "dog", "umbrella", "ball", "kite", "bottle", "chair", "pottedplant", "tvmonitor",
    "clock",
)  # fmt: skip
_HEIGHT_M = {"ball": 0.5, "pottedplant": 0.95, "umbrella": 1.7, "clock": 0.8, "dog": 0.72, "cat": 0.55}
_ACTIONS = ("stand", "walk", "run", "arms_up", "reach", "stand", "walk", "kick")
_PARK = ("person", "dog", "cat", "ball", "umbrella", "bicycle", "chair", "kite", "pottedplant")
_PARK_ODDS = (0.23, 0.12, 0.08, 0.12, 0.1, 0.13, 0.07, 0.12, 0.03)
_SQUARE = ("person", "car", "bus", "bicycle", "dog", "umbrella", "pottedplant", "cat", "clock")
_SQUARE_ODDS = (0.23, 0.24, 0.15, 0.13, 0.06, 0.06, 0.05, 0.04, 0.04)
_ROOM = ("person", "chair", "pottedplant", "cat", "dog", "ball", "clock", "unit")
_ROOM_ODDS = (0.15, 0.2, 0.13, 0.1, 0.07, 0.06, 0.11, 0.18)
_SHELF = ("bottle", "clock", "pottedplant", "cat", "ball", "tvmonitor")
_SHELF_ODDS = (0.36, 0.16, 0.14, 0.1, 0.1, 0.14)


def _columns(rng: np.random.Generator, count: int) -> np.ndarray:
    """Shares of the width at which `count` things stand: evenly spread, shuffled, shifted by lot."""
    return (rng.permutation(count) + 0.5 + rng.uniform(-0.3, 0.3, count)) / count


def _front(view: View, z: float) -> None:
    """A row of house fronts across the picture."""
    rng, canvas, camera = view.rng, view.canvas, view.camera
    half = 0.5 * canvas.width / camera.scale(z) + 3.0
    x = -half
    while x < half:
        wide, high = rng.uniform(5, 9), rng.uniform(4.5, 11)
        paint = shade_colour(scenery.PLASTER[rng.integers(len(scenery.PLASTER))], rng.uniform(0.8, 1.05))
        with canvas.item("building", depth=z, grain=0.035, blotch=0.05):
            quad = camera.facing(x, x + wide, z, 0.0, high)
            canvas.polygon(quad, paint)
            storeys, columns = max(1, round(high / 3.0)), max(2, round(wide / 2.0))
            spots = [((i + 0.25) / columns, (j + 0.3) / storeys) for i in range(columns) for j in range(storeys)]
            panes = np.array([inset(quad, u, v, u + 0.5 / columns, v + 0.45 / storeys) for u, v in spots])
            canvas.polygon(panes, shade_colour((74, 86, 102), rng.uniform(0.8, 1.2)))
            canvas.polygon(inset(quad, 0.0, 0.94, 1.0, 1.0), shade_colour(paint, 0.6))
        x += wide


def _place(view: View, name: str, share: float) -> None:
    """Add one thing at `share` of the width, at a depth drawn for its kind."""
    rng, canvas, camera = view.rng, view.canvas, view.camera
    near, far = {"car": (5.2, 13.0), "bus": (9.0, 18.0), "person": (2.6, 8.5), "bicycle": (3.6, 7.5)}.get(
        name, (3.1, 6.0)
    )
    z = float(near + (far - near) * rng.random() ** 1.4)
    x = (share * canvas.width - camera.centre_x_px) / camera.scale(z)
    if name == "person":
        person = sample_person(rng, action=str(rng.choice(_ACTIONS)))
        view.add(z, figure, canvas, person, tuple(view.foot(x, z)), camera.scale(z), depth=z)
    elif name in ("car", "bus"):
        yaw = (
            rng.choice((-1, 1)) * np.pi / 2 + rng.uniform(-0.6, 0.6)
            if rng.random() < 0.65
            else rng.uniform(-np.pi, np.pi)
        )
        view.add(z, vehicles.car if name == "car" else vehicles.bus, canvas, camera, Placement(x, z, yaw), rng)
    elif name == "bicycle":
        yaw = rng.choice((-1, 1)) * np.pi / 2 + rng.uniform(-0.7, 0.7)
        view.add(z, bicycle, canvas, camera, Placement(x, z, yaw), rng)
    elif name == "chair":
        view.add(z, furniture.chair, canvas, camera, Placement(x, z, rng.uniform(-np.pi, np.pi)), rng)
    elif name in ("cat", "dog"):
        view.add(z, animal, canvas, rng, name, view.foot(x, z), _HEIGHT_M[name] * camera.scale(z), depth=z)
    elif name == "kite":
        foot = (share * canvas.width, rng.uniform(0.45, 0.95) * camera.horizon_y_px)
        view.add(30.0, EVERYDAY[name], canvas, rng, foot, rng.uniform(0.13, 0.26) * canvas.height)
    elif name == "clock":  # on a post
        view.add(z, _clock_post, view, x, z)
    else:
        size = _HEIGHT_M[name] * camera.scale(z) * rng.uniform(0.85, 1.2)
        view.add(z, EVERYDAY[name], canvas, rng, view.foot(x, z), size, depth=z)


def _clock_post(view: View, x: float, z: float) -> None:
    scale, foot = view.camera.scale(z), view.foot(x, z)
    top = foot - np.array([0, 2.3 * scale])
    with view.canvas.item("pole", depth=z):
        view.canvas.polygon(rectangle(foot[0] - 0.06 * scale, top[1], foot[0] + 0.06 * scale, foot[1]), (60, 64, 70))
    EVERYDAY["clock"](view.canvas, view.rng, top, _HEIGHT_M["clock"] * scale, depth=z)


def _crowd(view: View) -> None:
    """A group far away that is annotated as one crowd."""
    rng = view.rng
    z, middle = rng.uniform(13, 18), view.spread(15, 0.6)
    for _ in range(int(rng.integers(7, 13))):
        before = len(view.canvas.items)
        passer_by(view.canvas, view.camera, middle + rng.normal(0, 1.4), z + rng.uniform(-0.8, 0.8), rng)
        for item in view.canvas.items[before:]:
            item.extra["crowd"] = True


def _open_air(view: View, names: tuple[str, ...], odds: tuple[float, ...]) -> None:
    rng = view.rng
    count = int(rng.integers(2, 6))
    chosen = [str(name) for name in rng.choice(names, count, p=odds)]
    draw = rng.random()
    if draw < 0.12:  # many people
        chosen = ["person"] * int(rng.integers(5, 8)) + chosen[:1]
    elif draw < 0.24:
        view.add(20.0, _crowd, view)
    for name, share in zip(chosen, _columns(rng, len(chosen)), strict=True):
        _place(view, name, float(share))
    view.finish()


def _park(view: View) -> None:
    rng = view.rng
    landscape.sky(view)
    if rng.random() < 0.4:
        landscape.mountains(view, white=False)
    kind = rng.random()
    if kind < 0.65:
        landscape.ground(view, "grass", shade_colour((108, 144, 62), rng.uniform(0.85, 1.1)))
    else:
        landscape.ground(view, "sand", shade_colour((210, 190, 146), rng.uniform(0.9, 1.05)))
    landscape.repeat(view, 15, 30, 6, landscape.tree, 2 if kind < 0.65 else 0)
    landscape.repeat(view, 5, 12, 2, landscape.rock)
    _open_air(view, _PARK, _PARK_ODDS)


def _square(view: View) -> None:
    rng, canvas, camera = view.rng, view.canvas, view.camera
    landscape.sky(view)
    landscape.ground(
        view,
        "square",
        shade_colour(((128, 124, 122), (170, 160, 150), (104, 104, 110))[rng.integers(3)], 1.0),
        grain=0.05,
    )
    if rng.random() < 0.6:
        with canvas.item("road", depth=-1, grain=0.05):
            for z in np.geomspace(3, 30, 9):
                canvas.polygon(camera.strip(-60, 60, z, z * 1.012), (90, 88, 88))
    _front(view, rng.uniform(20, 27))
    _open_air(view, _SQUARE, _SQUARE_ODDS)


def _unit(view: View, x: float, z: float) -> None:
    """A low cupboard against the wall with a television, bottles or a plant on it."""
    rng, canvas, camera = view.rng, view.canvas, view.camera
    high, wide = rng.uniform(0.6, 0.8), rng.uniform(1.1, 1.5)
    furniture.cabinet(canvas, camera, Placement(x, z), rng, wide=wide, high=high)
    scale = camera.scale(z)
    if rng.random() < 0.6:
        EVERYDAY["tvmonitor"](
            canvas, rng, camera.project(np.array([x, high, z])), rng.uniform(0.6, 0.8) * scale, depth=z
        )
        spots: tuple[float, ...] = (0.44 * wide,)
    else:
        spots = (-0.36 * wide, 0.0, 0.36 * wide)
    for aside in spots:
        if rng.random() < 0.75:
            name = "bottle" if rng.random() < 0.75 else "pottedplant"
            foot = camera.project(np.array([x + aside, high, z - 0.1]))
            EVERYDAY[name](
                canvas, rng, foot, (0.5 if name == "bottle" else 0.6) * scale * rng.uniform(0.9, 1.2), depth=z
            )


def _room(view: View) -> None:
    rng, canvas, camera = view.rng, view.canvas, view.camera
    room = Room(camera, rng.uniform(2.4, 3.0), rng.uniform(2.4, 3.0), rng.uniform(5.0, 6.0), rng.uniform(2.5, 2.8))
    paint_shell(canvas, room, rng)
    for x in rng.permutation((-1.6, 0.0, 1.6))[: int(rng.integers(1, 3))]:
        if rng.random() < 0.6:
            paint_window(canvas, room, rng, float(x), drapes=bool(rng.random() < 0.5))
        else:
            paint_picture(canvas, room, rng, float(x))
    if rng.random() < 0.3:
        paint_lamp(canvas, room, rng)
    count = int(rng.integers(2, 6))
    chosen = [str(name) for name in rng.choice(_ROOM, count, p=_ROOM_ODDS)]
    for name, share in zip(chosen, _columns(rng, count), strict=True):
        x = float((share - 0.5) * 3.4)
        if name == "unit":
            view.add(room.deep - 0.3, _unit, view, 1.2 * x, room.deep - 0.35)
        elif name == "clock":
            foot = camera.project(np.array([x, rng.uniform(1.5, 1.75), room.deep]))
            view.add(room.deep, EVERYDAY["clock"], canvas, rng, foot, rng.uniform(0.5, 0.75) * camera.scale(room.deep))
        else:
            _place(view, name, float(share))
    view.finish()


def _shelf(view: View) -> None:
    """A counter from close by, a wall behind it."""
    rng, canvas = view.rng, view.canvas
    wide, high = canvas.width, canvas.height
    edge = high * rng.uniform(0.52, 0.66)
    paint, wood = furniture.pick(rng, WALLS), furniture.pick(rng, furniture.WOODS)
    with canvas.item("wall", grain=0.02, blotch=0.04):
        canvas.vertical_gradient(shade_colour(paint, 1.0), shade_colour(paint, 0.84), 0, high)
        if rng.random() < 0.5:  # tiles
            step = rng.uniform(0.1, 0.18) * high
            for y in np.arange(step, edge, step):
                canvas.line(np.array([[0.0, y], [float(wide), y]]), 0.8, shade_colour(paint, 0.8))
            for x in np.arange(step, wide, step):
                canvas.line(np.array([[x, 0.0], [x, edge]]), 0.8, shade_colour(paint, 0.8))
    with canvas.item("counter", grain=0.03, blotch=0.08):
        canvas.polygon(rectangle(-2, edge, wide + 2, high + 2), wood)
        canvas.polygon(rectangle(-2, edge, wide + 2, edge + 1.5), shade_colour(wood, 1.25))
    count = int(rng.integers(3, 7))
    chosen = [str(name) for name in rng.choice(_SHELF, count, p=_SHELF_ODDS)]
    for name, share in zip(chosen, _columns(rng, count), strict=True):
        nearer = rng.uniform(0.1, 0.85)
        foot = np.array([share * wide, edge + (high - edge) * nearer])
        size = high * (0.2 + 0.12 * nearer) * rng.uniform(0.85, 1.25)
        size *= {"bottle": 1.5, "pottedplant": 1.6, "tvmonitor": 1.5, "clock": 1.0, "ball": 0.85, "cat": 1.0}[name]
        if name == "clock" and rng.random() < 0.6:
            foot = np.array([share * wide, rng.uniform(0.35, 0.8) * edge])
        depth = 1.0 - nearer
        if name == "cat":
            view.add(depth, animal, canvas, rng, "cat", foot, size)
        else:
            view.add(depth, EVERYDAY[name], canvas, rng, foot, size)
    view.finish()


_PAINTERS: dict[str, Callable[[View], None]] = {"park": _park, "square": _square, "room": _room, "shelf": _shelf}


def gathering(rng: np.random.Generator, width: int, height: int, kind: str | None = None) -> tuple[Canvas, np.ndarray]:
    """Return the painted canvas and the RGB picture (height, width, 3) uint8 of one scene; `kind` is one of `KINDS`."""
    kind = kind or str(rng.choice(KINDS, p=_KIND_ODDS))
    canvas = Canvas(width, height, (128, 128, 128))
    camera = Camera(
        rng.uniform(0.8, 1.0) * width,
        width * rng.uniform(0.45, 0.55),
        height * rng.uniform(0.34, 0.46),
        rng.uniform(1.3, 1.8),
    )
    _PAINTERS[kind](View(canvas, camera, rng, []))
    brightness, warm = rng.uniform(0.82, 1.08), rng.uniform(-0.05, 0.06)
    light: dict[str, Any] = {"gain": (brightness * (1 + warm), brightness, brightness * (1 - warm))}
    if kind in ("park", "square"):
        light |= {"ground_depth": camera.ground_depth(height), "visibility_m": rng.uniform(150, 600)}
    picture = canvas.picture(
        rng, noise=rng.uniform(1.0, 4.0), blur_px=rng.uniform(0.0, 0.6), vignette=rng.uniform(0.05, 0.25), **light
    )
    return canvas, picture
