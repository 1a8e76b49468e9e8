"""Poses in pictures of one's own: the result, the network's way from boxes to it, and where boxes are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tasks.files.names import as_posix
from tasks.geometry import boxes_to_centre_scale, boxes_to_centre_scale_mmpose, xywh_to_xyxy, xyxy_to_xywh
from tasks.pose.crops.person_crop import person_inputs
from tasks.pose.drawing import draw_pose, draw_tracks
from tasks.pose.entries import ENTRIES
from tasks.pose.files.box_files import BoxFile, refuse_doubles
from tasks.pose.files.coco import kept_boxes
from tasks.pose.posetrack.protocol import PoseTrackProtocol, TrackRules
from tasks.pose.posetrack.tracking.tracker import Tracker
from tasks.pose.protocol import CocoProtocol, PoseProtocol, check_protocol
from tasks.pose.skeletons.joints import Skeleton, check_joints
from tasks.pose.skeletons.nms import rescore
from tasks.results.box_source import BoxSource, GivenBoxes, declared_above
from tasks.results.result import Result, as_key_points
from tasks.results.tracks import track_colour, with_ids

if TYPE_CHECKING:
    from torch import nn

    from tasks.base import Task

SHOWN_SCORE = 0.1
TOGETHER = 16
"""Persons that go through the network together."""
DECIMALS = 10
"""Of px: what the way from x, y, w, h to corners and back adds to a number is taken off again."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PoseResult(Result):
    """N persons.

    Attributes:
        keypoints_px: (N, J, 2) float32 x, y. scores: (N, J) of the joints, the peaks' heights.
        boxes_xyxy_px: (N, 4) the boxes that were looked into. names: of the J joints.
        person_scores: (N,) by the benchmark's rule (COCO: the mean of the joints above a threshold).
        category_id, category: what the boxes hold.
        track_ids: (N,) of a video; None elsewhere. skeleton: what a drawing connects.
        shown_score: joints scored above are drawn; None for 0.1, or a tenth of the person's best joint where that is less.
    """

    keypoints_px: NDArray[np.float32]
    scores: NDArray[np.float32]
    boxes_xyxy_px: NDArray[np.float64]
    names: tuple[str, ...]
    person_scores: NDArray[np.float64]
    skeleton: Skeleton
    category_id: int = 1
    category: str = "person"
    track_ids: NDArray[np.int64] | None = None
    shown_score: float | None = None

    def __len__(self) -> int:
        return len(self.keypoints_px)

    def draw(self, image: Any = None) -> NDArray[np.uint8]:
        """Skeletons at the picture's own size; tracks in their own colours, with their ids."""
        canvas = self.shown(image)
        best = np.minimum(1.0, self.scores.max(1, initial=0.0, keepdims=True))
        present = self.scores > (SHOWN_SCORE * best if self.shown_score is None else self.shown_score)
        if self.track_ids is not None:
            return draw_tracks(canvas, self.keypoints_px, present, self.track_ids.tolist(), self.skeleton)
        for row in range(len(self)):
            height = float(self.boxes_xyxy_px[row, 3] - self.boxes_xyxy_px[row, 1])
            canvas = draw_pose(canvas, self.keypoints_px[row], present[row], self.skeleton, track_colour(row), height)
        return canvas

    def to_coco(self) -> list[dict[str, Any]]:
        """COCO's keypoint results: image_id, category_id, keypoints (x, y, score of every joint), score; track_id of videos."""
        triples = np.concatenate([self.keypoints_px, self.scores[..., None]], -1).astype(np.float64)
        records: list[dict[str, Any]] = [
            {
                **self.image_id(),
                "category_id": self.category_id,
                "keypoints": pose.reshape(-1).tolist(),
                "score": float(score),
            }
            for pose, score in zip(triples, self.person_scores, strict=True)
        ]
        return with_ids(records, self.track_ids)

    def to_plain(self) -> dict[str, Any]:
        """{image, boxes_from, names, persons: [{category_id, category, box (x, y, w, h), keypoints, score}]}."""
        boxes = xyxy_to_xywh(self.boxes_xyxy_px).round(2).tolist()
        triples = np.concatenate([self.keypoints_px, self.scores[..., None]], -1).tolist()
        what = {"category_id": self.category_id, "category": self.category}
        persons: list[dict[str, Any]] = [
            {**what, "box": box, "keypoints": pose, "score": float(score)}
            for box, pose, score in zip(boxes, triples, self.person_scores, strict=True)
        ]
        note = {"note": self.note} if self.note else {}
        return {
            "image": self.image,
            "boxes_from": self.boxes_from,
            "names": list(self.names),
            "persons": with_ids(persons, self.track_ids),
        } | note

    def to_supervision(self) -> Any:
        """supervision.KeyPoints."""
        return as_key_points(self.keypoints_px, self.scores, self.category_id)


def frames_around(
    boxes_xyxy: NDArray[np.float64], protocol: PoseProtocol
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Centres and scales (N, 2) of the crops around boxes (N, 4), by the protocol's rule."""
    boxes = xyxy_to_xywh(boxes_xyxy).round(DECIMALS)
    aspect = protocol.input_wh[0] / protocol.input_wh[1]
    of_mmpose = isinstance(protocol, CocoProtocol) and protocol.box_rule == "mmpose"
    return (boxes_to_centre_scale_mmpose if of_mmpose else boxes_to_centre_scale)(boxes, aspect)


def predict_pictures(
    task: Task,
    model: nn.Module,
    skeleton: Skeleton,
    pictures: Sequence[NDArray[np.uint8]],
    protocol: PoseProtocol,
    boxes: Sequence[NDArray[np.float64]],
    category: tuple[int, str] = (1, "person"),
) -> list[PoseResult]:
    """The poses in boxes (N, 4) of every RGB picture, persons of several pictures batched together; raises ValueError where they
    are not finite."""
    from tasks.model import network_batch, require_finite_values

    check_protocol(protocol)
    if not isinstance(protocol, PoseTrackProtocol):  # whose networks may have COCO's joints
        check_joints(model, skeleton)
    crops: list[tuple[int, NDArray[np.floating], NDArray[np.floating]]] = []
    for number, found in enumerate(boxes):
        if len(found):
            crops += [(number, c, s) for c, s in zip(*frames_around(found, protocol), strict=True)]
    seen = [p if protocol.colour == "rgb" else np.ascontiguousarray(p[..., ::-1]) for p in pictures]
    poses: list[NDArray[np.float32]] = []
    for start in range(0, len(crops), TOGETHER):
        part = crops[start : start + TOGETHER]
        batch = {
            "images": network_batch(np.stack([person_inputs(seen[n], c, s, protocol) for n, c, s in part]), model),
            "centre": np.stack([centre for _, centre, _ in part]),
            "scale": np.stack([scale for _, _, scale in part]),
        }
        poses += task.predict(model, batch, protocol)
    owner = np.array([number for number, _, _ in crops], np.int64)
    made = np.array(poses, np.float32).reshape(len(crops), skeleton.num_joints, 3)
    require_finite_values(made)
    return [
        _result(made[owner == number], np.asarray(found, np.float64), skeleton, protocol, category)
        for number, found in enumerate(boxes)
    ]


def _result(
    poses: NDArray[np.float32],
    boxes: NDArray[np.float64],
    skeleton: Skeleton,
    protocol: PoseProtocol,
    category: tuple[int, str],
) -> PoseResult:
    scores = poses[..., 2]
    if isinstance(protocol, CocoProtocol):
        of_persons = rescore(np.ones(len(poses)), scores, protocol.keypoint_threshold)
    else:
        of_persons = scores.mean(1)
    return PoseResult(
        keypoints_px=poses[..., :2],
        scores=scores,
        boxes_xyxy_px=boxes.reshape(-1, 4),
        names=skeleton.names,
        person_scores=np.asarray(of_persons, np.float64),
        skeleton=skeleton,
        category_id=category[0],
        category=category[1],
    )


def annotated_boxes(given: GivenBoxes, size_wh: tuple[int, int], protocol: PoseProtocol) -> GivenBoxes:
    """COCO's annotated boxes by the protocol's rule (`kept_boxes`): clipped, and HRNet's without their last pixel."""
    if not isinstance(protocol, CocoProtocol) or not len(given.xyxy_px):
        return given
    sizes, some = np.tile(size_wh, (len(given.xyxy_px), 1)), np.ones((len(given.xyxy_px), 1, 3))
    boxes, _ = kept_boxes(xyxy_to_xywh(given.xyxy_px), some, sizes, protocol.box_rule)
    return replace(given, xyxy_px=xywh_to_xyxy(boxes))


JOINED = TrackRules(propagate=False, joint_threshold=0.0, nms="none")
"""Of boxes that are known: every pose stays as a picture's, and gets an id."""


def video_rules(joints: int) -> TrackRules:
    """How networks without a tracking protocol of their own follow a detector's boxes; thresholds chosen on rendered videos."""
    return TrackRules(carry_threshold=0.3, box_nms=0.4, min_joints=max(1, joints // 4), nms_threshold=0.5)


class PoseTracks:
    """The persons of one video's frames, taken in order, with ids that PoseTrack's tracker joins from frame to frame.

    Under PoseTrack's protocol a frame goes its way of evaluation, by its rules; other networks' frames go it by `video_rules`.
    Where boxes are known they are looked into alone. See `tasks.pose.posetrack.tracking.tracker`.
    """

    def __init__(
        self, task: Task, model: nn.Module, skeleton: Skeleton, protocol: PoseProtocol, category: tuple[int, str]
    ) -> None:
        self.task, self.model, self.protocol = task, model, protocol
        self.skeleton, self.category = skeleton, category
        self.rules = protocol if isinstance(protocol, PoseTrackProtocol) else video_rules(skeleton.num_joints)
        self._tracker: Tracker | None = None

    def __call__(self, picture: NDArray[np.uint8], given: GivenBoxes) -> PoseResult:
        """The persons of the next frame (H, W, 3) RGB; boxes without scores are known."""
        if given.scores is not None:
            return self._tracked(picture, given.xyxy_px, given.scores)
        result, sure = self._pictured(picture, given.xyxy_px), np.ones(len(given.xyxy_px))
        tracker = self._kept(JOINED)
        tracker.propose(picture, given.xyxy_px, sure)
        poses = np.concatenate([result.keypoints_px, result.scores.clip(0)[..., None]], -1)
        return replace(result, track_ids=tracker.update(given.xyxy_px, sure, poses).ids)

    def _tracked(
        self, picture: NDArray[np.uint8], boxes: NDArray[np.float64], scores: NDArray[np.float64]
    ) -> PoseResult:
        tracker = self._kept(self.rules)
        proposed, values = tracker.propose(picture, boxes, scores)
        found = tracker.update(proposed, values, self._poses(picture, proposed))
        least = f"no pose of {self.rules.min_joints} joints or more above {self.rules.joint_threshold:g}"
        return PoseResult(
            keypoints_px=found.keypoints[..., :2].astype(np.float32),
            scores=found.keypoints[..., 2].astype(np.float32),
            boxes_xyxy_px=found.boxes,
            names=self.skeleton.names,
            person_scores=found.scores,
            skeleton=self.skeleton,
            category_id=self.category[0],
            category=self.category[1],
            track_ids=found.ids,
            shown_score=self.rules.joint_threshold,
            note=least if len(boxes) and not len(found.ids) else "",
        )

    def _poses(self, picture: NDArray[np.uint8], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Keypoints (N, J, 3) in boxes (N, 4)."""
        from tasks.pose.posetrack.inference import poses_in

        if not len(boxes):
            return np.zeros((0, self.skeleton.num_joints, 3))
        if isinstance(self.protocol, PoseTrackProtocol):
            return poses_in(self.task, self.model, picture, boxes, self.protocol)
        result = self._pictured(picture, boxes)
        return np.concatenate([result.keypoints_px, result.scores[..., None]], -1, dtype=np.float64)

    def _pictured(self, picture: NDArray[np.uint8], boxes: NDArray[np.float64]) -> PoseResult:
        return predict_pictures(self.task, self.model, self.skeleton, [picture], self.protocol, [boxes], self.category)[
            0
        ]

    def _kept(self, rules: TrackRules) -> Tracker:
        if self._tracker is None:
            self._tracker = Tracker(rules, self.skeleton.track_sigmas())
        return self._tracker


class PersonBoxes(BoxSource):
    """Person boxes: those of a named file, else what the dataset that a picture lies in holds of it.

    Args:
        named: the file. images: all pictures that are asked for. annotated_only: of a dataset its annotations, no detections.
        category: number and name of what the boxes hold.

    Raises:
        ValueError: the file cannot be read, or two pictures are one by its names.
    """

    def __init__(
        self,
        named: Path | None,
        images: Sequence[Path],
        annotated_only: bool = False,
        category: tuple[int, str] = (1, "person"),
    ) -> None:
        self.category = category
        self.named = None if named is None else BoxFile(named, *category)
        self.annotated_only = annotated_only
        self._read: dict[Path, BoxFile] = {}
        if self.named is not None:
            refuse_doubles(images, self.named)

    def of(self, image: Path, size_wh: tuple[int, int], min_score: float = 0.0) -> GivenBoxes | None:
        """As of any source; of a dataset the annotations come first, then its detections.

        Raises:
            ValueError: the named file does not know the picture.
        """
        if self.named is not None:
            found = self.named.of_picture(image, size_wh, min_score)
            if found is None:
                others = self.named.namesakes(image)
                hint = f" (it lists {', '.join(others[:3])}, in other folders)" if others else ""
                raise ValueError(
                    f"Expected person boxes of {image.name} in {self.named.path} but it names none{hint}; add an entry, or leave "
                    "out --boxes"
                )
            return _given(found.boxes, self.named, found.why)
        for path in self._candidates(image):
            file = self._read[path] = self._read.get(path) or BoxFile(path, *self.category)
            found = file.of_picture(image, size_wh, min_score)
            if found is not None and found.boxes:
                return _given(found.boxes, file, found.why)
        return None

    def _candidates(self, image: Path) -> list[Path]:
        """The files beside a picture that may know its persons."""
        image = image.absolute()
        paths = [
            folder / as_posix(str(split.annotations))
            for folder, declared in declared_above(image, "coco-keypoints")
            for split in declared.splits.values()
        ]
        for entry in ENTRIES.values():
            paths += entry.beside(image, self.annotated_only)
        return [path for path in paths if path.is_file()]


def _given(boxes: Sequence[NDArray[np.float64]], file: BoxFile, why: str) -> GivenBoxes:
    corners = xywh_to_xyxy(np.array(boxes, np.float64).reshape(-1, 4))
    return GivenBoxes(corners, str(file.path), why, annotated=file.images is not None)
