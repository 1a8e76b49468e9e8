"""What can move a score on PoseTrack: PoseProtocol's fields, which boxes are looked at, and how poses become tracks.

Defaults are SimpleBaseline's and HRNet's procedure as far as their papers tell it; their tracking code was never released, and
neither the thresholds of box suppression and matching nor the number of remembered frames is printed. Those are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.baselines import traits_of
from tasks.pose.posetrack.from_coco import JointScore
from tasks.pose.posetrack.matching import Similarity
from tasks.pose.protocol import PoseProtocol, Start, body_of, pose_protocol
from tasks.tracking.joining import Assignment


@dataclass(frozen=True)
class TrackRules:
    """How poses of successive frames become tracks.

    Attributes:
        propagate, carry_threshold: poses of the frame before that score at least so much, moved by optical flow, give further
            boxes beside the detector's, with that score, by which the pose found in one is scored too: trust in a person whom
            the detector does not see fades. Of annotated boxes there are no further ones.
        flow: preset of OpenCV's DIS flow. shot_px: a mean length of the flow above this (px) is a change of shots, over which
            nothing is carried; 0 for never (DetectAndTrack: 6).
        box_margin: boxes around joints are longer than their extent by this share, half at each end.
        box_nms: boxes that overlap a better one by more (IoU) are left out.
        joint_threshold, min_joints: joints scored below this are left out before tracking, and persons with fewer joints.
        nms, nms_threshold: poses more alike than this (OKS) are one.
        similarity, moved, assignment, match_threshold: poses continue the tracks to which they are most alike, above the
            threshold; `moved`: remembered poses follow the flow first; see `tasks.pose.posetrack.matching.match`.
        memory: of how many frames back poses are remembered; a track is as alike as its most alike pose.
        joint_score: what ranks joints in average precision; see `tasks.pose.posetrack.from_coco.joint_scores`.
    """

    propagate: bool = True
    carry_threshold: float = 0.0
    flow: Literal["dis_ultrafast", "dis_fast", "dis_medium"] = "dis_medium"
    shot_px: float = 0.0
    box_margin: float = 0.15
    box_nms: float = 0.5
    joint_threshold: float = 0.4
    min_joints: int = 1
    nms: Literal["oks", "none"] = "oks"
    nms_threshold: float = 0.9
    similarity: Similarity = "oks"
    moved: bool = True
    assignment: Assignment = "greedy"
    match_threshold: float = 0.3
    memory: int = 4
    joint_score: JointScore = "local"

    def __post_init__(self) -> None:
        """Raises ValueError for a value that no rule can be followed with; the field is named."""
        for name in ("box_nms", "carry_threshold", "joint_threshold", "nms_threshold", "match_threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"Expected {name} between 0 and 1, got {getattr(self, name)}.")
        for name in ("shot_px", "box_margin"):
            if not 0 <= getattr(self, name) < 1e6:
                raise ValueError(f"Expected {name} of at least 0, got {getattr(self, name)}.")
        for name in ("memory", "min_joints"):
            if getattr(self, name) < 1:
                raise ValueError(f"Expected {name} of at least 1, got {getattr(self, name)}.")


@dataclass(frozen=True)
class PoseTrackProtocol(TrackRules, PoseProtocol):
    """PoseTrack.

    Attributes:
        boxes: "gt" (annotated persons; nothing in frames without labels) or "detector". boxes_file: the detector's boxes;
            empty means the usual file's place. box_threshold: detector boxes below this score are left out.
        truth_box: annotated boxes, also of training: "joints" (their extent and `box_margin`, as the papers), or "file" (the
            file's own, which are longer by 30 %).
        channels: what a network of 17 outputs predicts: "posetrack" (2018's keypoints) or "coco", whose joints are mapped.
    """

    boxes: Literal["gt", "detector"] = "gt"
    boxes_file: str = ""
    box_threshold: float = 0.5
    truth_box: Literal["joints", "file"] = "joints"
    channels: Literal["posetrack", "coco"] = "posetrack"


def posetrack_protocol(
    start: Start, model: str = "", family: str | None = None, tier: str = "full"
) -> PoseTrackProtocol:
    """PoseTrack's protocol with what the model's or the checkpoint's family implies, as for COCO, whose ``start`` it shares.

    The small tiers track a detector's boxes, with thresholds chosen on their validation videos, as the papers' were: who is
    hidden has no label there, so a pose that a carried box finds in whoever stands in front counts as a false alarm.
    """
    alike = pose_protocol(start, model, family, tier)
    shared = {name: getattr(alike, name) for name in PoseProtocol.__dataclass_fields__}
    if tier != "full" or (model and traits_of(body_of(model)).micro):
        return PoseTrackProtocol(
            **shared,
            boxes="detector",
            box_threshold=0.3,
            carry_threshold=0.4,
            box_nms=0.4,
            joint_threshold=0.5,
            min_joints=8,
            nms_threshold=0.4,
        )
    return PoseTrackProtocol(**shared)


def header(protocol: PoseTrackProtocol) -> str:
    """What moves the score beside what all of pose share, short enough for a table's header."""
    parts = []
    if protocol.boxes == "detector":
        carried = f" and carried by flow from {protocol.carry_threshold:g}" if protocol.propagate else ""
        parts.append(f"boxes from {protocol.box_threshold:g}" + carried)
        parts.append(f"box NMS {protocol.box_nms:g}")
    elif protocol.truth_box == "file":
        parts.append("the file's boxes")
    least = f", at least {protocol.min_joints}" if protocol.min_joints > 1 else ""
    parts.append(f"joints from {protocol.joint_threshold:g}{least}")
    parts.append("no pose NMS" if protocol.nms == "none" else f"OKS NMS {protocol.nms_threshold:g}")
    moved = "flow-moved " if protocol.moved else ""
    parts.append(
        f"{protocol.assignment} matching by {moved}{protocol.similarity.upper().replace('IOU', 'IoU')} > "
        f"{protocol.match_threshold:g} over {protocol.memory} frames"
    )
    if protocol.channels == "coco":
        parts.append("joints mapped from COCO's")
    return ", ".join(parts)
