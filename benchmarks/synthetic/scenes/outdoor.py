"""Landscapes: pasture, shore, snow, railway station, airfield, garden.

Labels are PASCAL Context's names; an item named "" has no class there.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.synthetic.raster.camera import Camera
from benchmarks.synthetic.raster.canvas import Canvas, inset, shade_colour
from benchmarks.synthetic.raster.prisms import Placement
from benchmarks.synthetic.scenes import landscape, scenery
from benchmarks.synthetic.scenes.landscape import View
from benchmarks.synthetic.scenes.streets.riders import rider
from benchmarks.synthetic.scenes.things import crafts, furniture, vehicles
from benchmarks.synthetic.scenes.things.everyday import EVERYDAY
from benchmarks.synthetic.scenes.things.two_wheelers import bicycle, motorcycle

KINDS = ("pasture", "shore", "snow", "station", "airfield", "garden")


def _pasture(view: View) -> None:
    rng = view.rng
    landscape.sky(view)
    if rng.random() < 0.6:
        landscape.mountains(view, white=False)
    landscape.ground(view, "grass", shade_colour((104, 140, 58), rng.uniform(0.85, 1.1)))
    landscape.repeat(view, 14, 32, 7, landscape.tree, 2)
    if rng.random() < 0.55:
        z = rng.uniform(9, 16)
        view.add(z, landscape.fence, view, z)
    landscape.animals(view, ("cow", "sheep", "horse"), int(rng.integers(2, 5)))
    landscape.repeat(view, 3, 10, 2, landscape.rock)
    landscape.repeat(view, 2.4, 6, 4, landscape.flowers)
    if rng.random() < 0.3:
        landscape.repeat(view, 4, 7, 1, landscape.person, 1)
    if rng.random() < 0.3:
        landscape.repeat(view, 5, 9, 1, landscape.logs, 1)


def _shore(view: View) -> None:
    rng, canvas, camera = view.rng, view.canvas, view.camera
    landscape.sky(view)
    if rng.random() < 0.6:
        landscape.mountains(view, white=False)
    landscape.ground(
        view,
        "water",
        shade_colour(((60, 110, 150), (70, 130, 140), (90, 116, 130))[rng.integers(3)], rng.uniform(0.85, 1.1)),
        grain=0.03,
    )
    for z in np.geomspace(3, 40, 14):
        x = view.spread(z)
        canvas.line(camera.project(np.array([[x, 0, z], [x + 0.3 * z, 0, z]])), 0.8, (190, 210, 222))
    line = rng.uniform(3.0, 5.5)
    with canvas.item("ground", depth=-1, grain=0.06, blotch=0.05):
        along = np.linspace(-1, 1, 12) * canvas.width / camera.scale(line)
        depth = line + 0.25 * np.sin(3 * along) + 0.2 * along * rng.uniform(-1, 1)
        wave = camera.project(np.stack([along, np.zeros(12), depth], 1))
        canvas.polygon(
            np.concatenate([wave, [[canvas.width * 1.5, canvas.height + 2], [-canvas.width * 0.5, canvas.height + 2]]]),
            (206, 184, 140),
        )
    for _ in range(int(rng.integers(1, 4))):
        z = rng.uniform(9, 22)
        at, length = view.foot(view.spread(z), z), rng.uniform(3.5, 6) * camera.scale(z)
        view.add(z, crafts.boat, canvas, rng, at, length, depth=z)
    landscape.repeat(view, 6, 12, 3, landscape.rock)
    if rng.random() < 0.6:
        landscape.birds(view)
    if rng.random() < 0.5:
        landscape.repeat(view, 2.6, line, 2, landscape.person, 1)
    if rng.random() < 0.4:
        landscape.animals(view, ("dog", "bird"), 1)


def _snow(view: View) -> None:
    rng = view.rng
    landscape.sky(view)
    landscape.mountains(view, white=True)
    landscape.ground(view, "snow", (232, 236, 244), grain=0.015, blotch=0.03)
    landscape.repeat(view, 9, 28, 8, landscape.tree, 3)
    landscape.repeat(view, 4, 12, 3, landscape.rock)
    landscape.repeat(view, 3.2, 7, 3, landscape.person, 1)
    if rng.random() < 0.4:
        landscape.animals(view, ("dog", "horse"), 1)
    if rng.random() < 0.35:
        landscape.repeat(view, 5, 9, 1, landscape.logs, 1)


def _station(view: View) -> None:
    rng, canvas, camera = view.rng, view.canvas, view.camera
    landscape.sky(view)
    landscape.ground(view, "ground", (150, 140, 128))
    side = float(rng.choice((-1, 1)))
    for _ in range(4):
        z = rng.uniform(24, 40)
        x = view.spread(z)
        view.add(z, landscape.tree, view, x, z)
    with canvas.item("track", depth=-1, grain=0.07, blotch=0.08):
        canvas.polygon(camera.strip(-side * 1.6 - 1.6, -side * 1.6 + 1.6, 0.9, 60), (128, 112, 98))
        for z in np.geomspace(1.5, 40, 26):
            canvas.polygon(camera.strip(-side * 1.6 - 1.3, -side * 1.6 + 1.3, z, z * 1.03 + 0.08), (84, 66, 54))
        for x in (-0.8, 0.8):
            canvas.polygon(camera.strip(-side * 1.6 + x - 0.06, -side * 1.6 + x + 0.06, 0.9, 60), (196, 198, 202))
    edge = side * 0.3
    with canvas.item("platform", depth=-1, grain=0.03, blotch=0.05):
        canvas.polygon(camera.strip(edge, edge + side * 5, 0.9, 50, 0.5), (186, 178, 168))
        canvas.polygon(camera.strip(edge + side * 0.25, edge + side * 0.45, 0.9, 50, 0.5), (240, 210, 80))
        canvas.polygon(camera.upright(edge, 0.9, 50, 0.0, 0.5), (120, 114, 108))
    if rng.random() < 0.8:
        at = Placement(-side * 1.6, rng.uniform(16, 24), np.pi)
        view.add(at.z - 6, vehicles.tram, canvas, camera, at, rng)
    raised = Camera(camera.focal_px, camera.centre_x_px, camera.horizon_y_px, camera.height_m - 0.5)
    above = View(canvas, raised, rng, view.things)
    for _ in range(int(rng.integers(1, 4))):
        z, x = rng.uniform(4, 10), edge + side * rng.uniform(1.0, 3.4)
        view.add(z, landscape.person, above, x, z)
    if rng.random() < 0.7:
        z = rng.uniform(5, 9)
        view.add(
            z, furniture.bench, canvas, raised, Placement(edge + side * 3.4, z, np.pi * 0.5 * -side + np.pi * 0.1), rng
        )
    if rng.random() < 0.7:
        where = rng.uniform(5, 9)
        view.add(where, landscape.board, above, edge + side * 2.4, where)
    if rng.random() < 0.5:
        spot = rng.uniform(3.5, 6)
        view.add(
            spot,
            EVERYDAY["bag"],
            canvas,
            rng,
            above.foot(edge + side * 1.8, spot),
            0.6 * camera.scale(spot),
            depth=spot,
        )


def _airfield(view: View) -> None:
    rng, canvas, camera = view.rng, view.canvas, view.camera
    landscape.sky(view)
    flying = rng.random() < 0.5
    landscape.ground(view, "grass", shade_colour((112, 142, 70), rng.uniform(0.9, 1.1)))
    if rng.random() < 0.6:
        z0 = rng.uniform(4, 7)
        half = canvas.width / camera.scale(z0) * 4
        with canvas.item("road", depth=-1, grain=0.04, blotch=0.05):
            canvas.polygon(camera.strip(-half, half, z0, z0 * 3.2), (112, 112, 116))
            for x in np.arange(-half, half, 4.0):
                canvas.polygon(camera.strip(x, x + 2.0, z0 * 1.6, z0 * 1.68), (230, 230, 226))
    landscape.repeat(view, 26, 40, 5, landscape.tree)
    if rng.random() < 0.4:
        with canvas.item("building", depth=40.0):
            x = view.spread(36)
            hall = camera.facing(x - 7, x + 7, 36, 0, 5.5)
            canvas.polygon(hall, (176, 180, 186))
            canvas.polygon(inset(hall, 0.1, 0.0, 0.6, 0.7), (96, 110, 126))
    length = rng.uniform(0.45, 0.85) * canvas.width
    y = (
        rng.uniform(0.3, 0.8) * camera.horizon_y_px
        if flying
        else camera.horizon_y_px + rng.uniform(0.06, 0.2) * canvas.height
    )
    at = (rng.uniform(0.3, 0.7) * canvas.width, y)
    view.add(12.0, crafts.aeroplane, canvas, rng, at, length)
    if flying and rng.random() < 0.4:
        landscape.birds(view)
    if rng.random() < 0.4:
        landscape.repeat(view, 3.5, 7, 1, landscape.person, 1)
    if rng.random() < 0.35:
        z = rng.uniform(15, 22)
        truck = Placement(view.spread(z, 0.6), z, rng.uniform(1.2, 1.9))
        view.add(z, vehicles.truck, canvas, camera, truck, rng)


def _garden(view: View) -> None:
    """In front of a house: bench, plants, pets, bicycles, motorcycles, a car."""
    rng, canvas, camera = view.rng, view.canvas, view.camera
    landscape.sky(view)
    lawn = rng.random() < 0.5
    landscape.ground(
        view,
        "grass" if lawn else "ground",
        shade_colour((112, 148, 66) if lawn else (176, 156, 124), rng.uniform(0.9, 1.1)),
    )
    z = rng.uniform(8, 11)
    half = 0.5 * canvas.width / camera.scale(z)
    paint = shade_colour(scenery.PLASTER[rng.integers(len(scenery.PLASTER))], 1.0)
    front = camera.facing(-half * rng.uniform(0.5, 1.2), half * rng.uniform(0.5, 1.2), z, 0.0, rng.uniform(3.2, 6.5))
    with canvas.item("building", depth=z, grain=0.04, blotch=0.05):
        canvas.polygon(front, paint)
        canvas.polygon(inset(front, 0.0, 0.93, 1.0, 1.0), (110, 64, 50))
        canvas.polygon(inset(front, 0.0, 0.0, 1.0, 0.06), shade_colour(paint, 0.65))
    for u in np.arange(0.08, 0.9, 0.26):
        label, v0, v1 = ("door", 0.0, 0.6) if rng.random() < 0.25 else ("window", 0.3, 0.66)
        with canvas.item(label, depth=z, grain=0.01):
            pane = inset(front, u, v0, u + 0.14, v1)
            canvas.polygon(pane, (236, 234, 228) if label == "window" else (96, 62, 42))
            inner = inset(pane, 0.1, 0.06, 0.9, 0.94)
            canvas.polygon(inner, (84, 100, 122) if label == "window" else (120, 80, 54))
            canvas.polygon(inset(pane, 0.46, 0.06, 0.54, 0.94), (236, 234, 228) if label == "window" else (96, 62, 42))
    if not lawn and rng.random() < 0.7:
        with canvas.item("sidewalk", depth=-1, grain=0.03, blotch=0.04):
            canvas.polygon(camera.strip(-60, 60, rng.uniform(3.0, 4.2), z), (184, 176, 168))
    landscape.repeat(view, 0.85 * z, z, 2, landscape.tree)
    if rng.random() < 0.55:
        at = Placement(view.spread(5, 0.6), rng.uniform(4.5, 6), np.pi + rng.uniform(-0.2, 0.2))
        view.add(at.z, furniture.bench, canvas, camera, at, rng)
    landscape.repeat(view, 3, 6, 3, landscape.flowers)
    landscape.repeat(view, 3.5, 6, 1, landscape.logs)
    if rng.random() < 0.5:
        spot = rng.uniform(3.5, 5.5)
        x = view.spread(spot)
        view.add(spot, EVERYDAY["pottedplant"], canvas, rng, view.foot(x, spot), camera.scale(spot), depth=spot)
    for _ in range(int(rng.integers(1, 3))):
        where = Placement(view.spread(4.5, 0.7), rng.uniform(3.6, 5.5), rng.uniform(0.9, 2.2) * rng.choice((-1, 1)))
        draw = rng.random()
        if draw < 0.4:
            view.add(where.z, bicycle, canvas, camera, where, rng)
        elif draw < 0.75:
            view.add(where.z, motorcycle, canvas, camera, where, rng, label="motorbike")
            if rng.random() < 0.4:
                view.add(where.z - 0.01, rider, canvas, camera, where, rng, motor=True, label="person")
        else:
            parked = Placement(where.x, where.z + 2.0, where.yaw)
            view.add(parked.z, vehicles.car, canvas, camera, parked, rng)
    if rng.random() < 0.6:
        landscape.animals(view, ("dog", "cat", "bird"), 1)
    if rng.random() < 0.5:
        landscape.repeat(view, 3.5, 6, 1, landscape.person, 1)


_LANDSCAPES: dict[str, Callable[[View], None]] = {
    "pasture": _pasture, "shore": _shore, "snow": _snow, "station": _station, "airfield": _airfield, "garden": _garden,
}  # fmt: skip


def outdoor(rng: np.random.Generator, width: int, height: int, kind: str | None = None) -> tuple[Canvas, np.ndarray]:
    """Return the painted canvas and the RGB picture (height, width, 3) uint8 of a landscape; `kind` is one of `KINDS`."""
    canvas = Canvas(width, height, (150, 150, 150))
    camera = Camera(
        rng.uniform(0.8, 1.1) * width,
        width * rng.uniform(0.42, 0.58),
        height * rng.uniform(0.34, 0.48),
        rng.uniform(1.4, 2.0),
    )
    view = View(canvas, camera, rng, [])
    _LANDSCAPES[kind or str(rng.choice(KINDS))](view)
    view.finish()
    brightness, warm = rng.uniform(0.8, 1.08), rng.uniform(-0.05, 0.06)
    picture = canvas.picture(
        rng,
        ground_depth=camera.ground_depth(height),
        visibility_m=rng.uniform(120, 500),
        fog_colour=(200, 212, 224),
        gain=(brightness * (1 + warm), brightness, brightness * (1 - warm)),
        noise=rng.uniform(1.0, 4.0),
        blur_px=rng.uniform(0.0, 0.6),
    )
    return canvas, picture
