"""What stands and moves on a street: vehicles, riders, people, posts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks.synthetic.raster.canvas import Canvas
from benchmarks.synthetic.raster.prisms import Placement
from benchmarks.synthetic.scenes import scenery
from benchmarks.synthetic.scenes.streets.figures import passer_by
from benchmarks.synthetic.scenes.streets.riders import rider
from benchmarks.synthetic.scenes.streets.street_plan import Plan
from benchmarks.synthetic.scenes.things import vehicles
from benchmarks.synthetic.scenes.things.two_wheelers import bicycle, motorcycle

_VEHICLES: dict[str, Callable[..., None]] = {"car": vehicles.car, "truck": vehicles.truck, "bus": vehicles.bus}


class Traffic:
    """Collects what is to be painted, with its depth; `paint` then goes from the back to the front."""

    def __init__(self, plan: Plan, rng: np.random.Generator) -> None:
        self.plan, self.rng = plan, rng
        self.things: list[tuple[float, Callable[[Canvas], None]]] = []
        self._lanes()
        self._tram()
        self._parked()
        self._crossing()
        self._people()
        self._posts()

    def paint(self, canvas: Canvas) -> None:
        """Paint everything, the farthest first."""
        for _, draw in sorted(self.things, key=lambda thing: -thing[0]):
            draw(canvas)

    def _add(self, z: float, draw: Callable[..., None], *where: object, **how: object) -> None:
        self.things.append((z, lambda canvas: draw(canvas, self.plan.camera, *where, **how)))

    def _vehicle(self, kind: str, at: Placement) -> None:
        self._add(at.z, _VEHICLES[kind], at, self.rng, glow=self.plan.lit)

    def _two_wheeler(self, at: Placement, *, motor: bool, ridden: bool) -> None:
        if motor:
            self._add(at.z, motorcycle, at, self.rng, glow=self.plan.lit and ridden)
        else:
            self._add(at.z, bicycle, at, self.rng)
        if ridden:  # added later at the same depth: painted over its machine
            self._add(at.z, rider, at, self.rng, motor=motor)

    def _queue(self, near: float, far: float, gap: tuple[float, float]) -> list[float]:
        """Depths from near to far with random gaps that grow with the distance."""
        places, z = [], near + self.rng.uniform(0, gap[1] - gap[0])
        while z < far:
            places.append(float(z))
            z += self.rng.uniform(*gap) * (1 + z / 50)
        return places

    def _lanes(self) -> None:
        """Moving traffic: our lane ahead and the oncoming lane."""
        plan, rng = self.plan, self.rng
        right = plan.road_right - rng.uniform(1.6, 2.2)
        left = max(plan.road_left, -6.6) + rng.uniform(1.4, 2.0) if plan.tram_x is None else right - 3.4
        for x, yaw, near in ((right, 0.0, 11.0), (left, np.pi, 8.5)):
            for z in self._queue(near, 45, (9.0, 26.0)):
                draw = rng.random()
                heading = yaw + rng.uniform(-0.04, 0.04)
                aside = x + rng.uniform(-0.25, 0.25)
                if draw < 0.32:
                    self._vehicle("car", Placement(aside, z + 2, heading))
                elif draw < 0.47:
                    self._vehicle("truck", Placement(aside, z + 6, yaw))
                elif draw < 0.69:
                    self._vehicle("bus", Placement(aside, z + 7, yaw))
                else:
                    at = Placement(aside, z * 0.65 + 1.0, yaw)
                    self._two_wheeler(at, motor=bool(rng.random() < 0.5), ridden=True)

    def _tram(self) -> None:
        if self.plan.tram_x is None:
            return
        for z in self._queue(9.0, 45, (28.0, 50.0))[:1]:
            at = Placement(self.plan.tram_x, z + 8, np.pi if self.rng.random() < 0.6 else 0.0)
            self._add(at.z - 6, vehicles.tram, at, self.rng, glow=self.plan.lit)

    def _parked(self) -> None:
        rng = self.rng
        for side, x in ((1.0, self.plan.road_right - 0.2), (-1.0, self.plan.road_left + 0.5)):
            if (side < 0 and self.plan.tram_x is not None) or rng.random() > 0.62:
                continue
            for z in self._queue(7.5, 38, (5.2, 10.0)):
                draw = rng.random()
                yaw = (0.0 if side > 0 else np.pi) + rng.uniform(-0.05, 0.05)
                if draw < 0.62:
                    self._vehicle("car", Placement(x, z, yaw))
                elif draw < 0.70:
                    self._vehicle("truck", Placement(x, z + 2, yaw))
                else:
                    at = Placement(x, z * 0.8, yaw + rng.uniform(-1.2, 1.2))
                    self._two_wheeler(at, motor=bool(rng.random() < 0.6), ridden=False)

    def _crossing(self) -> None:
        """Something crosses our way, at the side street if there is one."""
        plan, rng = self.plan, self.rng
        if rng.random() > 0.45:
            return
        x = rng.uniform(plan.road_left, plan.road_right)
        yaw = np.pi / 2 * rng.choice((-1, 1)) + rng.uniform(-0.3, 0.3)
        draw = rng.random()
        if plan.crossing_z is not None and draw < 0.5:
            self._vehicle(("car", "truck", "bus")[rng.integers(3)], Placement(x, plan.crossing_z + 5.5, yaw))
        else:
            self._two_wheeler(Placement(x, 5.5 + 9 * draw, yaw), motor=bool(rng.random() < 0.5), ridden=True)

    def _people(self) -> None:
        """People and parked bicycles on the pavements, people on the crossing."""
        plan, rng = self.plan, self.rng
        for side, edge, walk in ((-1.0, plan.road_left, plan.walk_left), (1.0, plan.road_right, plan.walk_right)):
            for z in self._queue(3.6, 28, (2.2, 9.0)):
                x = edge + side * rng.uniform(0.5, max(walk - 0.3, 0.8))
                draw = rng.random()
                if draw < 0.70:
                    self._add(z, passer_by, x, z, rng)
                elif draw < 0.88:
                    self._two_wheeler(Placement(x, z, rng.uniform(-2.6, 2.6)), motor=False, ridden=False)
                else:
                    self._add(z, scenery.bin_or_box, rng, x, z)
        if rng.random() < 0.5:
            middle = plan.crossing_z + 1.5 if plan.crossing_z is not None else rng.uniform(7, 16)
            for _ in range(int(rng.integers(1, 5))):
                x, z = rng.uniform(plan.road_left, plan.road_right), middle + rng.uniform(-1, 1)
                self._add(z, passer_by, x, z, rng)

    def _posts(self) -> None:
        plan, rng = self.plan, self.rng
        for side, edge in ((-1.0, plan.road_left), (1.0, plan.road_right)):
            x = edge + side * 0.35
            for z in self._queue(5.0, 38, (5.0, 13.0)):
                draw = rng.random()
                if draw < 0.24:
                    self._add(z, partial(scenery.lamp_post, lit=plan.lit), rng, x, z + 2)
                elif draw < 0.60:
                    self._add(z, scenery.traffic_light, rng, x, z, overhead=bool(rng.random() < 0.35))
                elif draw < 0.92:
                    self._add(z, scenery.traffic_sign, rng, x, z)
                else:
                    self._add(z, scenery.tree, rng, x + side * 0.6, z + 3)
