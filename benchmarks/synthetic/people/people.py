"""People for embedded pictures: draw a person, put it into a picture, know every joint, part and pixel of it.

    rng = np.random.default_rng([seed, split, picture])
    person = sample_person(rng)                                   # body, pose, clothes, heading; nothing is drawn yet
    rendered = draw_person(image, person, foot_xy=(160, 220), px_per_m=100.0, light=light)    # paints into image, in place

`image` is (H, W, 3) uint8 RGB. Whole scenes with occlusion between people and things: `people_scene.compose_scene`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from benchmarks.synthetic.people.figure.body import (
    COCO_JOINTS,
    JOINTS,
    MPII_FROM_JOINTS,
    Body,
    Pose,
    Skeleton,
    pose_body,
    rotation,
    sample_body,
)
from benchmarks.synthetic.people.figure.build import Tailor
from benchmarks.synthetic.people.figure.clothing import Outfit, sample_outfit
from benchmarks.synthetic.people.figure.poses import sample_pose
from benchmarks.synthetic.people.figure.shade import paint
from benchmarks.synthetic.raster.strokes import Layer, Light

RENDER_HEIGHT_PX = 200.0
"""People are drawn about this high, then reduced (at most 3 times); larger ones at their own size. So cost varies little."""

FRONT_SHARE, BACK_SHARE = 0.94, 0.02
"""How many people face the viewer or turn their backs, when a caller names no heading; the rest look anywhere.

A network that trains for a minute learns left and right of backs last: these shares set how hard the pictures are.
"""

FACE_JOINTS = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
_SLACK = {
    "nose": 0.022,
    "eye": 0.016,
    "ear": 0.025,
    "shoulder": 0.055,
    "elbow": 0.045,
    "wrist": 0.038,
    "hip": 0.105,
    "knee": 0.065,
    "ankle": 0.055,
    "pelvis": 0.13,
    "thorax": 0.10,
    "upper_neck": 0.09,
    "head_top": 0.06,
}
"""How far (statures) flesh and cloth may lie in front of a joint before something else of the body hides it."""
_SLACK_OF_JOINT = np.array([_SLACK[name.removeprefix("left_").removeprefix("right_")] for name in JOINTS])


@dataclass(frozen=True)
class Person:
    """Everything that makes one figure, before it is drawn.

    Attributes:
        yaw, pitch, roll: heading in degrees: yaw 0 faces the viewer, 90 looks to the picture's right, 180 shows the back;
            pitch is the camera's height (positive: seen from above); roll turns in the picture plane (clockwise).
    """

    body: Body
    pose: Pose
    outfit: Outfit
    yaw: float
    pitch: float
    roll: float
    texture: tuple[int, int]

    @cached_property
    def skeleton(self) -> Skeleton:
        """The posed skeleton in metres, body space."""
        return pose_body(self.body, self.pose)


@dataclass
class RenderedPerson:
    """One drawn person, in the picture's pixel frame (x, y; 0-based; pixel k covers k - 0.5 to k + 0.5).

    Attributes:
        mask: (H, W) bool, this person's pixels, not yet reduced by what is drawn over it later.
        parts: (H, W) uint8, LIP's 20 classes, 0 outside of the person.
        cover: (H, W) bool, pixels that the figure paints: the mask and a rucksack, which is nobody's part.
        joints: (21, 2) float64 in the order of `figure.body.JOINTS`; points may lie outside of the picture.
        visible: (21,) bool, not hidden by the person itself (and, after `hide`, by nothing else) and inside the picture.
        unhidden: (21,) bool, `visible` as it was before any `hide`: not hidden by the person itself.
        inside: (21,) bool, within the picture.
        head_box: (4,) x1, y1, x2, y2 around the head from chin to crown.
        extent: (4,) x1, y1, x2, y2 of the whole figure, also of what lies outside of the picture.
        stature_px: standing height in pixels.
        full_area: pixels of the mask before any `hide`.
    """

    mask: np.ndarray
    parts: np.ndarray
    cover: np.ndarray
    joints: np.ndarray
    visible: np.ndarray
    unhidden: np.ndarray
    inside: np.ndarray
    head_box: np.ndarray
    extent: np.ndarray
    stature_px: float
    full_area: int = 0

    def hide(self, covered: np.ndarray) -> None:
        """Take the pixels where `covered` ((H, W) bool) is set from mask and parts; joints there become invisible."""
        self.mask &= ~covered
        self.parts[covered] = 0
        columns, rows = np.rint(self.joints[self.inside]).astype(int).T
        self.visible[self.inside] &= ~covered[rows, columns]

    @property
    def coco(self) -> tuple[np.ndarray, np.ndarray]:
        """The 17 COCO joints, (17, 2), and their visibility, (17,) bool."""
        return self.joints[: len(COCO_JOINTS)], self.visible[: len(COCO_JOINTS)]

    @property
    def mpii(self) -> tuple[np.ndarray, np.ndarray]:
        """The 16 MPII joints, (16, 2), 0-based, and their visibility, (16,) bool."""
        return self.joints[MPII_FROM_JOINTS], self.visible[MPII_FROM_JOINTS]

    @property
    def inside_mpii(self) -> np.ndarray:
        """Which of the 16 MPII joints lie within the picture, (16,) bool."""
        result: np.ndarray = self.inside[MPII_FROM_JOINTS]
        return result


def sample_person(
    rng: np.random.Generator,
    *,
    action: str | None = None,
    yaw: float | None = None,
    pitch: float | None = None,
    age: str | None = None,
    **outfit_changes: Any,
) -> Person:
    """Draw a person.

    Args:
        action: a key of `figure.poses.ACTIONS` ("stand", "walk", "run", "sit", "ride", ...); drawn when None.
        yaw: heading in degrees, 0 to the viewer, 90 to the picture's right; drawn when None (front most often, then back, sides).
        pitch: height of the camera in degrees above the horizon; drawn when None.
        age: "child" or "adult"; drawn when None.
        outfit_changes: fields of `figure.clothing.Outfit` to set, e.g. `hat="helmet"`.
    """
    body = sample_body(rng, age)
    pose = sample_pose(rng, action)
    outfit = sample_outfit(rng, "child" if body.stature < 1.45 else "adult")
    view = rng.random()
    if view < FRONT_SHARE:
        drawn_yaw = rng.normal(0, 20)
    elif view < FRONT_SHARE + BACK_SHARE:
        drawn_yaw = rng.normal(180, 20)
    else:
        drawn_yaw = rng.uniform(-180, 180)
    drawn_pitch = float(np.clip(rng.normal(5, 5), -6, 20))
    roll = float(rng.normal(0, 2.0))
    texture = (int(rng.integers(256)), int(rng.integers(256)))
    person = Person(body, pose, outfit, float(drawn_yaw), drawn_pitch, roll, texture)
    if yaw is not None:
        person = replace(person, yaw=float(yaw))
    if pitch is not None:
        person = replace(person, pitch=float(pitch))
    if outfit_changes:
        person = replace(person, outfit=replace(person.outfit, **outfit_changes))
    return person


def _to_camera(person: Person, px: float) -> Skeleton:
    """Turn the skeleton into camera space: pixels, x right, y down, z to the viewer, the pelvis at the origin."""
    skeleton = person.skeleton
    turn = (
        np.diag((1.0, -1.0, 1.0))
        @ rotation("z", -person.roll)
        @ rotation("x", person.pitch)
        @ rotation("y", person.yaw)
    )
    return Skeleton(
        joints=skeleton.joints @ turn.T * px,
        frames={name: turn @ frame for name, frame in skeleton.frames.items()},
        points={name: turn @ point * px for name, point in skeleton.points.items()},
    )


def _extent(camera: Skeleton, unit: float) -> np.ndarray:
    """Return x1, y1, x2, y2 around the figure, clothes included."""
    points = np.concatenate([camera.joints, np.stack(list(camera.points.values()))])[:, :2]
    widths = np.full(len(points), 0.06 * unit)
    return np.concatenate([(points - widths[:, None]).min(0), (points + widths[:, None]).max(0)])


def person_extent(person: Person, px_per_m: float) -> np.ndarray:
    """Return the figure's x1, y1, x2, y2 relative to its foot point (see `draw_person`), without drawing it."""
    camera = _to_camera(person, px_per_m)
    extent = _extent(camera, person.body.stature * px_per_m)
    foot = _foot_point(camera, person.body.stature * px_per_m)
    result: np.ndarray = extent - np.concatenate([foot, foot])
    return result


def place_joints(person: Person, foot_xy: tuple[float, float], px_per_m: float) -> np.ndarray:
    """Return the (21, 2) joints, in the order of `figure.body.JOINTS`, that `draw_person` would give, without drawing."""
    camera = _to_camera(person, px_per_m)
    result: np.ndarray = (
        camera.joints[:, :2] + np.asarray(foot_xy) - _foot_point(camera, person.body.stature * px_per_m)
    )
    return result


def _foot_point(camera: Skeleton, unit: float) -> np.ndarray:
    """Return the point below the pelvis at the height of the lowest sole."""
    lowest = max(float(camera.points[f"{side}_{end}"][1]) for side in ("left", "right") for end in ("heel", "toe"))
    return np.array((0.0, lowest + 0.02 * unit))


def draw_person(
    image: np.ndarray,
    person: Person,
    *,
    foot_xy: tuple[float, float],
    px_per_m: float,
    light: Light | None = None,
    shadow: float = 0.0,
) -> RenderedPerson:
    """Paint `person` into `image` ((H, W, 3) uint8 RGB, changed in place) and return what is where.

    Args:
        foot_xy: the point of the ground below the pelvis, at the height of the lowest sole, pixels; may lie outside.
        px_per_m: pixels per metre at the person's distance; an adult is about 1.7 m.
        light: light of the scene; a default from the upper left when None.
        shadow: darkness 0..1 of a soft shadow on the ground under the person.

    Raises:
        ValueError: the image is not (H, W, 3) uint8, or px_per_m is not positive.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            f"expected an image of (H, W, 3) uint8, got {image.shape} {image.dtype}: convert it to 8-bit RGB first"
        )
    if not px_per_m > 0:
        raise ValueError(f"expected px_per_m > 0, got {px_per_m}: give the pixels that one metre covers")
    height, width = image.shape[:2]
    stature_px = person.body.stature * px_per_m
    zoom = float(np.clip(RENDER_HEIGHT_PX / stature_px, 1.0, 3.0))
    camera = _to_camera(person, px_per_m)
    offset = np.asarray(foot_xy, np.float64) - _foot_point(camera, stature_px)
    extent = _extent(camera, stature_px) + np.concatenate([offset, offset])
    joints = camera.joints[:, :2] + offset
    bounds = np.array((width - 1, height - 1))
    inside = ((joints >= -0.5) & (np.rint(joints) <= bounds) & (np.rint(joints) >= 0)).all(1)
    rendered = RenderedPerson(
        mask=np.zeros((height, width), bool),
        parts=np.zeros((height, width), np.uint8),
        cover=np.zeros((height, width), bool),
        joints=joints,
        visible=np.zeros(len(JOINTS), bool),
        unhidden=np.zeros(len(JOINTS), bool),
        inside=inside,
        head_box=_head_box(camera, person, px_per_m) + np.concatenate([offset, offset]),
        extent=extent,
        stature_px=stature_px,
    )
    if shadow > 0:
        _draw_shadow(image, foot_xy, stature_px, shadow)
    x0, y0 = np.maximum(np.floor(extent[:2]) - 2, 0).astype(int)
    x1, y1 = np.minimum(np.ceil(extent[2:]) + 3, (width, height)).astype(int)
    if x1 <= x0 or y1 <= y0:
        return rendered
    # Pixel k of the picture is covered by layer pixels around (k - x0 + 0.5) * zoom - 0.5.
    origin = np.array((x0 - 0.5, y0 - 0.5))
    size_hw = (max(1, round((y1 - y0) * zoom)), max(1, round((x1 - x0) * zoom)))
    layer_px = px_per_m * zoom
    shift = np.append((offset - origin) * zoom - 0.5, 0.0)
    placed = Skeleton(
        joints=camera.joints * zoom + shift,
        frames=camera.frames,
        points={name: point * zoom + shift for name, point in camera.points.items()},
    )
    materials = list(person.outfit.materials.values())
    layer = Layer(size_hw, light or Light(), [False, *(material.pattern != "plain" for material in materials)])
    Tailor(layer, person.body, person.outfit, placed, layer_px).draw()
    colours = paint(layer, materials, layer_px, person.texture)
    window = (slice(y0, y1), slice(x0, x1))
    size_wh = (int(x1 - x0), int(y1 - y0))
    alpha = cv2.resize((layer.material > 0).astype(np.float32), size_wh, interpolation=cv2.INTER_AREA)
    colours = cv2.resize(colours, size_wh, interpolation=cv2.INTER_AREA)
    parts = cv2.resize(layer.label, size_wh, interpolation=cv2.INTER_NEAREST)
    image[window] = np.clip(image[window] * (1.0 - alpha[:, :, None]) + colours + 0.5, 0, 255).astype(np.uint8)
    rendered.parts[window] = parts
    rendered.mask[window] = parts > 0
    rendered.cover[window] = alpha > 0.5
    rendered.full_area = int(rendered.mask.sum())
    _self_visibility(rendered, layer, placed, stature_px * zoom)
    rendered.unhidden = rendered.visible.copy()
    return rendered


def _self_visibility(rendered: RenderedPerson, layer: Layer, placed: Skeleton, layer_unit: float) -> None:
    """Decide for each joint inside the picture whether a farther part of the same body lies in front of it."""
    limits = np.array(layer.size_hw[::-1]) - 1
    columns, rows = np.clip(np.rint(placed.joints[:, :2]), 0, limits).astype(int).T
    in_front = layer.depth[rows, columns] - placed.joints[:, 2]
    limits = np.array(rendered.mask.shape[::-1]) - 1
    columns, rows = np.clip(np.rint(rendered.joints), 0, limits).astype(int).T
    owned = rendered.mask[rows, columns] & rendered.inside
    rendered.visible = owned & (in_front <= _SLACK_OF_JOINT * layer_unit)


def _head_box(camera: Skeleton, person: Person, px_per_m: float) -> np.ndarray:
    high = person.body.head_height / 2 * px_per_m
    radii = np.array((person.body.head_width / 2 * px_per_m, high, high * 0.9))
    reach = np.sqrt(np.square(camera.frames["head"] * radii).sum(1))[:2]
    centre = camera.points["head_centre"][:2]
    return np.concatenate([centre - reach, centre + reach])


def _draw_shadow(image: np.ndarray, foot_xy: tuple[float, float], stature_px: float, strength: float) -> None:
    x, y = foot_xy
    reach = 0.32 * stature_px
    height, width = image.shape[:2]
    x0, x1 = max(0, int(x - reach * 1.2)), min(width, int(x + reach * 1.2) + 1)
    y0, y1 = max(0, int(y - reach * 0.4)), min(height, int(y + reach * 0.4) + 1)
    if x1 <= x0 or y1 <= y0:
        return
    u = (np.arange(x0, x1, dtype=np.float32) - np.float32(x)) / np.float32(reach)
    v = (np.arange(y0, y1, dtype=np.float32) - np.float32(y)) / np.float32(reach * 0.3)
    dark = np.float32(strength) * np.exp(-2.0 * (u[None, :] ** 2 + v[:, None] ** 2))
    image[y0:y1, x0:x1] = (image[y0:y1, x0:x1] * (1.0 - dark[:, :, None])).astype(np.uint8)
