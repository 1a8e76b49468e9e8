"""Poses of successive frames as tracks: boxes carried over by optical flow, box NMS, pose, matching.

    tracker = Tracker(rules, sigmas)
    for picture in pictures:                                  # RGB, in order
        boxes, scores = tracker.propose(picture, detected, their_scores)
        tracked = tracker.update(boxes, scores, keypoints)    # keypoints (N, J, 3) found in those boxes

or `track_pictures`, which does this for a whole video. The state of a tracker is plain data: a video tracked in two parts, with
the state handed over, equals one tracked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.pose.posetrack.boxes import box_around, box_nms
from tasks.pose.posetrack.from_coco import joint_scores
from tasks.pose.posetrack.matching import similarities
from tasks.pose.posetrack.protocol import TrackRules
from tasks.pose.posetrack.tracking.flow import flow_between, grey, mean_length, move
from tasks.pose.skeletons.nms import oks_nms
from tasks.tracking.joining import continued, track_similarities

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tracked:
    """The N persons of a frame.

    Attributes:
        ids: (N,) track ids. keypoints: (N, J, 3) x, y px and the score that ranks the joint. present: (N, J) bool, which joints
            reach the threshold. scores: (N,) of the persons. boxes: (N, 4) x1, y1, x2, y2 px that they were looked for in.
    """

    ids: NDArray[np.int64]
    keypoints: Floats
    present: NDArray[np.bool_]
    scores: Floats
    boxes: Floats


@dataclass
class TrackState:
    """What a tracker remembers between frames.

    Attributes:
        grey: (H, W) uint8, the picture before. next_id: the next new track's. number: how many frames have counted.
        poses: (M, J, 2) px, where the poses remembered are in the picture before; present: (M, J) which joints counted.
        ids, scores, frame: (M,) their tracks, their scores, and the number of the frame that each was found in.
    """

    grey: NDArray[np.uint8] | None = None
    next_id: int = 0
    number: int = 0
    poses: Floats = field(default_factory=lambda: np.zeros((0, 0, 2)))
    present: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))
    ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    scores: Floats = field(default_factory=lambda: np.zeros(0))
    frame: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


class Tracker:
    """Gives the poses of successive frames their track ids.

    Args:
        rules: every rule that can move a result. sigmas: (J,) OKS tolerances. carries: whether poses give boxes to the next
            frame, where the rules want it; annotated boxes stand alone. state: of a tracker that stopped before.
    """

    def __init__(
        self, rules: TrackRules, sigmas: ArrayLike, *, carries: bool = True, state: TrackState | None = None
    ) -> None:
        self.rules, self.sigmas = rules, np.asarray(sigmas, dtype=np.float64)
        self.carries = carries and rules.propagate
        self.state = TrackState() if state is None else state
        self._flow: NDArray[np.float32] | None = None

    def propose(self, picture: NDArray[np.uint8], detected: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats]:
        """Moves what is remembered into this picture, and gives the boxes (N, 4) to look at, best first, with their scores.

        Args:
            picture: RGB (H, W, 3). detected: (D, 4) x1, y1, x2, y2 of a detector or annotation, with scores (D,).
        """
        self._move(grey(picture))
        boxes = np.asarray(detected, dtype=np.float64).reshape(-1, 4)
        values = np.asarray(scores, dtype=np.float64).reshape(-1)
        if not self.carries:
            return boxes, values
        carried, theirs = self._carried()
        boxes, values = np.concatenate([boxes, carried]), np.concatenate([values, theirs])
        kept = box_nms(boxes, values, self.rules.box_nms)
        return boxes[kept], values[kept]

    def update(self, boxes: ArrayLike, box_scores: ArrayLike, keypoints: ArrayLike, *, counts: bool = True) -> Tracked:
        """The frame's persons with their track ids.

        Args:
            boxes, box_scores: as proposed. keypoints: (N, J, 3) x, y px and score of the pose found in each.
            counts: whether the frame makes what is remembered a frame older (one without labels does not, where annotated
                boxes are looked at).
        """
        found = self._chosen(boxes, box_scores, keypoints)
        state, rules = self.state, self.rules
        tracks, alike = np.zeros(0, dtype=np.int64), np.zeros((0, len(found.scores)))
        if len(state.ids) and len(found.scores):
            every = similarities(rules.similarity, state.poses, found.keypoints[..., :2], self.sigmas)
            tracks, alike = track_similarities(every, state.ids.tolist())
        if not len(tracks):
            alike = np.zeros((0, len(found.scores)))
        ids, state.next_id = continued(alike, tracks.tolist(), rules.match_threshold, state.next_id, rules.assignment)
        self._remember(ids, found, counts)
        return Tracked(ids, found.keypoints, found.present, found.scores, found.boxes)

    def _move(self, picture: NDArray[np.uint8]) -> None:
        state, before = self.state, self.state.grey
        state.grey, self._flow = picture, None
        if before is None or not len(state.ids) or not (self.rules.moved or self.carries):
            return
        flow = flow_between(before, picture, self.rules.flow)
        if self.rules.shot_px and mean_length(flow) > self.rules.shot_px:
            self._keep(np.zeros(len(state.ids), dtype=bool))
        elif self.rules.moved:
            state.poses = move(state.poses, flow)
        else:
            self._flow = flow

    def _carried(self) -> tuple[Floats, Floats]:
        """Boxes around the moved poses of the frame before, and their scores."""
        state = self.state
        eligible = (state.present.sum(-1) >= 2) & (state.scores >= self.rules.carry_threshold)
        newest = np.flatnonzero((state.frame == state.number) & eligible)
        poses = state.poses if self._flow is None else move(state.poses, self._flow)
        boxes = [box_around(poses[row, state.present[row]], self.rules.box_margin) for row in newest]
        sized = [place for place, box in enumerate(boxes) if (box[2:] - box[:2] > 1).all()]
        return np.array([boxes[place] for place in sized]).reshape(-1, 4), state.scores[newest[sized]]

    def _chosen(self, boxes: ArrayLike, box_scores: ArrayLike, keypoints: ArrayLike) -> Tracked:
        """The poses that are kept, without ids: those with enough joints, of like ones the best."""
        rules = self.rules
        poses = np.array(keypoints, dtype=np.float64).reshape(-1, len(self.sigmas), 3)
        present = poses[..., 2] >= rules.joint_threshold
        own = np.where(present, poses[..., 2], 0.0).sum(1) / np.maximum(present.sum(1), 1)
        scores = own * np.asarray(box_scores, dtype=np.float64).reshape(-1)
        poses[..., 2] = joint_scores(poses[..., 2], scores, rules.joint_score)
        kept = np.flatnonzero(present.sum(1) >= rules.min_joints)
        if rules.nms == "oks" and len(kept):
            extent = box_around(poses[kept, :, :2], 0.0)
            areas = np.prod(extent[:, 2:] - extent[:, :2], axis=1)
            # From the last to the first, so that of equal scores the first stays.
            order = kept[::-1]
            kept = np.sort(order[oks_nms(poses[order], scores[order], areas[::-1], rules.nms_threshold, self.sigmas)])
        at = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
        return Tracked(np.zeros(len(kept), dtype=np.int64), poses[kept], present[kept], scores[kept], at[kept])

    def _remember(self, ids: NDArray[np.int64], found: Tracked, counts: bool) -> None:
        state = self.state
        state.number += counts
        if not state.poses.shape[1]:
            state.poses = np.zeros((0, len(self.sigmas), 2))
            state.present = np.zeros((0, len(self.sigmas)), dtype=bool)
        state.poses = np.concatenate([state.poses, found.keypoints[..., :2]])
        state.present = np.concatenate([state.present, found.present])
        state.ids = np.concatenate([state.ids, ids])
        state.scores = np.concatenate([state.scores, np.minimum(found.scores, 1.0)])
        state.frame = np.concatenate([state.frame, np.full(len(ids), state.number)])
        self._keep(state.frame > state.number - self.rules.memory)

    def _keep(self, rows: NDArray[np.bool_]) -> None:
        state = self.state
        state.poses, state.present = state.poses[rows], state.present[rows]
        state.ids, state.scores, state.frame = state.ids[rows], state.scores[rows], state.frame[rows]


Boxes = tuple[ArrayLike, ArrayLike]
PoseFinder = Callable[[NDArray[np.uint8], Floats], ArrayLike]
"""Keypoints (N, J, 3) of the persons in boxes (N, 4) x1, y1, x2, y2 of an RGB picture."""


def track_pictures(
    pictures: Iterable[NDArray[np.uint8]],
    boxes: Iterable[Boxes],
    find: PoseFinder,
    tracker: Tracker,
    counted: Iterable[bool] | None = None,
) -> Iterator[Tracked]:
    """The tracked persons of every picture of a video, in order, one picture in memory at a time.

    Args:
        pictures: RGB (H, W, 3) uint8. boxes: of each, what a detector found: (D, 4) x1, y1, x2, y2 px and scores (D,).
        find: the pose network. tracker: new, or with the state that an earlier part of the video left.
        counted: of each, whether it makes what is remembered a frame older; None for all.
    """
    ages = iter(counted) if counted is not None else None
    for picture, (detected, scores) in zip(pictures, boxes, strict=True):
        proposed, values = tracker.propose(picture, detected, scores)
        keypoints = find(picture, proposed) if len(proposed) else np.zeros((0, len(tracker.sigmas), 3))
        yield tracker.update(proposed, values, keypoints, counts=True if ages is None else next(ages))
