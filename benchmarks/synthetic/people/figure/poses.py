"""Plausible poses: one function per action draws joint angles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.synthetic.people.figure.body import Limb, Pose


def _hanging_arm(rng: np.random.Generator) -> Limb:
    return Limb(rng.normal(0, 9), abs(rng.normal(7, 5)), rng.normal(15, 15), abs(rng.normal(12, 10)))


def _idle_arm(rng: np.random.Generator) -> Limb:
    """Draw what an arm does while its owner stands: hang, rest on the hip, hold a telephone, wave, point, fold, carry."""
    choice = rng.choice(7, p=[0.56, 0.12, 0.05, 0.08, 0.05, 0.05, 0.09])
    if choice == 0:
        return _hanging_arm(rng)
    if choice == 1:
        return Limb(rng.normal(-18, 6), rng.normal(38, 6), rng.normal(75, 8), rng.normal(95, 8))
    if choice == 2:
        return Limb(rng.normal(35, 8), rng.normal(25, 8), rng.normal(10, 10), rng.normal(135, 6))
    if choice == 3:
        return Limb(rng.normal(25, 10), rng.normal(95, 20), rng.normal(-80, 15), rng.normal(75, 25))
    if choice == 4:
        return Limb(rng.normal(80, 15), rng.normal(12, 10), rng.normal(0, 15), abs(rng.normal(10, 10)))
    if choice == 5:
        return Limb(rng.normal(25, 6), rng.normal(12, 5), rng.normal(60, 10), rng.normal(100, 8))
    return Limb(rng.normal(8, 8), rng.normal(8, 4), rng.normal(10, 10), rng.normal(80, 15))


def _head(rng: np.random.Generator, pose: Pose) -> None:
    pose.head_turn = float(np.clip(rng.normal(0, 22), -60, 60))
    pose.head_nod = float(np.clip(rng.normal(3, 9), -25, 35))
    pose.head_tilt = float(rng.normal(0, 5))


def _stand(rng: np.random.Generator) -> Pose:
    shift = rng.normal(0, 3)
    stance = abs(rng.normal(5, 4))
    legs = tuple(
        Limb(rng.normal(2, 4), stance + side * shift, rng.normal(-10, 8), abs(rng.normal(4, 4))) for side in (1, -1)
    )
    return Pose(tilt=rng.normal(0, 2), bow=rng.normal(2, 4), spine_twist=rng.normal(0, 7), spine_side=rng.normal(0, 3),
                arms=(_idle_arm(rng), _idle_arm(rng)), legs=legs)  # fmt: skip


def _walk(rng: np.random.Generator) -> Pose:
    stride = rng.uniform(14, 30) * rng.choice([-1, 1])
    swing = rng.uniform(0.5, 1.3) * stride
    legs, arms, toes = [], [], []
    for side in (1, -1):
        behind = side * stride < 0
        legs.append(
            Limb(
                side * stride + 4,
                abs(rng.normal(2, 2)),
                rng.normal(-5, 5),
                rng.uniform(10, 50) if behind else abs(rng.normal(6, 5)),
            )
        )
        toes.append(float(rng.uniform(5, 25)) if behind else float(rng.normal(-6, 5)))
        arms.append(Limb(-side * swing, abs(rng.normal(7, 4)), rng.normal(15, 10), abs(rng.normal(22, 14))))
    if rng.random() < 0.25:
        arms[int(rng.integers(2))] = _idle_arm(rng)
    return Pose(
        lean=rng.normal(2, 3),
        bow=rng.normal(2, 4),
        spine_twist=-stride * 0.3,
        arms=tuple(arms),
        legs=tuple(legs),
        toes_down=tuple(toes),
    )


def _run(rng: np.random.Generator) -> Pose:
    lead = rng.choice([-1, 1])
    front = Limb(rng.uniform(35, 75), abs(rng.normal(3, 3)), rng.normal(0, 5), rng.uniform(45, 95))
    back = Limb(rng.uniform(-35, -5), abs(rng.normal(3, 3)), rng.normal(0, 5), rng.uniform(20, 95))
    pump_front = Limb(rng.uniform(20, 55), abs(rng.normal(10, 5)), rng.normal(25, 10), rng.uniform(70, 115))
    pump_back = Limb(rng.uniform(-60, -25), abs(rng.normal(14, 6)), rng.normal(20, 10), rng.uniform(60, 105))
    legs = (front, back) if lead > 0 else (back, front)
    arms = (pump_back, pump_front) if lead > 0 else (pump_front, pump_back)
    toes = (rng.uniform(0, 20), rng.uniform(10, 35))
    return Pose(
        lean=rng.normal(8, 4),
        bow=rng.normal(6, 5),
        spine_twist=-lead * rng.uniform(5, 18),
        arms=arms,
        legs=legs,
        toes_down=toes,
    )


def _sit(rng: np.random.Generator) -> Pose:
    legs = []
    for _ in range(2):
        flex = rng.normal(84, 7)
        legs.append(Limb(flex, abs(rng.normal(9, 6)), rng.normal(-5, 8), float(np.clip(rng.normal(flex, 14), 35, 120))))
    if rng.random() < 0.5:
        arms = tuple(
            Limb(rng.normal(35, 10), abs(rng.normal(9, 5)), rng.normal(35, 15), rng.normal(55, 15)) for _ in range(2)
        )
    else:
        arms = (_idle_arm(rng), _idle_arm(rng))
    return Pose(lean=rng.normal(-4, 7), bow=rng.normal(8, 9), spine_twist=rng.normal(0, 8), arms=arms, legs=tuple(legs))


def _arms_up(rng: np.random.Generator) -> Pose:
    pose = _stand(rng)
    both = rng.random() < 0.65
    arms = [_idle_arm(rng), _idle_arm(rng)]
    for side in (0, 1) if both else (int(rng.integers(2)),):
        if rng.random() < 0.5:
            arms[side] = Limb(rng.normal(5, 12), rng.normal(135, 22), rng.normal(-60, 25), abs(rng.normal(30, 25)))
        else:
            arms[side] = Limb(rng.normal(155, 15), abs(rng.normal(12, 8)), rng.normal(0, 20), abs(rng.normal(25, 25)))
    pose.arms = (arms[0], arms[1])
    return pose


def _spread(rng: np.random.Generator) -> Pose:
    pose = _stand(rng)
    pose.arms = tuple(
        Limb(rng.normal(5, 12), rng.normal(85, 12), rng.normal(-20, 30), abs(rng.normal(15, 15))) for _ in range(2)
    )
    return pose


def _arms_crossed(rng: np.random.Generator) -> Pose:
    pose = _stand(rng)
    pose.arms = tuple(
        Limb(rng.normal(32, 4), rng.normal(8, 3), rng.normal(72, 5), rng.normal(104, 6)) for _ in range(2)
    )
    return pose


def _bend(rng: np.random.Generator) -> Pose:
    pose = _stand(rng)
    pose.lean = float(rng.uniform(15, 45))
    pose.bow = float(rng.uniform(15, 50))
    for leg in pose.legs:
        leg.flex = pose.lean + rng.normal(6, 5)
        leg.bend = abs(rng.normal(12, 10))
    reach = rng.uniform(20, 80)
    pose.arms = tuple(
        Limb(reach + rng.normal(0, 12), abs(rng.normal(8, 6)), rng.normal(10, 10), abs(rng.normal(20, 15)))
        for _ in range(2)
    )
    pose.head_nod = float(rng.normal(-5, 12))
    return pose


def _squat(rng: np.random.Generator) -> Pose:
    depth = rng.uniform(55, 125)
    legs = tuple(
        Limb(depth + 22 + rng.normal(0, 6), abs(rng.normal(16, 8)), rng.normal(-12, 8), depth + rng.normal(0, 7))
        for _ in range(2)
    )
    arms = tuple(
        Limb(rng.normal(60, 20), abs(rng.normal(12, 8)), rng.normal(20, 20), rng.uniform(10, 95)) for _ in range(2)
    )
    return Pose(lean=rng.normal(22, 6), bow=rng.normal(18, 8), head_nod=-12.0, arms=arms, legs=legs)


def _jump(rng: np.random.Generator) -> Pose:
    legs = tuple(
        Limb(rng.normal(18, 25), abs(rng.normal(15, 10)), rng.normal(-5, 8), rng.uniform(10, 95)) for _ in range(2)
    )
    arms = tuple(
        Limb(rng.normal(30, 50), rng.uniform(20, 150), rng.normal(-20, 30), abs(rng.normal(35, 25))) for _ in range(2)
    )
    return Pose(lean=rng.normal(4, 8), tilt=rng.normal(0, 6), bow=rng.normal(2, 8), spine_twist=rng.normal(0, 12),
                spine_side=rng.normal(0, 6), arms=arms, legs=legs, toes_down=(30.0, 30.0))  # fmt: skip


def _reach(rng: np.random.Generator) -> Pose:
    pose = _stand(rng)
    arms = list(pose.arms)
    arms[int(rng.integers(2))] = Limb(
        rng.uniform(60, 150), abs(rng.normal(25, 18)), rng.normal(0, 20), abs(rng.normal(12, 12))
    )
    pose.arms = (arms[0], arms[1])
    pose.lean, pose.spine_side = float(rng.normal(6, 6)), float(rng.normal(0, 9))
    for leg in pose.legs:
        leg.flex += pose.lean
    return pose


def _kick(rng: np.random.Generator) -> Pose:
    pose = _stand(rng)
    legs = list(pose.legs)
    legs[int(rng.integers(2))] = Limb(
        rng.uniform(20, 80), abs(rng.normal(10, 10)), rng.normal(0, 8), abs(rng.normal(25, 22))
    )
    pose.legs = (legs[0], legs[1])
    pose.arms = tuple(
        Limb(rng.normal(10, 30), abs(rng.normal(45, 20)), rng.normal(0, 25), abs(rng.normal(35, 25))) for _ in range(2)
    )
    pose.lean = float(rng.normal(-5, 6))
    return pose


def _ride(rng: np.random.Generator) -> Pose:
    """Draw a cyclist: bent forward, hands at a bar, the legs at opposite ends of the pedal stroke."""
    phase = rng.uniform(0, 2 * np.pi)
    lean = rng.uniform(18, 38)
    legs = tuple(
        Limb(lean + 42 + 22 * np.sin(phase + turn), 3.0, 0.0, 68 + 28 * np.sin(phase + turn - 0.5))
        for turn in (0.0, np.pi)
    )
    bow = float(rng.uniform(8, 22))
    arm = Limb(62 + rng.normal(0, 4), 8.0, rng.normal(10, 5), 18 + abs(rng.normal(0, 8)))
    return Pose(
        lean=lean,
        bow=bow,
        head_nod=-(lean + bow) * 0.6,
        arms=(arm, Limb(arm.flex, arm.abduct, arm.twist, arm.bend)),
        legs=legs,
    )


ACTIONS: dict[str, tuple[Callable[[np.random.Generator], Pose], float]] = {
    "stand": (_stand, 0.36),
    "walk": (_walk, 0.25),
    "run": (_run, 0.05),
    "sit": (_sit, 0.05),
    "arms_up": (_arms_up, 0.08),
    "spread": (_spread, 0.06),
    "arms_crossed": (_arms_crossed, 0.02),
    "bend": (_bend, 0.02),
    "squat": (_squat, 0.02),
    "jump": (_jump, 0.02),
    "reach": (_reach, 0.05),
    "kick": (_kick, 0.02),
    "ride": (_ride, 0.0),
}
"""Action name -> (function that draws a pose, how often it is drawn when the caller names none)."""


def sample_pose(rng: np.random.Generator, action: str | None = None) -> Pose:
    """Draw a pose of `action` (a key of `ACTIONS`), or of an action drawn by its frequency.

    Raises:
        ValueError: unknown action.
    """
    if action is None:
        names = list(ACTIONS)
        action = names[int(rng.choice(len(names), p=[ACTIONS[name][1] for name in names]))]
    if action not in ACTIONS:
        raise ValueError(f"expected an action out of {sorted(ACTIONS)}, got {action!r}: name one of them or None")
    pose = ACTIONS[action][0](rng)
    if pose.head_nod == 0.0:
        _head(rng, pose)
    else:
        pose.head_turn = float(rng.normal(0, 12))
    pose.action = action
    return pose
