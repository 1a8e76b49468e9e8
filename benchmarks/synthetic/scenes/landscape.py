"""What landscapes are made of: sky, ground, mountains, trees, rocks, logs, fences, animals, people.

Every painter takes the `View` that it paints into; places are metres on the ground.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.synthetic.people.people import sample_person
from benchmarks.synthetic.raster.camera import Camera
from benchmarks.synthetic.raster.canvas import Canvas, Colour, blob, inset, shade_colour
from benchmarks.synthetic.scenes import scenery
from benchmarks.synthetic.scenes.streets.figures import figure
from benchmarks.synthetic.scenes.things import furniture
from benchmarks.synthetic.scenes.things.animals import HEIGHT_M, animal
from benchmarks.synthetic.scenes.things.everyday import EVERYDAY

_SKIES = (((92, 148, 220), (200, 220, 238)), ((178, 184, 192), (216, 218, 220)), ((120, 140, 190), (238, 190, 150)))


@dataclass
class View:
    """What the painters of a landscape share; `things` collects (depth, paint) to be painted from the back to the front."""

    canvas: Canvas
    camera: Camera
    rng: np.random.Generator
    things: list[tuple[float, Callable[[], object]]]

    def foot(self, x: float, z: float) -> np.ndarray:
        """The pixel (2,) of a point on the ground."""
        return self.camera.project(np.array([x, 0.0, z]))

    def spread(self, z: float, share: float = 0.9) -> float:
        """A random x that is in the picture at depth z."""
        half = 0.5 * self.canvas.width / self.camera.scale(z)
        return float(self.rng.uniform(-share, share) * half)

    def add(self, z: float, paint: Callable[..., object], *where: object, **how: object) -> None:
        """Have `paint(*where, **how)` called when its depth's turn comes."""
        self.things.append((z, partial(paint, *where, **how)))

    def finish(self) -> None:
        """Paint what was added, the farthest first."""
        for _, paint in sorted(self.things, key=lambda thing: -thing[0]):
            paint()


def sky(view: View) -> None:
    """Paint the sky down to the horizon, with clouds."""
    top, low = _SKIES[view.rng.integers(len(_SKIES))]
    with view.canvas.item("sky", grain=0.004, blotch=0.015):
        view.canvas.vertical_gradient(top, low, 0, view.camera.horizon_y_px + 3)
        for _ in range(int(view.rng.integers(0, 4))):
            x, y = view.rng.uniform(0, view.canvas.width), view.rng.uniform(0, view.camera.horizon_y_px * 0.7)
            for _ in range(3):
                at = (x + view.rng.uniform(-16, 16), y + view.rng.uniform(-3, 3))
                view.canvas.ellipse(at, (view.rng.uniform(8, 20), view.rng.uniform(2, 6)), (244, 246, 248))


def ground(view: View, label: str, colour: Colour, *, grain: float = 0.08, blotch: float = 0.1) -> None:
    """Paint the whole ground as `label`, before anything stands on it."""
    with view.canvas.item(label, depth=-1, grain=grain, blotch=blotch):
        view.canvas.vertical_gradient(
            shade_colour(colour, 1.05), shade_colour(colour, 0.92), view.camera.horizon_y_px, view.canvas.height
        )


def mountains(view: View, *, white: bool) -> None:
    """Paint two ranges of mountains; the higher peaks, or with `white` all, carry snow."""
    rng, canvas, horizon = view.rng, view.canvas, view.camera.horizon_y_px
    for share in (1.0, 0.6):
        colour = shade_colour(
            ((120, 128, 146), (104, 116, 104), (134, 124, 120))[rng.integers(3)], 1.1 if share == 1.0 else 0.85
        )
        count = int(rng.integers(4, 8))
        x = np.sort(rng.uniform(-0.1, 1.1, 2 * count + 1)) * canvas.width
        x[0], x[-1] = -5, canvas.width + 5
        lift = (
            np.where(np.arange(len(x)) % 2, rng.uniform(0.35, 0.8, len(x)), rng.uniform(0.05, 0.3, len(x)))
            * horizon
            * share
        )
        ridge = np.stack([x, horizon - lift], 1)
        with canvas.item("mountain", depth=60.0, grain=0.05, blotch=0.08):
            canvas.polygon(np.concatenate([ridge, [[canvas.width + 5, horizon + 3], [-5, horizon + 3]]]), colour)
            for k in range(1, len(x) - 1, 2):
                peak = ridge[k]
                foot = horizon - peak[1]
                canvas.polygon(
                    np.array([peak, ridge[k + 1], peak + np.array([0.05 * foot, 0.9 * foot])]),
                    shade_colour(colour, 0.8),
                )
                if white or lift[k] > 0.5 * horizon:
                    left, right = peak + (ridge[k - 1] - peak) * 0.3, peak + (ridge[k + 1] - peak) * 0.3
                    canvas.polygon(np.array([peak, right, peak + np.array([0, 0.22 * foot]), left]), (240, 242, 246))


def tree(view: View, x: float, z: float) -> None:
    """Paint a broad-leaved tree or a fir."""
    rng, canvas = view.rng, view.canvas
    if rng.random() < 0.6:
        scenery.tree(canvas, view.camera, rng, x, z, label="tree")
        return
    scale, foot, high = view.camera.scale(z), view.foot(x, z), rng.uniform(4, 8)
    leaf = shade_colour((44, 84, 54), rng.uniform(0.8, 1.2))
    with canvas.item("tree", depth=z, grain=0.14, blotch=0.1):
        canvas.polygon(np.array([[-0.12, 0], [0.12, 0], [0.1, -1.2], [-0.1, -1.2]]) * scale + foot, (84, 62, 46))
        for k in range(4):
            low, half = 0.8 + k * high * 0.2, high * (0.26 - 0.05 * k)
            tier = np.array([[-half, -low], [half, -low], [0, -low - high * 0.34]]) * scale + foot
            canvas.polygon(tier, shade_colour(leaf, 0.85 + 0.12 * k))


def rock(view: View, x: float, z: float) -> None:
    """Paint a boulder."""
    size = view.rng.uniform(0.4, 1.0) * view.camera.scale(z)
    foot, grey = view.foot(x, z), shade_colour((134, 130, 124), view.rng.uniform(0.75, 1.1))
    view.canvas.shadow(foot, (1.1 * size, 0.2 * size), 0.4)
    with view.canvas.item("rock", depth=z, grain=0.1, blotch=0.12):
        outline = blob(view.rng, foot - np.array([0, 0.42 * size]), (size, 0.55 * size), 0.12)
        outline[:, 1] = np.minimum(outline[:, 1], foot[1])
        view.canvas.polygon(outline, grey)
        view.canvas.polygon(
            (outline - foot) * (0.75, 0.6) + foot - np.array([0.1 * size, 0.35 * size]), shade_colour(grey, 1.22)
        )


def logs(view: View, x: float, z: float) -> None:
    """A pile of sawn logs: the class `wood`."""
    scale, foot = view.camera.scale(z), view.foot(x, z)
    radius = 0.2 * scale
    view.canvas.shadow(foot, (1.1 * scale, 0.16 * scale), 0.45)
    with view.canvas.item("wood", depth=z, grain=0.05, blotch=0.06):
        for row, count in enumerate((5, 4, 3)):
            for k in range(count):
                centre = foot + np.array([(k - (count - 1) / 2) * 2.05 * radius, -radius - row * 1.75 * radius])
                view.canvas.ellipse(centre, (radius, radius), (96, 66, 44))
                view.canvas.ellipse(centre, (0.82 * radius, 0.82 * radius), (214, 170, 112))
                view.canvas.ellipse(centre, (0.45 * radius, 0.45 * radius), (186, 138, 84))


def person(view: View, x: float, z: float, action: str | None = None) -> None:
    """Draw a new person; `action` as in `sample_person`."""
    figure(view.canvas, sample_person(view.rng, action=action), tuple(view.foot(x, z)), view.camera.scale(z), depth=z)


def animals(view: View, kinds: tuple[str, ...], count: int) -> None:
    """Add `count` animals of one kind, drawn out of `kinds`."""
    kind = str(view.rng.choice(kinds))
    for _ in range(count):
        z = view.rng.uniform(3.2, 10.0) * (0.5 + 0.5 * HEIGHT_M[kind])
        x = view.spread(z)
        size = HEIGHT_M[kind] * view.camera.scale(z)
        view.add(z, animal, view.canvas, view.rng, kind, view.foot(x, z), size, depth=z)


def fence(view: View, z: float) -> None:
    """A rail fence across the picture."""
    camera, canvas = view.camera, view.canvas
    wood = furniture.pick(view.rng, furniture.WOODS)
    half = 0.6 * canvas.width / camera.scale(z)
    with canvas.item("fence", depth=z, grain=0.04, blotch=0.05):
        canvas.claim(camera.facing(-half, half, z, 0.1, 1.15))
        for low in (0.25, 0.6, 0.95):
            canvas.polygon(camera.facing(-half, half, z, low, low + 0.14), wood)
        for x in np.arange(-half, half, 1.5):
            canvas.polygon(camera.facing(x, x + 0.16, z, 0.0, 1.25), shade_colour(wood, 0.8))


def repeat(
    view: View, near: float, far: float, most: int, paint: Callable[[View, float, float], None], least: int = 0
) -> None:
    """Add between `least` and `most` things at places drawn out of the depths `near` to `far`."""
    for _ in range(int(view.rng.integers(least, most + 1))):
        z = float(view.rng.uniform(near, far))
        x = view.spread(z, 1.0)
        view.add(z, paint, view, x, z)


def flowers(view: View, x: float, z: float) -> None:
    """Paint a clump of flowers."""
    EVERYDAY["flower"](view.canvas, view.rng, view.foot(x, z), 0.6 * view.camera.scale(z), depth=z)


def birds(view: View) -> None:
    """Add birds in the air."""
    for _ in range(int(view.rng.integers(1, 4))):
        at = (view.rng.uniform(0.1, 0.9) * view.canvas.width, view.rng.uniform(0.15, 0.9) * view.camera.horizon_y_px)
        size = view.rng.uniform(0.1, 0.2) * view.canvas.height
        view.add(5.0, animal, view.canvas, view.rng, "bird", at, size)


def board(view: View, x: float, z: float) -> None:
    """A name board on two posts: the class `sign`."""
    paint: Colour = ((30, 70, 150), (30, 110, 70), (200, 40, 40), (240, 240, 236))[view.rng.integers(4)]
    with view.canvas.item("sign", instance=True, depth=z, grain=0.01):
        for side in (-0.6, 0.6):
            view.canvas.polygon(view.camera.facing(x + side - 0.05, x + side + 0.05, z, 0.0, 1.6), (80, 82, 86))
        board = view.camera.facing(x - 0.9, x + 0.9, z, 1.4, 2.1)
        view.canvas.polygon(board, (244, 244, 242))
        view.canvas.polygon(inset(board, 0.03, 0.08, 0.97, 0.92), paint)
        text = (240, 240, 240) if sum(paint) < 600 else (30, 30, 30)
        for k in range(5):
            view.canvas.polygon(inset(board, 0.14 + 0.15 * k, 0.34, 0.25 + 0.15 * k, 0.68), text)
