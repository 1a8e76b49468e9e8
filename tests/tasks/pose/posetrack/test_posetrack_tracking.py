"""Tracking: flow carries boxes and poses, memory bridges gaps, and neither interruption nor threads move a track."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from tasks.pose.posetrack.boxes import box_around, box_nms
from tasks.pose.posetrack.protocol import TrackRules
from tasks.pose.posetrack.tracking.flow import flow_between, grey, move
from tasks.pose.posetrack.tracking.tracker import Tracked, Tracker, track_pictures
from tasks.pose.skeletons.posetrack import POSETRACK
from tasks.tracking.joining import box_iou, match

SIGMAS = POSETRACK.sigmas()
RULES = TrackRules(box_nms=0.6, memory=2)


def run(
    pictures: list[np.ndarray], joints: np.ndarray, rules: TrackRules, seen: Any = None, tracker: Tracker | None = None
) -> list[Tracked]:
    """Tracks the cards: a box gives the joints of the card that it overlaps most, a detector finds those that `seen` (frames, 2)
    allows."""
    allowed = np.ones(joints.shape[:2], bool) if seen is None else np.asarray(seen)
    boxes = [box_around(joints[frame][allowed[frame]], 0.1) for frame in range(len(pictures))]

    def find(picture: np.ndarray, asked: np.ndarray) -> np.ndarray:
        frame = next(n for n in range(len(pictures)) if pictures[n] is picture)
        best = box_iou(asked, box_around(joints[frame], 0.1)).argmax(1)
        return np.concatenate([joints[frame][best], np.full((len(asked), 15, 1), 0.8)], axis=-1)

    given = [(box, np.full(len(box), 0.9)) for box in boxes]
    return list(track_pictures(pictures, given, find, tracker or Tracker(rules, SIGMAS)))


def ids(tracked: list[Tracked]) -> list[list[int]]:
    return [sorted(frame.ids.tolist()) for frame in tracked]


def test_flow_follows_what_moves(card_pictures: list[np.ndarray], card_joints: np.ndarray) -> None:
    flow = flow_between(grey(card_pictures[0]), grey(card_pictures[1]))
    inner = [2, 3, 12]  # joints well inside of a card
    for card in range(2):
        moved = move(card_joints[0, card], flow)
        assert np.abs(moved - card_joints[1, card])[inner].max() < 1.0
    outside = move([[-5.0, 10.0], [400.0, 10.0]], flow)
    np.testing.assert_array_equal(outside, [[-5.0, 10.0], [400.0, 10.0]])
    assert not flow_between(grey(card_pictures[0]), grey(card_pictures[1])[:50]).any()


def test_flow_does_not_depend_on_threads(card_pictures: list[np.ndarray]) -> None:
    before = cv2.getNumThreads()
    found = []
    try:
        for threads in (1, 2, 4):
            cv2.setNumThreads(threads)
            found.append(flow_between(grey(card_pictures[0]), grey(card_pictures[2])))
            assert cv2.getNumThreads() == threads
    finally:
        cv2.setNumThreads(before)
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)


def test_tracks_go_on(card_pictures: list[np.ndarray], card_joints: np.ndarray) -> None:
    tracked = run(card_pictures, card_joints, RULES)
    assert ids(tracked) == [[0, 1]] * len(card_pictures)
    lonely = replace(RULES, propagate=False, moved=False)
    assert ids(run(card_pictures, card_joints, lonely)) == [[0, 1]] * len(card_pictures)


def test_flow_carries_the_boxes_of_persons_that_the_detector_misses(
    card_pictures: list[np.ndarray], card_joints: np.ndarray
) -> None:
    seen = np.ones((len(card_pictures), 2), bool)
    seen[2:4, 0] = False
    assert ids(run(card_pictures, card_joints, RULES, seen)) == [[0, 1]] * len(card_pictures)
    # The cards' poses score 0.72, and 0.58 in a box that was carried: every frame lowers the trust in it.
    assert ids(run(card_pictures, card_joints, replace(RULES, carry_threshold=0.55), seen)) == [[0, 1]] * 6
    once = ids(run(card_pictures, card_joints, replace(RULES, carry_threshold=0.6), seen))
    assert [len(frame) for frame in once] == [2, 2, 2, 1, 2, 2]
    sure = ids(run(card_pictures, card_joints, replace(RULES, carry_threshold=0.73), seen))
    assert [len(frame) for frame in sure] == [2, 2, 1, 1, 2, 2]
    alone = ids(run(card_pictures, card_joints, replace(RULES, propagate=False), seen))
    assert [len(frame) for frame in alone] == [2, 2, 1, 1, 2, 2]


def test_memory_bridges_a_gap(card_pictures: list[np.ndarray], card_joints: np.ndarray) -> None:
    seen = np.ones((len(card_pictures), 2), bool)
    seen[2:4, 0] = False
    for memory, same in ((2, False), (3, True)):
        tracked = run(card_pictures, card_joints, replace(RULES, propagate=False, memory=memory), seen)
        assert (ids(tracked)[-1] == [0, 1]) is same
    # Unmoved, the memory of a fast card is too far behind.
    still = replace(RULES, propagate=False, memory=4, moved=False, match_threshold=0.6)
    assert ids(run(card_pictures, card_joints, still, seen))[-1] != [0, 1]


def test_interrupted_equals_uninterrupted(card_pictures: list[np.ndarray], card_joints: np.ndarray) -> None:
    seen = np.ones((len(card_pictures), 2), bool)
    seen[1, 1] = seen[3, 0] = False
    whole = run(card_pictures, card_joints, RULES, seen)
    for stop in range(1, len(card_pictures)):
        first = Tracker(RULES, SIGMAS)
        begun = run(card_pictures[:stop], card_joints[:stop], RULES, seen[:stop], first)
        second = Tracker(RULES, SIGMAS, state=copy.deepcopy(first.state))
        both = [*begun, *run(card_pictures[stop:], card_joints[stop:], RULES, seen[stop:], second)]
        for one, other in zip(whole, both, strict=True):
            for name in ("ids", "keypoints", "present", "scores", "boxes"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_nothing_is_carried_over_a_change_of_shots(card_pictures: list[np.ndarray], card_joints: np.ndarray) -> None:
    cut = [*card_pictures[:3], *(np.ascontiguousarray(one[:, ::-1]) for one in card_pictures[3:])]
    length = 2.0
    tracked = run(cut, card_joints, replace(RULES, shot_px=length))
    assert ids(tracked)[2] == [0, 1] and ids(tracked)[3] == [2, 3]


def test_joints_below_the_threshold_leave_before_tracking() -> None:
    tracker = Tracker(TrackRules(joint_threshold=0.5), SIGMAS)
    pose = np.random.default_rng(0).uniform(10, 60, (2, 15, 3))
    pose[..., 2] = 0.4
    pose[0, :5, 2] = 0.6
    boxes, scores = tracker.propose(np.zeros((80, 80, 3), np.uint8), [[5, 5, 60, 60], [20, 5, 75, 60]], [0.9, 0.8])
    found = tracker.update(boxes, scores, pose)
    assert found.present.tolist() == [[True] * 5 + [False] * 10]
    np.testing.assert_allclose(found.scores, [0.6 * 0.9])
    tracker = Tracker(TrackRules(joint_threshold=0.5, min_joints=6), SIGMAS)
    boxes, scores = tracker.propose(np.zeros((80, 80, 3), np.uint8), [[5, 5, 60, 60]], [0.9])
    assert not len(tracker.update(boxes, scores, pose[:1]).ids)


def test_like_poses_are_one() -> None:
    pose = np.random.default_rng(0).uniform(10, 60, (1, 15, 3))
    pose[..., 2] = 0.8
    twice = np.concatenate([pose, pose + np.array([0.2, 0.2, 0.0])])
    for nms, count in (("oks", 1), ("none", 2)):
        tracker = Tracker(TrackRules(nms=nms), SIGMAS)  # type: ignore[arg-type]
        tracker.propose(np.zeros((80, 80, 3), np.uint8), [], [])
        assert len(tracker.update(np.zeros((2, 4)), [0.9, 0.8], twice).ids) == count


def test_an_empty_video_and_an_empty_frame() -> None:
    tracker = Tracker(RULES, SIGMAS)
    blank = np.zeros((40, 40, 3), np.uint8)
    nobody = [(np.zeros((0, 4)), np.zeros(0))] * 3
    tracked = list(track_pictures([blank] * 3, nobody, lambda *_: pytest.fail("nothing to look at"), tracker))
    assert [frame.keypoints.shape for frame in tracked] == [(0, 15, 3)] * 3
    assert not list(track_pictures([], [], lambda *_: [], Tracker(RULES, SIGMAS)))


def test_matching_maximises_what_it_says() -> None:
    similarity = np.array([[0.9, 0.8], [0.85, 0.1]])
    np.testing.assert_array_equal(match(similarity, 0.3, "greedy"), [0, -1])
    np.testing.assert_array_equal(match(similarity, 0.3, "hungarian"), [1, 0])
    np.testing.assert_array_equal(match(similarity[:, ::-1], 0.3, "sequential"), [0, 1])
    np.testing.assert_array_equal(match(np.zeros((0, 3)), 0.3), [-1, -1, -1])
    np.testing.assert_array_equal(match(np.full((2, 2), 0.3), 0.3), [-1, -1])


def test_equal_scores_keep_the_first_box() -> None:
    boxes = [[0, 0, 10, 10], [0, 0, 10, 10], [50, 50, 60, 60]]
    assert box_nms(boxes, [0.5, 0.5, 0.7], 0.5).tolist() == [2, 0]


@pytest.mark.parametrize(
    "change", [{"box_nms": 2}, {"memory": 0}, {"min_joints": 0}, {"match_threshold": -1}, {"shot_px": -1}]
)
def test_rules_that_cannot_be_followed_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        TrackRules(**change)  # type: ignore[arg-type]
