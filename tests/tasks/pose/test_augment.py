"""Odds and ranges of the augmentation draws; half-body boxes; poses that compete."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.pose.crops.augment import PoseAugment, draw, half_body
from tasks.pose.entries import ENTRIES
from tasks.pose.skeletons.coco import COCO
from tasks.pose.skeletons.joints import Skeleton
from tasks.pose.skeletons.nms import oks, oks_nms, rescore, soft_oks_nms

JOINTS = np.random.default_rng(1).uniform(50, 300, (17, 2))
CENTRE, SCALE = np.array([100.0, 120.0]), np.array([0.9, 1.2])


def draws(augment: PoseAugment, count: int = 3000) -> list:
    return [
        draw(np.random.default_rng([0, k]), augment, CENTRE, SCALE, JOINTS, np.ones(17), COCO.upper, 0.75)
        for k in range(count)
    ]


def test_odds_and_ranges() -> None:
    augment = PoseAugment(scale_factor=0.35, rotation_factor=45)
    made = draws(augment)
    turned = np.array([d.rotation_deg for d in made])
    factor = np.array([d.scale[0] / SCALE[0] for d in made])
    assert np.mean(turned != 0) == pytest.approx(0.6, abs=0.03)
    assert np.mean([d.flip for d in made]) == pytest.approx(0.5, abs=0.03)
    assert (
        np.abs(turned).max() == pytest.approx(90)
        and factor.min() == pytest.approx(0.65)
        and factor.max() == pytest.approx(1.35)
    )
    np.testing.assert_allclose(made[0].centre, CENTRE)


def test_half_body_is_upper_in_69_of_100() -> None:
    made = draws(PoseAugment(half_body_prob=1.0, flip_prob=0.0))
    upper = half_body(JOINTS, np.ones(17), COCO.upper, True, 0.75)
    assert upper is not None
    share = np.mean([np.allclose(d.centre, upper[0], atol=1e-3) for d in made])
    assert share == pytest.approx(0.691, abs=0.03)
    few = np.zeros(17)
    few[:8] = 1
    kept = draw(np.random.default_rng(0), PoseAugment(half_body_prob=1.0), CENTRE, SCALE, JOINTS, few, COCO.upper, 0.75)
    np.testing.assert_allclose(kept.centre, CENTRE)


def test_half_body_falls_back() -> None:
    seen = np.zeros(17)
    seen[[0, 1]] = 1
    assert half_body(JOINTS, seen, COCO.upper, False, 0.75) is not None
    seen[1] = 0
    assert half_body(JOINTS, seen, COCO.upper, True, 0.75) is None


def test_no_augmentation_changes_nothing() -> None:
    plain = PoseAugment(scale_factor=0, rotation_factor=0, flip_prob=0)
    for made in draws(plain, 20):
        np.testing.assert_allclose(made.scale, SCALE, rtol=1e-6)
        assert made.rotation_deg == 0 and not made.flip and made.colour is None


def test_same_generator_same_draw() -> None:
    augment = PoseAugment(scale_factor=0.3, rotation_factor=40, half_body_prob=0.3, colour=0.2)
    for one, two in zip(draws(augment, 5), draws(augment, 5), strict=True):
        np.testing.assert_array_equal(one.scale, two.scale)
        np.testing.assert_array_equal(one.colour, two.colour)
        assert one.rotation_deg == two.rotation_deg


@pytest.mark.parametrize("skeleton", [entry.skeleton for entry in ENTRIES.values()], ids=ENTRIES)
def test_skeletons_are_consistent(skeleton: Skeleton) -> None:
    count = skeleton.num_joints
    assert len(skeleton.loss_weights) == count
    for left, right in skeleton.pairs:
        sides = {skeleton.names[left].split("_")[0], skeleton.names[right].split("_")[0]}
        assert sides == {"left", "right"}
        assert skeleton.names[left].split("_")[1] == skeleton.names[right].split("_")[1]
        assert skeleton.loss_weights[left] == skeleton.loss_weights[right]
    assert {joint for bone in skeleton.bones for joint in bone} == set(range(count))


def test_oks_nms_drops_twins_and_soft_keeps_them_last() -> None:
    rng = np.random.default_rng(0)
    pose = rng.uniform(0, 200, (17, 3))
    other = pose + np.array([300, 0, 0])
    poses, scores, areas = np.stack([pose, pose + 0.01, other]), np.array([0.9, 0.8, 0.5]), np.full(3, 2e4)
    assert oks(pose, poses, 2e4, areas, COCO.sigmas())[0] == pytest.approx(1)
    assert oks_nms(poses, scores, areas, 0.9, COCO.sigmas()).tolist() == [0, 2]
    assert soft_oks_nms(poses, scores, areas, 0.9, COCO.sigmas()).tolist() == [0, 2, 1]
    assert oks_nms(poses[:0], scores[:0], areas[:0], 0.9, COCO.sigmas()).tolist() == []


def test_rescore_means_only_confident_joints() -> None:
    points = np.array([[0.5, 0.3, 0.1], [0.1, 0.1, 0.2]])
    np.testing.assert_allclose(rescore([0.5, 1.0], points, 0.2), [0.5 * 0.4, 0.0])


def test_truncated_draws_keep_their_bounds_and_shift() -> None:
    """mmpose's spread: scales within f of 1, rotations within f degrees, some boxes moved."""
    augment = PoseAugment(
        spread="truncated", scale_factor=0.5, rotation_factor=80, shift_factor=0.16, flip_prob=0.5, half_body_prob=0.0
    )
    centre, scale = np.array([100.0, 80.0], np.float32), np.array([0.5, 0.7], np.float32)
    draws = [
        draw(np.random.default_rng(k), augment, centre, scale, np.zeros((17, 2)), np.ones(17), (0,), 0.75)
        for k in range(400)
    ]
    ratios = np.array([made.scale[0] / scale[0] for made in draws])
    angles = np.array([made.rotation_deg for made in draws])
    moved = np.array([np.abs(made.centre - centre) / (scale * 200) for made in draws])
    assert 0.5 <= ratios.min() < 0.6 and 1.4 < ratios.max() <= 1.5 and abs(ratios.mean() - 1) < 0.05
    assert 60 < np.abs(angles).max() <= 80 and 0.3 < (angles == 0).mean() < 0.5
    assert 0.1 < moved.max() <= 0.161 and 0.6 < (moved.max(1) == 0).mean() < 0.8
    assert 0.4 < np.mean([made.flip for made in draws]) < 0.6
