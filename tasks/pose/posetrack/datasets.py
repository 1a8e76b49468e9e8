"""Evaluation data of PoseTrack: one sample per video."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tasks.base import EvalData
from tasks.files.picture_entry import PictureEntry
from tasks.images import inside
from tasks.pose.posetrack.files.frames import Video, heads_without_size
from tasks.pose.posetrack.files.persons import Boxes, boxes_of
from tasks.pose.posetrack.files.splits import has_truth, read_split
from tasks.pose.posetrack.protocol import PoseTrackProtocol
from tasks.pose.protocol import check_protocol
from tasks.pose.skeletons.joints import Skeleton
from tasks.pose.skeletons.posetrack import POSETRACK


class SequenceInput:
    """What the test procedure reads of one video: its pictures' folder and paths, and the boxes of every frame to begin with.

    Pictures are read one by one where they are needed, so that a batch of long videos is small. ``labelled``: (frames,) bool.
    """

    def __init__(self, root: Path, video: Video, boxes: list[Boxes]) -> None:
        self.root, self.name = root, video.name
        self.files = [frame.file for frame in video.frames]
        self.labelled = [frame.labelled for frame in video.frames]
        self.boxes = boxes


@dataclass(frozen=True)
class TrackedVideo:
    """The M persons found in all frames of a video, frame after frame: what `predict` gives for a sample.

    Attributes:
        frame: (M,) their frame's place. ids: (M,) track ids. keypoints: (M, 15, 3) x, y px and score. present: (M, 15) bool.
        scores: (M,) of the persons. boxes: (M, 4) x1, y1, x2, y2 px.
    """

    frame: np.ndarray
    ids: np.ndarray
    keypoints: np.ndarray
    present: np.ndarray
    scores: np.ndarray
    boxes: np.ndarray


class PoseTrackEvalData(EvalData):
    """One sample per video, in the order of the files' names. Items: index, sequence (`SequenceInput`)."""

    def __init__(self, dataset: str, root: Path, split: str, protocol: PoseTrackProtocol) -> None:
        check_protocol(protocol)
        self.dataset, self.split, self.protocol, self.root = dataset, split, protocol, Path(root)
        self.skeleton: Skeleton = POSETRACK
        self.videos = read_split(self.root, split)
        boxes = boxes_of(self.root, dataset, split, self.videos, protocol)
        self.inputs = [SequenceInput(self.root, video, found) for video, found in zip(self.videos, boxes, strict=True)]
        self.notes = _notes(self.videos, split)

    def entries(self) -> list[PictureEntry]:
        return [
            PictureEntry(inside(self.root, frame.file), f"{video.name}, frame {number}")
            for video in self.videos
            for number, frame in enumerate(video.frames)
        ]

    def __len__(self) -> int:
        return len(self.videos)

    def image_ids(self) -> list[str]:
        return [video.name for video in self.videos]

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"index": index, "sequence": self.inputs[index]}

    def collate(self, samples: list[dict[str, Any]]) -> dict[str, Any]:
        """Lists: videos differ in length."""
        return {"index": [one["index"] for one in samples], "sequences": [one["sequence"] for one in samples]}


def _notes(videos: list[Video], split: str) -> tuple[str, ...]:
    if not has_truth(split):
        return ()
    people = [frame.people for video in videos for frame in video.frames]
    flat = sum(int((heads_without_size(one) & one.present.any(1)).sum()) for one in people)
    return (f"{flat} annotated persons have a head box without a size: nothing can match them",) if flat else ()
