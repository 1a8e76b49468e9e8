"""The test procedure on videos: boxes, pose, tracks, frame after frame; and what a network's channels are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from tasks.geometry import box_to_centre_scale, xyxy_to_xywh
from tasks.images import read_image
from tasks.model import require_finite_values
from tasks.pose.crops.person_crop import person_inputs
from tasks.pose.posetrack.datasets import SequenceInput, TrackedVideo
from tasks.pose.posetrack.files.form_2018 import KEYPOINTS, PLACES
from tasks.pose.posetrack.from_coco import posetrack_from_coco
from tasks.pose.posetrack.protocol import PoseTrackProtocol, TrackRules
from tasks.pose.posetrack.tracking.tracker import Boxes, Tracked, Tracker, track_pictures
from tasks.pose.protocol import PoseProtocol
from tasks.pose.skeletons.coco import COCO
from tasks.pose.skeletons.joints import Skeleton
from tasks.pose.skeletons.posetrack import POSETRACK

if TYPE_CHECKING:
    from tasks.base import Task

CHUNK = 16
"""Boxes that go through the network together. Never those of two pictures: a frame's result depends on nothing else."""

_PAIRS_17 = tuple(
    (KEYPOINTS.index(name), KEYPOINTS.index(name.replace("left", "right"))) for name in KEYPOINTS if "left" in name
)
"""Mirror pairs in 2018's order: head bottom and head top, in the place of COCO's eyes, stay."""


def channel_pairs(model: nn.Module, protocol: PoseProtocol, skeleton: Skeleton) -> Sequence[tuple[int, int]]:
    """Mirror pairs of a network's channels: its dataset's, or those of PoseTrack's or COCO's 17."""
    if not isinstance(protocol, PoseTrackProtocol) or model.num_outputs == skeleton.num_joints:
        return skeleton.pairs
    return COCO.pairs if protocol.channels == "coco" else _PAIRS_17


def dataset_joints(keypoints: NDArray[np.float32], protocol: PoseProtocol) -> NDArray[np.float32]:
    """Keypoints (B, C, 3) of a network's channels as the dataset's joints (B, J, 3)."""
    if not isinstance(protocol, PoseTrackProtocol) or keypoints.shape[1] != len(KEYPOINTS):
        return keypoints
    if protocol.channels == "coco":
        return posetrack_from_coco(keypoints).astype(np.float32)
    return keypoints[:, PLACES]


def poses_in(
    task: Task, model: nn.Module, picture: NDArray[np.uint8], boxes: ArrayLike, protocol: PoseProtocol
) -> NDArray[np.float64]:
    """Keypoints (N, J, 3), x, y px and score, of the persons in boxes (N, 4) x1, y1, x2, y2 of an RGB picture (H, W, 3)."""
    seen = picture if protocol.colour == "rgb" else np.ascontiguousarray(picture[..., ::-1])
    aspect = protocol.input_wh[0] / protocol.input_wh[1]
    framed = [box_to_centre_scale(xyxy_to_xywh(box), aspect) for box in np.asarray(boxes).reshape(-1, 4)]
    device = next(model.parameters()).device
    found: list[NDArray] = []
    for start in range(0, len(framed), CHUNK):
        part = framed[start : start + CHUNK]
        images = torch.from_numpy(np.stack([person_inputs(seen, c, s, protocol) for c, s in part])).to(device)
        if images.ndim == 4:
            images = images.contiguous(memory_format=torch.channels_last)
        batch = {
            "images": images,
            "centre": np.stack([centre for centre, _ in part]),
            "scale": np.stack([scale for _, scale in part]),
        }
        with torch.inference_mode():
            found += task.predict(model, batch, protocol)
    made = np.asarray(found, dtype=np.float64)
    require_finite_values(made)  # NaN passes no threshold: the person would be gone without a word
    return made


def track_video(
    task: Task,
    model: nn.Module,
    pictures: Iterable[NDArray[np.uint8]],
    boxes: Iterable[Boxes],
    protocol: PoseProtocol,
    *,
    rules: TrackRules | None = None,
    tracker: Tracker | None = None,
    counted: Iterable[bool] | None = None,
) -> Iterator[Tracked]:
    """The tracked persons of every picture of a video, in order, of any pose network; pictures are taken one by one.

    Args:
        pictures: RGB (H, W, 3) uint8. boxes: of each, what a detector found: (D, 4) x1, y1, x2, y2 px and scores (D,).
        protocol: the network's. rules: of tracking; PoseTrack's protocol holds its own, others take the defaults.
        tracker: with the state of an earlier part of the video. counted: see `track_pictures`.
    """
    if tracker is None:
        own = protocol if isinstance(protocol, PoseTrackProtocol) else TrackRules()
        skeleton = task.entry(str(model.dataset)).skeleton  # type: ignore[attr-defined]
        tracker = Tracker(rules or own, skeleton.track_sigmas())

    def find(picture: NDArray[np.uint8], proposed: ArrayLike) -> NDArray[np.float64]:
        return poses_in(task, model, picture, proposed, protocol)

    return track_pictures(pictures, boxes, find, tracker, counted)


def track_sequence(task: Task, model: nn.Module, sequence: SequenceInput, protocol: PoseTrackProtocol) -> TrackedVideo:
    """The tracked persons of one video of the dataset."""
    pictures = (read_image(sequence.root, file) for file in sequence.files)
    annotated = protocol.boxes == "gt"
    tracker = Tracker(protocol, POSETRACK.sigmas(), carries=not annotated)
    counted = [labelled or not annotated for labelled in sequence.labelled]
    frames = list(track_video(task, model, pictures, sequence.boxes, protocol, tracker=tracker, counted=counted))
    counts = [len(frame.ids) for frame in frames]
    return TrackedVideo(
        np.repeat(np.arange(len(frames)), counts),
        *(
            np.concatenate([getattr(frame, name) for frame in frames])
            for name in ("ids", "keypoints", "present", "scores", "boxes")
        ),
    )
