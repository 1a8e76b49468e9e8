"""What lines a street: houses, walls, fences, trees, hedges, poles, lights and signs."""

from __future__ import annotations

import numpy as np

from benchmarks.synthetic.raster.camera import Camera
from benchmarks.synthetic.raster.canvas import Canvas, Colour, blob, inset, rectangle, shade_colour

PLASTER = (
    (196, 178, 150), (168, 110, 88), (206, 196, 178), (150, 140, 132), (184, 152, 116), (140, 92, 74), (214, 206, 190),
    (172, 164, 158), (190, 166, 140), (124, 116, 112),
)  # fmt: skip
_ARROW = np.array([[0, -0.62], [0.45, -0.05], [0.17, -0.05], [0.17, 0.6], [-0.17, 0.6], [-0.17, -0.05], [-0.45, -0.05]])
LEAVES = ((66, 104, 44), (52, 92, 50), (88, 116, 48), (74, 110, 62), (46, 80, 40))


def _pane(x: float, z0: float, z1: float, y0: float, y1: float) -> list[list[float]]:
    return [[x, y0, z1], [x, y0, z0], [x, y1, z0], [x, y1, z1]]


def building(
    canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z0: float, z1: float, *, lit: bool
) -> None:
    """Paint a house front along the road at x between depths z0 and z1, with windows, doors, shops and its gable end."""
    paint = shade_colour(PLASTER[rng.integers(len(PLASTER))], rng.uniform(0.8, 1.05))
    light = 1.0 if x > 0 else 0.84
    storeys = int(rng.integers(2, 6))
    storey_m = rng.uniform(2.9, 3.5)
    high = storeys * storey_m + 0.8
    depth = 0.5 * (z0 + z1)
    pane: Colour = shade_colour((70, 82, 98), rng.uniform(0.7, 1.3))
    with canvas.item("building", depth=depth, grain=0.035, blotch=0.05):
        outward = x + np.sign(x) * 7.0
        gable = camera.facing(x, outward, z0, 0.0, high)
        canvas.polygon(gable, shade_colour(paint, 0.78))
        front = camera.upright(x, z0, z1, 0.0, high)
        canvas.polygon(front, shade_colour(paint, light))
        canvas.polygon(camera.upright(x, z0, z1, high - 0.5, high), shade_colour(paint, 0.6 * light))
        if rng.random() < 0.6:
            tiles = ((96, 54, 44), (74, 68, 70), (110, 70, 52))[rng.integers(3)]
            ridge = x + np.sign(x) * 3.5
            slope = np.array([[x, high, z0], [x, high, z1], [ridge, high + 2.6, z1], [ridge, high + 2.6, z0]])
            canvas.polygon(camera.project(slope), tiles)
            peak = np.array([[x, high, z0], [ridge, high + 2.6, z0], [2 * ridge - x, high, z0]])
            canvas.polygon(camera.project(peak), shade_colour(paint, 0.78))
        shop = rng.random() < 0.45
        canvas.polygon(camera.upright(x, z0, z1, 0.0, 0.7), shade_colour(paint, 0.62 * light))
        columns = max(2, round((z1 - z0) / rng.uniform(2.0, 2.8)))
        edges = np.linspace(z0, z1, columns + 1)
        gap, wide = 0.24 * (edges[1] - edges[0]), rng.uniform(0.5, 0.62)
        dark: list[list[list[float]]] = []
        bright: list[list[list[float]]] = []
        frames: list[list[list[float]]] = []
        for floor in range(1 if shop else 0, storeys):
            low = 0.9 + floor * storey_m
            for a, b in zip(edges[:-1], edges[1:], strict=True):
                (bright if lit and rng.random() < 0.35 else dark).append(
                    _pane(x, a + gap, b - gap, low, low + wide * storey_m)
                )
                frames.append(_pane(x, a + 0.8 * gap, b - 0.8 * gap, low - 0.16, low + 0.02))
        if frames:
            canvas.polygon(camera.project(np.array(frames)), shade_colour(paint, 1.22 * light))
        for group, colour in ((dark, pane), (bright, (250, 214, 130))):
            if group:
                canvas.polygon(camera.project(np.array(group)), colour)
        if shop:
            canvas.polygon(
                camera.upright(x, z0 + 0.4, z1 - 0.4, 0.5, 2.4), (238, 206, 140) if lit else shade_colour(pane, 0.85)
            )
            band = ((150, 40, 40), (40, 80, 120), (60, 90, 50), (200, 180, 60))[rng.integers(4)]
            canvas.polygon(camera.upright(x, z0 + 0.4, z1 - 0.4, 2.45, 3.0), shade_colour(band, light))
        else:
            door = z0 + (z1 - z0) * rng.uniform(0.2, 0.7)
            canvas.polygon(camera.upright(x, door, door + 1.1, 0.0, 2.2), shade_colour((84, 54, 38), light))


def wall(canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z0: float, z1: float) -> None:
    """Paint a free-standing concrete or stone wall along the road: courses, joints, a coping."""
    high = rng.uniform(1.9, 3.0)
    paint = ((148, 146, 158), (158, 154, 150), (136, 138, 150))[rng.integers(3)]
    light = 1.0 if x > 0 else 0.88
    with canvas.item("wall", depth=0.5 * (z0 + z1), grain=0.03, blotch=0.1):
        canvas.polygon(camera.facing(x, x + np.sign(x) * 0.4, z0, 0.0, high), shade_colour(paint, 0.75))
        canvas.polygon(camera.upright(x, z0, z1, 0.0, high), shade_colour(paint, light))
        for low in np.arange(0.45, high, 0.45):
            canvas.polygon(camera.upright(x, z0, z1, low, low + 0.06), shade_colour(paint, 0.68 * light))
        for z in np.arange(z0 + 1.0, z1, 1.5):
            canvas.polygon(camera.upright(x, z, z + 0.09, 0.0, high), shade_colour(paint, 0.66 * light))
        canvas.polygon(camera.upright(x, z0, z1, high - 0.22, high), shade_colour(paint, 1.25 * light))


def fence(canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z0: float, z1: float) -> None:
    """Paint a picket or bar fence along the road; it claims its gaps as the Cityscapes labels do."""
    high = rng.uniform(1.5, 2.1)
    paint = ((226, 222, 212), (150, 96, 56), (178, 120, 76), (238, 236, 230))[rng.integers(4)]
    with canvas.item("fence", depth=0.5 * (z0 + z1), grain=0.02, blotch=0.03):
        canvas.claim(camera.upright(x, z0, z1, 0.0, high))
        step = rng.uniform(0.28, 0.4)
        starts = np.arange(z0, z1 - 0.1, step)
        bars = np.array(
            [[[x, 0.05, z], [x, 0.05, z + 0.55 * step], [x, high, z + 0.55 * step], [x, high, z]] for z in starts]
        )
        canvas.polygon(camera.project(bars), paint)
        for low in (0.35, high - 0.4):
            canvas.polygon(camera.upright(x, z0, z1, low, low + 0.13), shade_colour(paint, 0.78))


def tree(
    canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z: float, *, label: str = "vegetation"
) -> None:
    """Paint a tree: a trunk and a crown of overlapping leaf masses, lit from above."""
    high = rng.uniform(4.5, 9.0)
    scale = camera.scale(z)
    foot = camera.project(np.array([x, 0.0, z]))
    leaf = shade_colour(LEAVES[rng.integers(len(LEAVES))], rng.uniform(0.85, 1.15))
    spread = high * rng.uniform(0.26, 0.38) * scale
    canvas.shadow(foot, (spread * 0.8, 0.12 * spread), 0.35)
    with canvas.item(label, depth=z, grain=0.16, blotch=0.14):
        width = max(0.14, 0.035 * high) * scale
        trunk = rectangle(foot[0] - width, foot[1] - 0.55 * high * scale, foot[0] + width, foot[1])
        canvas.polygon(trunk, (82, 64, 48))
        centre = foot - [0, 0.68 * high * scale]
        for share, light in ((0.0, 0.62), (0.35, 0.85), (0.7, 1.08)):
            for _ in range(4 if z < 25 else 2):
                at = (
                    centre
                    + rng.uniform(-0.42, 0.42, 2) * spread
                    - [0.12 * share * spread, (share - 0.2) * 0.5 * spread]
                )
                size = spread * rng.uniform(0.5, 0.72) * (1 - 0.35 * share)
                canvas.polygon(blob(rng, at, (size, size * 0.9), 0.1), shade_colour(leaf, light))


def hedge(
    canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z0: float, z1: float, high: float
) -> None:
    """Paint a bank of bushes or trees along the road with an uneven top."""
    leaf = shade_colour(LEAVES[rng.integers(len(LEAVES))], rng.uniform(0.8, 1.1))
    z = np.geomspace(max(z0, 1.0), z1, 16)
    top = high * (1 + 0.16 * rng.standard_normal(16))
    ridge = camera.project(np.stack([np.full(16, x), top, z], -1))
    base = camera.project(np.stack([np.full(16, x), np.zeros(16), z], -1))
    inner = camera.project(np.stack([np.full(16, x), top * 0.55, z], -1))
    with canvas.item("vegetation", depth=0.5 * (z0 + z1), grain=0.16, blotch=0.16):
        canvas.polygon(camera.facing(x, x + np.sign(x) * 5, max(z0, 1.0), 0, high), shade_colour(leaf, 0.75))
        canvas.polygon(np.concatenate([ridge, base[::-1]]), leaf)
        canvas.polygon(np.concatenate([inner, base[::-1]]), shade_colour(leaf, 0.72))
        for k in rng.integers(0, 16, 8):
            size = 0.3 * high * camera.scale(float(z[k]))
            at = base[k] + (ridge[k] - base[k]) * rng.uniform(0.4, 0.95)
            canvas.polygon(blob(rng, at, (size, size * 0.7), 0.12), shade_colour(leaf, rng.uniform(0.9, 1.25)))


def skyline(canvas: Canvas, camera: Camera, rng: np.random.Generator, z: float, *, lit: bool) -> None:
    """Close the view at depth z with distant houses and trees."""
    x = -70.0
    while x < 70.0:
        wide, high = rng.uniform(6, 16), rng.uniform(4, 15)
        if rng.random() < 0.45:
            with canvas.item("vegetation", depth=z, grain=0.1, blotch=0.1):
                for _ in range(4):
                    at = camera.project(np.array([x + rng.uniform(0, wide), 0.35 * high, z]))
                    size = camera.scale(z) * high * 0.5
                    canvas.polygon(
                        blob(rng, at, (size * 1.3, size), 0.1), shade_colour(LEAVES[rng.integers(len(LEAVES))], 0.85)
                    )
        else:
            paint = shade_colour(PLASTER[rng.integers(len(PLASTER))], 0.85)
            with canvas.item("building", depth=z, grain=0.03, blotch=0.05):
                quad = camera.facing(x, x + wide, z, -0.5, high)
                canvas.polygon(quad, paint)
                panes = [inset(quad, u, v, u + 0.12, v + 0.12) for u in (0.12, 0.37, 0.62) for v in (0.2, 0.42, 0.64)]
                on = rng.random(len(panes)) < (0.4 if lit else 0.0)
                for group, colour in ((on, (240, 206, 130)), (~on, (84, 92, 106))):
                    canvas.polygon(np.array(panes)[group], colour)
        x += wide * rng.uniform(0.8, 1.1)


def _post(
    canvas: Canvas, camera: Camera, x: float, z: float, high: float, width_m: float, colour: Colour
) -> tuple[np.ndarray, float]:
    """Paint a post as an item of its own and return its top (2,) and the scale there."""
    foot, top = camera.project(np.array([[x, 0.0, z], [x, high, z]]))
    scale = camera.scale(z)
    half = max(width_m * scale / 2, 0.9)
    with canvas.item("pole", depth=z, grain=0.015, blotch=0.02):
        canvas.polygon(rectangle(foot[0] - half, top[1], foot[0] + half, foot[1]), colour)
        canvas.polygon(
            rectangle(foot[0] - half, top[1], foot[0] - half * 0.2, foot[1]), shade_colour(colour, 1.35), claim=False
        )
    return top, scale


def lamp_post(canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z: float, *, lit: bool) -> None:
    """Paint a street lamp: a tall post with an arm towards the road."""
    high = rng.uniform(5.5, 7.5)
    top, scale = _post(canvas, camera, x, z, high, 0.24, (112, 116, 118))
    reach = -np.sign(x) * 1.5 * scale
    with canvas.item("pole", depth=z, grain=0.015):
        canvas.line(np.array([top, top + np.array([reach, -0.3 * scale])]), max(0.14 * scale, 0.9), (112, 116, 118))
        head = top + np.array([reach, -0.26 * scale])
        canvas.ellipse(
            head, (max(0.4 * scale, 0.8), max(0.13 * scale, 0.5)), (255, 236, 180) if lit else (190, 192, 190)
        )


def traffic_light(
    canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z: float, *, overhead: bool
) -> None:
    """Paint a traffic light: dark housing, one lamp on; on its post or also hanging over the road."""
    high = 5.2 if overhead else rng.uniform(3.0, 3.6)
    top, scale = _post(canvas, camera, x, z, high, 0.22, (86, 90, 92))
    places = [top + np.array([0, (0.75 if not overhead else 2.6) * scale])]
    if overhead:
        reach = -np.sign(x) * rng.uniform(2.8, 4.2) * scale
        with canvas.item("pole", depth=z, grain=0.015):
            canvas.line(np.array([top, top + np.array([reach, 0])]), max(0.16 * scale, 1.0), (86, 90, 92))
        places.append(top + np.array([reach, 0.5 * scale]))
    on = int(rng.integers(3))
    for place in places:
        w, h = max(0.30 * scale, 1.6), max(0.78 * scale, 3.6)
        with canvas.item("traffic light", depth=z, grain=0.01, blotch=0.01):
            canvas.polygon(rectangle(place[0] - w, place[1] - h, place[0] + w, place[1] + h), (210, 190, 60))
            housing = rectangle(place[0] - 0.84 * w, place[1] - 0.94 * h, place[0] + 0.84 * w, place[1] + 0.94 * h)
            canvas.polygon(housing, (18, 20, 20))
            for k, colour in enumerate(((255, 40, 30), (255, 196, 40), (50, 240, 110))):
                centre = (place[0], place[1] + (k - 1) * 0.6 * h)
                radius = 0.62 * w * (1.15 if k == on else 0.9)
                canvas.ellipse(centre, (radius, radius), colour if k == on else shade_colour(colour, 0.24))


def traffic_sign(canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z: float) -> None:
    """Paint a sign on its post: ban, warning, priority, order, stop, or a large blue direction board."""
    kind = int(rng.integers(6))
    if kind == 5:
        z += 6.0
    high = 4.4 if kind == 5 else rng.uniform(2.4, 2.9)
    top, scale = _post(canvas, camera, x, z, high, 0.18, (142, 146, 148))
    size = max((0.95 if kind == 5 else 0.58) * scale, 2.4)
    cx, cy = top[0], top[1] + 0.4 * size
    corners = np.deg2rad(np.arange(22.5, 382, 45))
    with canvas.item("traffic sign", depth=z, grain=0.008, blotch=0.01):
        if kind == 0:  # ban or speed limit
            canvas.ellipse((cx, cy), (size, size), (208, 22, 30))
            canvas.ellipse((cx, cy), (0.7 * size, 0.7 * size), (246, 246, 244))
            canvas.polygon(
                rectangle(cx - 0.35 * size, cy - 0.3 * size, cx - 0.08 * size, cy + 0.3 * size), (30, 30, 30)
            )
            canvas.polygon(
                rectangle(cx + 0.08 * size, cy - 0.3 * size, cx + 0.38 * size, cy + 0.3 * size), (30, 30, 30)
            )
        elif kind == 1:  # warning
            triangle = np.array(
                [[cx, cy - size], [cx + 1.05 * size, cy + 0.8 * size], [cx - 1.05 * size, cy + 0.8 * size]]
            )
            canvas.polygon(triangle, (208, 22, 30))
            canvas.polygon((triangle - [cx, cy + 0.15 * size]) * 0.58 + [cx, cy + 0.15 * size], (248, 246, 240))
        elif kind == 2:  # priority road
            diamond = np.array([[cx, cy - size], [cx + size, cy], [cx, cy + size], [cx - size, cy]])
            canvas.polygon(diamond, (246, 246, 244))
            canvas.polygon((diamond - [cx, cy]) * 0.66 + [cx, cy], (250, 196, 20))
        elif kind == 3:  # order
            canvas.ellipse((cx, cy), (size, size), (24, 86, 190))
            canvas.polygon(_ARROW * size + [cx, cy], (248, 248, 250))
        elif kind == 4:  # stop
            canvas.polygon(np.stack([np.cos(corners), np.sin(corners)], 1) * size + [cx, cy], (204, 20, 28))
            canvas.polygon(
                rectangle(cx - 0.68 * size, cy - 0.2 * size, cx + 0.68 * size, cy + 0.2 * size), (246, 246, 244)
            )
        else:  # direction board
            reach = -np.sign(x) * size * 0.9
            board = rectangle(cx + reach - 1.5 * size, cy - 0.8 * size, cx + reach + 1.5 * size, cy + 0.8 * size)
            canvas.polygon(board, (246, 246, 246))
            canvas.polygon(inset(board, 0.03, 0.05, 0.97, 0.95), (22, 76, 176))
            for v in (0.2, 0.55):
                canvas.polygon(inset(board, 0.12, v, 0.12 + rng.uniform(0.35, 0.7), v + 0.2), (246, 246, 246))


def bin_or_box(canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z: float) -> None:
    """Paint a piece of street clutter (a bin, a cabinet): Cityscapes' void class `static`."""
    high, half = rng.uniform(0.8, 1.3), rng.uniform(0.25, 0.4)
    paint = ((60, 90, 60), (100, 102, 104), (190, 120, 40))[rng.integers(3)]
    with canvas.item("static", depth=z):
        canvas.polygon(camera.facing(x - half, x + half, z, 0, high), paint)
        canvas.polygon(camera.facing(x - half, x + half, z, high - 0.15, high), shade_colour(paint, 0.6))
