"""People that move: a gait of joint angles over time, and walks through a pinhole camera's ground plane."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.synthetic.people.figure.body import Limb, Pose
from benchmarks.synthetic.people.people import Person, sample_person

CYCLE_M = 1.45
"""Metres that a gait cycle, two steps of a grown person, covers."""
FRAMES_PER_S = 12.5
_CAMERA_HEIGHT_M = 1.3


@dataclass(frozen=True)
class Gait:
    """One person's way of walking. Degrees; `sway` are small constant differences of posture."""

    stride: float
    swing: float
    knee: float
    elbow: float
    lean: float
    head_turn: float
    head_nod: float
    arm_out: float

    def pose(self, phase: float) -> Pose:
        """The pose at a phase of the cycle in radians; at 0 the left leg passes the right one, going forward."""
        legs, arms, toes = [], [], []
        for turn in (phase, phase + np.pi):
            forward, swinging = float(np.sin(turn)), max(0.0, float(np.cos(turn)))
            legs.append(Limb(self.stride * forward + 4.0, 2.0, -5.0, 6.0 + self.knee * swinging**1.5))
            arms.append(Limb(-self.swing * forward, self.arm_out, 15.0, self.elbow + 8.0 * max(0.0, -forward)))
            toes.append(20.0 * max(0.0, -forward) - 4.0 * max(0.0, forward))
        return Pose(
            action="walk",
            lean=self.lean,
            bow=2.0,
            spine_twist=-0.3 * self.stride * float(np.sin(phase)),
            head_turn=self.head_turn,
            head_nod=self.head_nod,
            arms=(arms[0], arms[1]),
            legs=(legs[0], legs[1]),
            toes_down=(toes[0], toes[1]),
        )


def sample_gait(rng: np.random.Generator) -> Gait:
    """Draw a way of walking."""
    stride = float(rng.uniform(16, 27))
    return Gait(
        stride=stride,
        swing=float(rng.uniform(0.6, 1.3)) * stride,
        knee=float(rng.uniform(28, 48)),
        elbow=float(abs(rng.normal(18, 10))),
        lean=float(rng.normal(2, 2)),
        head_turn=float(np.clip(rng.normal(0, 15), -40, 40)),
        head_nod=float(np.clip(rng.normal(3, 6), -15, 25)),
        arm_out=float(abs(rng.normal(7, 3))),
    )


@dataclass(frozen=True)
class Camera:
    """A camera 1.3 m above level ground: `focal_px`, the row of its horizon, and where it looks in every frame.

    `shift_px`: (frames, 2), what is added to everything that is seen, the background included (a pan).
    """

    focal_px: float
    horizon_px: float
    middle_px: float
    shift_px: np.ndarray

    def foot(self, x_m: float, z_m: float, frame: int) -> tuple[float, float]:
        """Where a point of the ground is seen, px; x to the right, z away from the camera."""
        dx, dy = self.shift_px[frame]
        across = self.middle_px + self.focal_px * x_m / z_m
        return float(across + dx), float(self.horizon_px + self.focal_px * _CAMERA_HEIGHT_M / z_m + dy)

    def px_per_m(self, z_m: float) -> float:
        """Scale at a distance."""
        return self.focal_px / z_m


@dataclass(frozen=True)
class Walker:
    """A person on a straight path: where it is at frame 0, its heading (yaw: 0 to the viewer, 90 to the right) and speed.

    `speed_m`: metres per frame; somebody who stands has 0 and keeps one pose.
    """

    person: Person
    gait: Gait
    start_m: tuple[float, float]
    speed_m: float
    phase: float

    def place(self, frame: float) -> tuple[float, float]:
        """(x, z) in metres at a frame."""
        angle, way = np.deg2rad(self.person.yaw), self.speed_m * frame
        return float(self.start_m[0] + way * np.sin(angle)), float(self.start_m[1] - way * np.cos(angle))

    def at(self, frame: float) -> Person:
        """The person as it is posed at a frame."""
        if self.speed_m == 0:
            return self.person
        return replace(self.person, pose=self.gait.pose(self.phase + 2 * np.pi * self.speed_m * frame / CYCLE_M))


def sample_walker(
    rng: np.random.Generator, meets: tuple[float, float, float], towards: int, frames: int, stands: bool = False
) -> Walker:
    """Draw somebody who walks past a place at a time.

    Args:
        meets: (x, z, frame): where and when. towards: 1 walks to the picture's right, -1 to its left.
        frames: length of the video; nobody comes nearer than 4 m in it. stands: stays there all the time.
    """
    x, z, when = meets
    if stands:
        person = sample_person(rng, action="stand", yaw=float(rng.normal(0, 20)), pitch=float(rng.normal(4, 2)))
        return Walker(person, sample_gait(rng), (x, z), 0.0, 0.0)
    yaw = towards * float(rng.uniform(20, 50))
    person = sample_person(rng, action="walk", yaw=yaw, pitch=float(rng.normal(4, 2)), age="adult")
    speed = float(rng.uniform(0.9, 1.5)) / FRAMES_PER_S
    angle = np.deg2rad(yaw)
    nearest = z - speed * np.cos(angle) * (frames - when)
    z = z + max(0.0, 4.0 - nearest)
    start = (x - speed * when * np.sin(angle), z + speed * when * np.cos(angle))
    return Walker(person, sample_gait(rng), start, speed, float(rng.uniform(0, 2 * np.pi)))


def sample_pan(rng: np.random.Generator, frames: int, reach_px: float) -> np.ndarray:
    """(frames, 2) px: a camera that pans to and fro by at most `reach_px`, and shakes a little."""
    time = np.arange(frames)
    period, start = rng.uniform(1.0, 2.5) * max(frames, 8), rng.uniform(0, 2 * np.pi)
    pan = rng.uniform(0.3, 1.0) * reach_px * np.sin(2 * np.pi * time / period + start)
    shake = np.cumsum(rng.normal(0, 0.25, (frames, 2)), axis=0)
    shift = np.clip(shake, -3, 3)
    shift[:, 0] = np.clip(shift[:, 0] + pan, -reach_px, reach_px)
    return shift
