"""The plan of a street: its geometry and weather, drawn by lot before anything is painted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.synthetic.raster.camera import Camera

WEATHER = ("day", "overcast", "dusk", "fog")
_WEATHER_ODDS = (0.45, 0.2, 0.2, 0.15)


@dataclass(frozen=True)
class Plan:
    """What was drawn by lot before anything is painted: the street's geometry and its weather."""

    camera: Camera
    weather: str
    road_left: float
    road_right: float
    walk_left: float
    walk_right: float
    verge_left: float
    verge_right: float
    crossing_z: float | None
    tram_x: float | None

    @property
    def lit(self) -> bool:
        return self.weather == "dusk"


def plan_street(rng: np.random.Generator, width: int, height: int) -> Plan:
    """Draw camera, widths, crossing, tram line and weather of one street for a picture of width x height pixels."""
    camera = Camera(
        focal_px=rng.uniform(0.62, 0.92) * width,
        centre_x_px=width * rng.uniform(0.42, 0.58),
        horizon_y_px=height * rng.uniform(0.36, 0.46),
        height_m=rng.uniform(1.35, 2.1),
        bend=rng.uniform(-1, 1) * 0.0035 if rng.random() < 0.6 else 0.0,
    )
    left, right = rng.uniform(4.2, 6.6), rng.uniform(2.6, 4.6)
    tram_x = float(-left + 1.6) if rng.random() < 0.5 else None
    return Plan(
        camera=camera,
        weather=str(rng.choice(WEATHER, p=_WEATHER_ODDS)),
        road_left=-left - (1.2 if tram_x is not None else 0.0),
        road_right=right,
        walk_left=rng.uniform(1.8, 3.6),
        walk_right=rng.uniform(1.8, 3.6),
        verge_left=rng.uniform(2.5, 6.5) if rng.random() < 0.4 else 0.0,
        verge_right=rng.uniform(2.5, 6.5) if rng.random() < 0.4 else 0.0,
        crossing_z=rng.uniform(9, 26) if rng.random() < 0.45 else None,
        tram_x=tram_x,
    )
