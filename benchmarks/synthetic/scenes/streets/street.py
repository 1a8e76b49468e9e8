"""Street scenes: a road in perspective with what lines it and what moves on it, for every Cityscapes class."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.synthetic.raster.canvas import Canvas, ellipse_points, rectangle, shade_colour
from benchmarks.synthetic.scenes import scenery
from benchmarks.synthetic.scenes.streets.street_plan import Plan, plan_street
from benchmarks.synthetic.scenes.streets.traffic import Traffic

Stretch = tuple[float, float, str]
FAR_M = 75.0


def _sky(canvas: Canvas, plan: Plan, rng: np.random.Generator) -> None:
    top, low = {
        "day": ((92, 148, 220), (196, 216, 236)),
        "overcast": ((176, 182, 190), (214, 216, 218)),
        "dusk": ((52, 60, 104), (232, 156, 110)),
        "fog": ((198, 203, 208), (206, 210, 214)),
    }[plan.weather]
    with canvas.item("sky", depth=150.0 if plan.weather == "fog" else 0.0, grain=0.004, blotch=0.012):
        canvas.vertical_gradient(top, low, 0, plan.camera.horizon_y_px + 3)
        if plan.weather in ("day", "dusk"):
            cloud = (246, 248, 250) if plan.weather == "day" else (226, 150, 130)
            for _ in range(int(rng.integers(0, 5))):
                x, y = rng.uniform(0, canvas.width), rng.uniform(0, plan.camera.horizon_y_px * 0.8)
                for _ in range(3):
                    at = (x + rng.uniform(-14, 14), y + rng.uniform(-2, 2))
                    canvas.ellipse(at, (rng.uniform(6, 16), rng.uniform(1.5, 4)), cloud)


def _ground(canvas: Canvas, plan: Plan, rng: np.random.Generator, kinds: dict[float, list[Stretch]]) -> None:
    camera = plan.camera
    road = shade_colour((104, 102, 106), rng.uniform(0.72, 1.08))
    pave = shade_colour(((176, 166, 158), (188, 172, 160), (160, 156, 156))[rng.integers(3)], rng.uniform(0.92, 1.08))
    grass = shade_colour((104, 132, 58), rng.uniform(0.85, 1.1))
    with canvas.item("terrain", depth=-1, grain=0.1, blotch=0.12):
        canvas.vertical_gradient(shade_colour(grass, 0.95), grass, camera.horizon_y_px, canvas.height)
    left, right = plan.road_left, plan.road_right
    for side, edge, walk, verge in (
        (-1.0, left, plan.walk_left, plan.verge_left),
        (1.0, right, plan.walk_right, plan.verge_right),
    ):
        for z0, z1, kind in kinds[side]:
            if kind == "building" and not verge and rng.random() < 0.5:  # paved up to the house
                inner = edge + side * walk
                with canvas.item("sidewalk", depth=-1, grain=0.035, blotch=0.04):
                    canvas.polygon(camera.strip(inner, inner + side * 14, z0, z1), shade_colour(pave, 0.95))
        with canvas.item("sidewalk", depth=-1, grain=0.035, blotch=0.04):
            canvas.polygon(camera.strip(edge, edge + side * walk, 0.9, FAR_M), pave)
            for z in np.geomspace(2.0, 30, 12):
                canvas.polygon(camera.strip(edge, edge + side * walk, z, z * 1.012 + 0.03), shade_colour(pave, 0.84))
            middle = edge + side * 0.5 * walk
            canvas.polygon(camera.strip(middle - 0.03, middle + 0.03, 1.0, 40), shade_colour(pave, 0.86))
    if plan.crossing_z is not None:
        z = plan.crossing_z
        with canvas.item("road", depth=-1, grain=0.05, blotch=0.06):
            canvas.polygon(camera.strip(-60, 60, z + 3.5, z + 10), road)
    with canvas.item("road", depth=-1, grain=0.05, blotch=0.06):
        canvas.polygon(camera.strip(left, right, 0.9, FAR_M), road)
        kerb = shade_colour(pave, 1.18)
        for edge in (left, right):
            canvas.polygon(camera.strip(edge - 0.09, edge + 0.09, 0.9, 60), kerb)
        paint = (226, 226, 220)
        centre = 0.5 * (max(left, -6.0) + right) - 0.6
        dash, gap, phase = rng.uniform(1.8, 3.5), rng.uniform(2.0, 4.0), rng.uniform(0, 3)
        for z in np.arange(1.2 + phase, 45, dash + gap):
            canvas.polygon(camera.strip(centre - 0.08, centre + 0.08, z, z + dash), paint)
        if rng.random() < 0.5:
            canvas.polygon(camera.strip(right - 0.5, right - 0.36, 0.9, 60), paint)
        for _ in range(int(rng.integers(0, 4))):  # patches of newer asphalt
            z, x = rng.uniform(3, 18), rng.uniform(left, right - 1.5)
            patch = camera.strip(x, x + rng.uniform(0.8, 1.8), z, z * rng.uniform(1.1, 1.5))
            canvas.polygon(patch, shade_colour(road, rng.uniform(0.82, 1.12)))
        if plan.crossing_z is not None:
            for x in np.arange(left + 0.3, right - 0.4, 0.95):
                canvas.polygon(camera.strip(x, x + 0.5, plan.crossing_z, plan.crossing_z + 3.0), paint)
            canvas.polygon(camera.strip(centre + 0.2, right, plan.crossing_z - 1.4, plan.crossing_z - 0.9), paint)
    if plan.tram_x is not None:
        with canvas.item("rail track", depth=-1, grain=0.05, blotch=0.06):
            canvas.polygon(camera.strip(plan.tram_x - 1.15, plan.tram_x + 1.15, 0.9, 60), shade_colour(road, 0.86))
            for x in (-0.72, 0.72):
                canvas.polygon(camera.strip(plan.tram_x + x - 0.07, plan.tram_x + x + 0.07, 0.9, 60), (178, 178, 182))
    parking = rng.random() < 0.08
    if parking:
        with canvas.item("parking", depth=-1, grain=0.04, blotch=0.05):
            canvas.polygon(camera.strip(right - 2.0, right - 0.1, 5, 26), shade_colour(road, 0.9))


def _segments(plan: Plan, rng: np.random.Generator) -> dict[float, list[Stretch]]:
    """Cut each side of the street into stretches (z0, z1, kind), far to near; a crossing leaves a gap."""
    kinds: dict[float, list[Stretch]] = {}
    for side in (-1.0, 1.0):
        z, stretches = rng.uniform(1.0, 4.0), []
        if z > 1.5:
            stretches.append((0.9, z, str(rng.choice(("building", "wall", "fence", "park")))))
        while z < FAR_M:
            kind = str(rng.choice(("building", "wall", "fence", "park"), p=(0.42, 0.19, 0.20, 0.19)))
            end = z + rng.uniform(7, 15) * (1 + z / 28)
            if plan.crossing_z is not None and z < plan.crossing_z + 11 and end > plan.crossing_z + 2:
                if plan.crossing_z + 2 - z > 2.5:
                    stretches.append((z, plan.crossing_z + 2, kind))
                z = plan.crossing_z + 11.5
                continue
            stretches.append((z, end, kind))
            z = end
        kinds[side] = stretches[::-1]
    return kinds


def _roadside(canvas: Canvas, plan: Plan, rng: np.random.Generator, kinds: dict[float, list[Stretch]]) -> None:
    camera = plan.camera
    for side in (-1.0, 1.0):
        walk = plan.road_left - plan.walk_left if side < 0 else plan.road_right + plan.walk_right
        walk += side * (plan.verge_left if side < 0 else plan.verge_right)
        strips = kinds[side]
        for z0, z1, kind in strips:
            if kind == "building":
                setback = rng.uniform(0, 0.6) if rng.random() < 0.6 else rng.uniform(1.5, 4.5)  # a front garden
                scenery.building(canvas, camera, rng, walk + side * setback, z0, z1, lit=plan.lit)
                continue
            behind = walk + side * (rng.uniform(9.0, 18.0) if kind == "park" else rng.uniform(4.0, 7.0))
            if rng.random() < 0.75:
                scenery.hedge(canvas, camera, rng, behind, z0, z1, rng.uniform(2.5, 6.5))
            else:
                scenery.building(canvas, camera, rng, behind + side * 5, z0, z1, lit=plan.lit)
            for z in sorted(rng.uniform(z0 + 0.5, z1, int(rng.integers(0, 3))), reverse=True):
                scenery.tree(canvas, camera, rng, walk + side * rng.uniform(1.5, 4.0), max(z, 4.5))
            if kind == "wall":
                scenery.wall(canvas, camera, rng, walk + side * 0.3, z0, z1)
            elif kind == "fence":
                scenery.fence(canvas, camera, rng, walk + side * (0.3 if rng.random() < 0.6 else 1.6), z0, z1)


def _ego(canvas: Canvas, rng: np.random.Generator) -> None:
    """The bonnet of our own car and the dark rim of the rectified frame: void classes."""
    if rng.random() < 0.7:
        high = canvas.height * rng.uniform(0.05, 0.12)
        with canvas.item("ego vehicle", grain=0.01, blotch=0.02):
            middle = canvas.width * rng.uniform(0.47, 0.53)
            points = ellipse_points((middle, canvas.height + 4), (canvas.width * 0.55, high + 4))
            canvas.polygon(points, (40, 42, 46))
            shine = ellipse_points((middle, canvas.height + 3), (canvas.width * 0.42, high))
            canvas.polygon(shine, (64, 67, 72), claim=False)
            dent = ellipse_points((middle, canvas.height + 4), (canvas.width * 0.3, high * 0.8))
            canvas.polygon(dent, (50, 52, 57), claim=False)
    with canvas.item("out of roi", grain=0.0):
        canvas.polygon(rectangle(0, canvas.height - 1, canvas.width, canvas.height), (8, 8, 8))


def street(rng: np.random.Generator, width: int, height: int, *, ego: bool = True) -> tuple[Canvas, np.ndarray]:
    """Return the painted canvas and the RGB picture (height, width, 3) uint8 of one street scene.

    `ego` adds our own bonnet and the rim of the rectified frame.
    """
    plan = plan_street(rng, width, height)
    canvas = Canvas(width, height, (150, 150, 150))
    kinds = _segments(plan, rng)
    _sky(canvas, plan, rng)
    scenery.skyline(canvas, plan.camera, rng, FAR_M, lit=plan.lit)
    _ground(canvas, plan, rng, kinds)
    _roadside(canvas, plan, rng, kinds)
    Traffic(plan, rng).paint(canvas)
    if ego:
        _ego(canvas, rng)
    return canvas, canvas.picture(rng, **_light(plan, rng, height))


def _light(plan: Plan, rng: np.random.Generator, height: int) -> dict[str, Any]:
    light: dict[str, Any] = {
        "ground_depth": plan.camera.ground_depth(height),
        "noise": rng.uniform(1.0, 4.0),
        "blur_px": rng.uniform(0.0, 0.55),
        "visibility_m": rng.uniform(250, 600),
        "fog_colour": (196, 208, 222),
    }
    brightness = rng.uniform(0.85, 1.12)
    tint = (1.0, 1.0, 1.0)
    if plan.weather == "overcast":
        brightness, tint = rng.uniform(0.78, 0.95), (0.98, 1.0, 1.03)
    elif plan.weather == "dusk":
        brightness, tint = rng.uniform(0.5, 0.68), (1.06, 0.95, 0.98)
        light["fog_colour"] = (150, 120, 120)
        light["noise"] = rng.uniform(2.5, 5.0)
    elif plan.weather == "fog":
        light["visibility_m"], light["fog_colour"] = rng.uniform(28, 60), (204, 208, 212)
    light["gain"] = tuple(brightness * channel * rng.uniform(0.96, 1.04) for channel in tint)
    return light
