"""The figure and its labels: joints lie where the body is, left is left, what is hidden is said to be hidden."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.synthetic.people.figure.body import (
    COCO_JOINTS,
    JOINT_INDEX,
    JOINTS,
    MPII_FROM_JOINTS,
    pose_body,
    sample_body,
)
from benchmarks.synthetic.people.figure.clothing import LABEL
from benchmarks.synthetic.people.figure.poses import ACTIONS, sample_pose
from benchmarks.synthetic.people.people import draw_person, person_extent, place_joints, sample_person
from benchmarks.synthetic.people.scene import compose_scene

SIZE_HW = (300, 320)


def _canvas() -> np.ndarray:
    return np.full((*SIZE_HW, 3), 127, np.uint8)


def _render(seed: int, **choices: object):
    person = sample_person(np.random.default_rng(seed), **choices)
    image = _canvas()
    return image, person, draw_person(image, person, foot_xy=(160.0, 285.0), px_per_m=120.0)


def test_joint_orders_are_the_datasets():
    assert len(JOINTS) == 21 and len(COCO_JOINTS) == 17
    assert [name.startswith("left") for name in COCO_JOINTS[1:]] == [True, False] * 8
    assert [JOINTS[i] for i in MPII_FROM_JOINTS][:3] == ["right_ankle", "right_knee", "right_hip"]
    assert JOINTS[MPII_FROM_JOINTS[15]] == "left_wrist"


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_bones_keep_their_length_in_every_pose(action):
    rng = np.random.default_rng([1, sorted(ACTIONS).index(action)])
    body = sample_body(rng)
    joints = pose_body(body, sample_pose(rng, action)).joints
    for side in ("left", "right"):
        for one, other, length in (
            ("elbow", "wrist", body.forearm),
            ("hip", "knee", body.thigh),
            ("knee", "ankle", body.shank),
        ):
            gap = joints[JOINT_INDEX[f"{side}_{one}"]] - joints[JOINT_INDEX[f"{side}_{other}"]]
            assert np.linalg.norm(gap) == pytest.approx(length)


def test_same_seed_same_bytes_and_another_seed_another_person():
    first, _, one = _render(3)
    second, _, other = _render(3)
    third, _, _ = _render(4)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(one.joints, other.joints)
    np.testing.assert_array_equal(one.parts, other.parts)
    assert (first != third).any()


@pytest.mark.parametrize("yaw", [0, 180])
def test_left_is_on_the_viewers_right_when_facing_and_on_the_left_when_turned_away(yaw):
    for seed in range(6):
        _, _, rendered = _render(seed, action="stand", yaw=yaw)
        for part in ("shoulder", "hip"):
            left, right = (rendered.joints[JOINT_INDEX[f"{side}_{part}"], 0] for side in ("left", "right"))
            assert (left > right) == (yaw == 0)


def test_the_face_is_seen_from_the_front_and_not_from_behind():
    nose = JOINT_INDEX["nose"]
    seen = [[_render(seed, action="spread", yaw=yaw)[2].visible[nose] for seed in range(12)] for yaw in (0, 180)]
    assert np.mean(seen[0]) > 0.9
    assert np.mean(seen[1]) < 0.1


def test_visible_joints_lie_on_the_person_and_all_joints_in_its_extent():
    on_mask = []
    for seed in range(40):
        _, _, rendered = _render(seed)
        columns, rows = np.rint(rendered.joints[rendered.visible]).astype(int).T
        on_mask.extend(rendered.mask[rows, columns])
        x0, y0, x1, y1 = rendered.extent
        assert (rendered.joints >= (x0, y0)).all() and (rendered.joints <= (x1, y1)).all()
        rows, columns = np.nonzero(rendered.mask)
        assert columns.min() >= x0 - 1 and columns.max() <= x1 + 1 and rows.min() >= y0 - 1 and rows.max() <= y1 + 1
    assert np.mean(on_mask) >= 0.97
    assert len(on_mask) > 40 * 12


def test_parts_are_the_mask_and_arms_are_on_their_side():
    for seed in range(8):
        _, _, rendered = _render(
            seed, action="spread", yaw=0, sleeve=0.0, coat=False, kind="top", bottom="shorts", gloves=False
        )
        np.testing.assert_array_equal(rendered.parts > 0, rendered.mask)
        assert rendered.parts.max() <= 19
        for side, other in (("left", "right"), ("right", "left")):
            pixels = np.argwhere(rendered.parts == LABEL[f"{side}_arm"])[:, ::-1]
            assert len(pixels) > 50
            near = np.linalg.norm(pixels - rendered.joints[JOINT_INDEX[f"{side}_elbow"]], axis=1)
            far = np.linalg.norm(pixels - rendered.joints[JOINT_INDEX[f"{other}_elbow"]], axis=1)
            assert (near < far).mean() > 0.95


def test_every_lip_class_is_drawn_by_some_outfit():
    found: set[int] = set()
    for seed in range(120):
        found |= set(np.unique(_render(seed)[2].parts).tolist())
    assert found == set(range(20))


def test_head_box_holds_face_and_hair():
    for seed in range(10):
        _, _, rendered = _render(seed, action="stand", yaw=0, hat=None, hair="short")
        x0, y0, x1, y1 = rendered.head_box
        rows, columns = np.nonzero(np.isin(rendered.parts, (LABEL["face"], LABEL["hair"])))
        inside = (columns >= x0 - 2) & (columns <= x1 + 2) & (rows >= y0 - 3) & (rows <= y1 + 3)
        assert inside.mean() > 0.8
        assert 0.08 < (y1 - y0) / rendered.stature_px < 0.3


def test_placing_without_drawing_agrees_with_drawing():
    person = sample_person(np.random.default_rng(5))
    rendered = draw_person(_canvas(), person, foot_xy=(150.0, 280.0), px_per_m=100.0)
    np.testing.assert_allclose(place_joints(person, (150.0, 280.0), 100.0), rendered.joints)
    np.testing.assert_allclose(person_extent(person, 100.0) + np.tile((150.0, 280.0), 2), rendered.extent)


def test_a_person_outside_of_the_picture_leaves_it_alone():
    image = _canvas()
    rendered = draw_person(image, sample_person(np.random.default_rng(6)), foot_xy=(-400.0, 280.0), px_per_m=100.0)
    assert (image == 127).all() and not rendered.mask.any() and not rendered.inside.any() and not rendered.visible.any()


def test_hiding_takes_pixels_and_joints():
    _, _, rendered = _render(7)
    before = int(rendered.mask.sum())
    upper = np.zeros(SIZE_HW, bool)
    upper[: int(rendered.joints[JOINT_INDEX["pelvis"], 1])] = True
    rendered.hide(upper)
    assert 0 < rendered.mask.sum() < before
    assert not rendered.visible[JOINT_INDEX["nose"]] and not (rendered.parts[upper] > 0).any()


def test_wrong_calls_are_named():
    person = sample_person(np.random.default_rng(0))
    with pytest.raises(ValueError, match="uint8"):
        draw_person(np.zeros((10, 10, 3)), person, foot_xy=(5, 5), px_per_m=5.0)
    with pytest.raises(ValueError, match="px_per_m"):
        draw_person(_canvas(), person, foot_xy=(5, 5), px_per_m=0.0)
    with pytest.raises(ValueError, match="swim"):
        sample_person(np.random.default_rng(0), action="swim")


def test_people_in_a_scene_share_no_pixel_and_hidden_joints_are_not_visible():
    for seed in range(6):
        scene = compose_scene(np.random.default_rng([9, seed]), (320, 240), 3, distant=0.5, crowds=0.5)
        masks = np.stack([person.mask for person in (*scene.people, *scene.tiny)]).astype(int)
        if scene.crowd is not None:
            masks = np.concatenate([masks, scene.crowd[None].astype(int)])
        assert masks.sum(0).max() <= 1
        for person in scene.people:
            columns, rows = np.rint(person.joints[person.visible]).astype(int).T
            assert person.mask[rows, columns].all()
