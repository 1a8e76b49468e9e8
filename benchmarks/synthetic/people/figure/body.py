"""Body proportions and forward kinematics: from joint angles to 3-D joints.

Body space is in metres: x to the person's own left, y up, z to the front. All angles are degrees.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

JOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "pelvis", "thorax", "upper_neck", "head_top",
)  # fmt: skip
"""Every joint that a figure knows: the 17 of COCO in COCO's order, then the four that MPII adds."""
JOINT_INDEX = {name: index for index, name in enumerate(JOINTS)}
COCO_JOINTS = JOINTS[:17]
MPII_JOINTS = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis", "thorax", "upper_neck", "head_top",
    "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
)  # fmt: skip
MPII_FROM_JOINTS = np.array([JOINT_INDEX[name] for name in MPII_JOINTS])
SIDES = ("left", "right")


@dataclass(frozen=True)
class Body:
    """Lengths and half-widths in metres of one person."""

    stature: float
    head_height: float
    head_width: float
    neck: float
    torso: float
    shoulder_half: float
    hip_half: float
    upper_arm: float
    forearm: float
    thigh: float
    shank: float
    foot: float
    girth: float
    torso_profile: tuple[float, ...]
    torso_flatness: float


@dataclass
class Limb:
    """Angles of one arm or leg: `flex` to the front, `abduct` outwards, `twist` inwards, `bend` of the elbow or knee."""

    flex: float = 0.0
    abduct: float = 5.0
    twist: float = 0.0
    bend: float = 8.0


@dataclass
class Pose:
    """Angles of the whole figure. `lean` and `bow` are positive to the front; twists and turns positive to the person's left.

    `arms`, `legs` and `toes_down` hold the left one, then the right one.
    """

    action: str = "stand"
    lean: float = 0.0
    tilt: float = 0.0
    bow: float = 0.0
    spine_twist: float = 0.0
    spine_side: float = 0.0
    head_nod: float = 0.0
    head_turn: float = 0.0
    head_tilt: float = 0.0
    arms: tuple[Limb, ...] = field(default_factory=lambda: (Limb(), Limb()))
    legs: tuple[Limb, ...] = field(default_factory=lambda: (Limb(), Limb()))
    toes_down: tuple[float, ...] = (0.0, 0.0)


@dataclass(frozen=True)
class Skeleton:
    """A posed body in body space.

    Attributes:
        joints: (21, 3) metres in the order of `JOINTS`.
        frames: rotation matrices (columns: left, up, front) of "pelvis", "chest", "head", and of "<side>_upper_arm",
            "<side>_forearm", "<side>_thigh", "<side>_shank", "<side>_foot".
        points: further points: "head_centre", "<side>_hand", "<side>_heel", "<side>_toe".
    """

    joints: np.ndarray
    frames: dict[str, np.ndarray]
    points: dict[str, np.ndarray]


def sample_body(rng: np.random.Generator, age: str | None = None) -> Body:
    """Draw a body, slim to heavy, of any build; `age` is "child" or "adult" (one child in seven when not given)."""
    if age is None:
        age = "child" if rng.random() < 1 / 7 else "adult"
    if age not in ("child", "adult"):
        raise ValueError(f"expected age 'child' or 'adult', got {age!r}: pass one of them or None")
    if age == "child":
        stature = float(rng.uniform(0.95, 1.45))
        youth = (1.6 - stature) / 0.65
    else:
        stature = float(np.clip(rng.normal(1.70, 0.09), 1.48, 1.98))
        youth = 0.0
    build = float(rng.uniform(0.0, 1.0))
    girth = float(np.clip(rng.lognormal(0.05, 0.17), 0.8, 1.6))
    jitter = rng.normal(1.0, 0.03, 8)
    head_height = stature * (0.134 + 0.055 * youth) * jitter[0]
    neck = stature * 0.052 * (1 - 0.2 * youth)
    torso = stature * (0.285 + 0.01 * youth) * jitter[1]
    foot_height = 0.042 * stature
    legs = max(stature - head_height - neck - torso - foot_height, 0.35 * stature)
    shoulder = stature * (0.104 + 0.017 * build) * (0.9 + 0.1 * girth) * jitter[2]
    hip = stature * (0.056 - 0.006 * build) * (0.85 + 0.15 * girth) * jitter[3]
    chest = shoulder * 0.88
    waist = stature * (0.064 + 0.012 * build) * girth
    seat = stature * (0.092 - 0.008 * build) * (0.6 + 0.4 * girth)
    profile: tuple[float, ...] = (
        0.36 * shoulder,
        0.84 * shoulder,
        0.97 * chest,
        0.95 * chest,
        0.5 * (chest * 0.8 + waist),
        waist,
    )
    profile += (0.45 * waist + 0.55 * seat, seat, seat * 0.96, seat * 0.72)
    return Body(
        stature=stature,
        head_height=head_height,
        head_width=head_height * float(rng.uniform(0.66, 0.75)),
        neck=neck,
        torso=torso,
        shoulder_half=shoulder * 0.88,
        hip_half=hip,
        upper_arm=stature * (0.168 - 0.012 * youth) * jitter[4],
        forearm=stature * (0.145 - 0.012 * youth) * jitter[5],
        thigh=legs * 0.505 * jitter[6],
        shank=legs * 0.495 / max(jitter[6], 0.9),
        foot=stature * 0.135 * jitter[7],
        girth=girth,
        torso_profile=tuple(float(width) for width in profile),
        torso_flatness=float(np.clip(0.55 + 0.22 * (girth - 1.0), 0.5, 0.8)),
    )


def rotation(axis: str, degrees: float) -> np.ndarray:
    """Return the (3, 3) rotation about body axis "x", "y" or "z", right-handed."""
    angle = np.deg2rad(degrees)
    c, s = np.cos(angle), np.sin(angle)
    if axis == "x":
        return np.array(((1, 0, 0), (0, c, -s), (0, s, c)))
    if axis == "y":
        return np.array(((c, 0, s), (0, 1, 0), (-s, 0, c)))
    return np.array(((c, -s, 0), (s, c, 0), (0, 0, 1)))


def _limb_frames(parent: np.ndarray, limb: Limb, side: int, bend_sign: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the frames of the upper and the lower segment; both point along their own -y."""
    upper = parent @ rotation("x", -limb.flex) @ rotation("z", side * limb.abduct) @ rotation("y", -side * limb.twist)
    return upper, upper @ rotation("x", -bend_sign * limb.bend)


def pose_body(body: Body, pose: Pose) -> Skeleton:
    """Run the kinematic chain from the pelvis at the origin outwards. Sources: none, the angles are anatomical."""
    down = np.array((0.0, -1.0, 0.0))
    points: dict[str, np.ndarray] = {}
    joints = np.zeros((len(JOINTS), 3))
    pelvis = rotation("x", pose.lean) @ rotation("z", pose.tilt)
    half_bow = rotation("x", pose.bow / 2) @ rotation("z", pose.spine_side / 2) @ rotation("y", pose.spine_twist / 2)
    middle = pelvis @ half_bow
    chest = middle @ half_bow
    head = chest @ rotation("y", pose.head_turn) @ rotation("x", pose.head_nod) @ rotation("z", pose.head_tilt)
    frames = {"pelvis": pelvis, "spine": middle, "chest": chest, "head": head}
    joints[JOINT_INDEX["pelvis"]] = 0.0
    waist = pelvis @ np.array((0, 0.40 * body.torso, 0.0))
    thorax = waist + chest @ np.array((0, 0.60 * body.torso, 0.0))
    points["waist"] = waist
    joints[JOINT_INDEX["thorax"]] = thorax
    neck_frame = chest @ rotation("x", 12 + pose.head_nod / 2)
    neck = thorax + neck_frame @ np.array((0, body.neck, 0.0))
    joints[JOINT_INDEX["upper_neck"]] = neck
    half_head = body.head_height / 2
    centre = neck + head @ np.array((0, half_head * 0.86, half_head * 0.16))
    points["head_centre"] = centre
    joints[JOINT_INDEX["head_top"]] = centre + head @ np.array((0, half_head, 0))
    joints[JOINT_INDEX["nose"]] = centre + head @ np.array((0, -0.14, 0.92)) * half_head
    for number, name in enumerate(SIDES):
        side = 1 - 2 * number
        joints[JOINT_INDEX[f"{name}_eye"]] = centre + head @ (np.array((side * 0.29, 0.12, 0.77)) * half_head)
        ear_out = body.head_width / body.head_height * 1.02
        joints[JOINT_INDEX[f"{name}_ear"]] = centre + head @ (np.array((side * ear_out, -0.02, -0.04)) * half_head)
        arm = pose.arms[number]
        raised = max(0.0, max(arm.flex, arm.abduct) - 60) / 120
        shoulder = thorax + chest @ np.array(
            (side * body.shoulder_half * (1 - 0.12 * raised), body.neck * (-0.25 + 0.9 * raised), 0.0)
        )
        upper, lower = _limb_frames(chest, arm, side, 1)
        elbow = shoulder + upper @ down * body.upper_arm
        wrist = elbow + lower @ down * body.forearm
        joints[JOINT_INDEX[f"{name}_shoulder"]] = shoulder
        joints[JOINT_INDEX[f"{name}_elbow"]] = elbow
        joints[JOINT_INDEX[f"{name}_wrist"]] = wrist
        points[f"{name}_hand"] = wrist + lower @ down * (0.09 * body.stature)
        frames[f"{name}_upper_arm"], frames[f"{name}_forearm"] = upper, lower
        leg = pose.legs[number]
        hip = pelvis @ np.array((side * body.hip_half, 0.0, 0.0))
        thigh, shank = _limb_frames(pelvis, leg, side, -1)
        knee = hip + thigh @ down * body.thigh
        ankle = knee + shank @ down * body.shank
        foot = _foot_frame(shank, pose.toes_down[number])
        heel = ankle + foot @ np.array((0, -0.026, -0.026)) * body.stature
        joints[JOINT_INDEX[f"{name}_hip"]] = hip
        joints[JOINT_INDEX[f"{name}_knee"]] = knee
        joints[JOINT_INDEX[f"{name}_ankle"]] = ankle
        points[f"{name}_heel"] = heel
        points[f"{name}_toe"] = heel + foot @ np.array((0, 0, 0.78 * body.foot))
        frames[f"{name}_thigh"], frames[f"{name}_shank"], frames[f"{name}_foot"] = thigh, shank, foot
    return Skeleton(joints, frames, points)


def _foot_frame(shank: np.ndarray, toes_down: float) -> np.ndarray:
    """Return the foot's frame: level with the ground as far as the ankle allows (45 degrees), then `toes_down` more."""
    front = shank[:, 2]
    pitch = np.rad2deg(np.arcsin(np.clip(front[1], -1, 1)))
    result: np.ndarray = shank @ rotation("x", float(np.clip(pitch, -45, 30)) + toes_down)
    return result
