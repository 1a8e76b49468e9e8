"""Collecting tracked videos, scoring and drawing them, and reading submissions back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.base import EvalData, Evaluation, Stats
from tasks.files.archive import write_zip
from tasks.files.opening import compressed_or_plain
from tasks.images import read_image
from tasks.pose.drawing import draw_tracks
from tasks.pose.posetrack.datasets import PoseTrackEvalData, TrackedVideo
from tasks.pose.posetrack.files.form_2017 import written_2017
from tasks.pose.posetrack.files.form_2018 import written_2018
from tasks.pose.posetrack.files.frames import People, Video, people
from tasks.pose.posetrack.files.splits import has_truth, read_split, read_video
from tasks.pose.posetrack.metrics import figures, sequence_sums, stats_of
from tasks.pose.posetrack.protocol import PoseTrackProtocol

STRIP_FRAMES = 4
STRIP_HEIGHT = 240


class PoseTrackEvaluation(Evaluation):
    """The tracked persons of every video."""

    data: PoseTrackEvalData
    protocol: PoseTrackProtocol
    per_sample = ("_found",)

    def __init__(self, data: EvalData, protocol: PoseTrackProtocol) -> None:
        super().__init__(data, protocol)
        self._found: dict[int, list[People]] = {}
        self._stats: Stats | None = None

    def add(self, indices: Sequence[int], predictions: Sequence[Any]) -> None:
        for index, found in zip(indices, predictions, strict=True):
            self._found[index] = frames_of(self.data.videos[index], found)
        self._stats = None

    def found(self) -> list[list[People]]:
        """Of every video, the persons of every frame.

        Raises:
            ValueError: a video was never added.
        """
        lacking = [video.name for index, video in enumerate(self.data.videos) if index not in self._found]
        if lacking:
            raise ValueError(
                f"Expected predictions of all {len(self.data)} videos but {len(lacking)} are missing (first: {lacking[0]}); "
                "evaluate every sample"
            )
        return [self._found[index] for index in range(len(self.data))]

    def stats(self) -> Stats:
        if self._stats is None:
            found, videos = self.found(), self.data.videos
            if has_truth(self.data.split):
                self._stats = video_stats(videos, found)
            else:
                self._stats = {"image": np.array([video.name for video in videos])}
        return self._stats

    def write_predictions(self, path: Path) -> None:
        """A folder with one json per video, in the form of its annotation file."""
        Path(path).mkdir(parents=True, exist_ok=True)
        for video, found in zip(self.data.videos, self.found(), strict=True):
            document = (written_2017 if video.form == "2017" else written_2018)(video, found)
            (Path(path) / f"{video.name}.json").write_text(json.dumps(document), encoding="utf-8")

    def write_submission(self, folder: Path) -> str:
        """The archive of one json a video that PoseTrack's server takes."""
        if has_truth(self.data.split):
            return ""
        names = [f"{video.name}.json" for video in self.data.videos]
        write_zip(folder / "submission.zip", {name: folder / name for name in names})
        return "the truth of this split is the server's; upload submission.zip, which lies with the predictions"

    def sample_scores(self) -> np.ndarray:
        """MOTA of every video on its own; NaN where it is undefined."""
        stats, count = self.stats(), len(self.data)
        if not has_truth(self.data.split):
            return np.full(count, np.nan)
        alone = np.eye(count, dtype=np.int64)
        return np.array([figures(stats, row, ("MOTA",)).get("MOTA", np.nan) for row in alone])

    def picture(self, index: int, what: Literal["truth", "prediction"]) -> np.ndarray:
        """Frames of the video side by side, evenly spread, every track in its own colour."""
        video = self.data.videos[index]
        persons = [frame.people for frame in video.frames] if what == "truth" else self.found()[index]
        chosen = np.unique(np.linspace(0, len(video.frames) - 1, STRIP_FRAMES).round().astype(int))
        return strip(self.data.root, video, persons, chosen.tolist())


def frames_of(video: Video, found: TrackedVideo) -> list[People]:
    """What was found in a video, frame by frame."""
    made = []
    for number in range(len(video.frames)):
        at = found.frame == number
        points = found.keypoints[at]
        made.append(people(found.ids[at], points[..., :2], found.present[at], points[..., 2]))
    return made


def strip(root: Path, video: Video, persons: Sequence[People], chosen: Sequence[int]) -> NDArray[np.uint8]:
    """RGB picture of some frames of a video side by side, each `STRIP_HEIGHT` px high, with tracks drawn by colour."""
    import cv2

    drawn = []
    for number in chosen:
        picture = read_image(root, video.frames[number].file)
        zoom = STRIP_HEIGHT / picture.shape[0]
        size = (max(1, round(picture.shape[1] * zoom)), STRIP_HEIGHT)
        method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
        view = np.asarray(cv2.resize(picture, size, interpolation=method), dtype=np.uint8)
        # Pixel centres stand at whole numbers.
        points = (persons[number].xy + 0.5) * zoom - 0.5
        drawn.append(draw_tracks(view, points, persons[number].present, persons[number].ids.tolist()))
        drawn.append(np.full((STRIP_HEIGHT, 4, 3), 255, dtype=np.uint8))
    return np.concatenate(drawn[:-1], axis=1)


def video_stats(videos: Sequence[Video], found: Sequence[Sequence[People]]) -> Stats:
    """Statistics of videos with their annotations; see `tasks.pose.posetrack.metrics.stats_of`."""
    sums = []
    for video, persons in zip(videos, found, strict=True):
        try:
            sums.append(sequence_sums(video.frames, persons))
        except ValueError as error:
            raise ValueError(f"{video.name}: {error}") from error
    return stats_of((video.name for video in videos), sums)


def submission_stats(root: Path, split: str, path: Path) -> Stats:
    """Statistics of a submission: a folder with one json per sequence, or the file of the only one.

    Raises:
        ValueError: a sequence's file is missing or unusable, or has other frames than its annotation.
    """
    if not has_truth(split):
        raise ValueError(f"{split} has no public ground truth: send {path} to the benchmark's server")
    videos = read_split(root, split)
    found = []
    for video in videos:
        file = compressed_or_plain(path / f"{video.name}.json") if path.is_dir() else path
        if not path.is_dir() and len(videos) > 1:
            raise ValueError(
                f"Expected a folder with the predictions of the {len(videos)} sequences of {split} but got the file {path}; "
                "put one json per sequence into a folder, named as the annotation files"
            )
        if not file.exists():
            raise ValueError(f"Expected the predictions of {video.name} at {file} but there is no such file; every "
                             "sequence of the split needs one, named as its annotation file")  # fmt: skip
        found.append(_matched(video, read_video(file, truth=False), file))
    return video_stats(videos, found)


def _matched(video: Video, predicted: Video, file: Path) -> list[People]:
    """Predictions in the order of the annotated frames."""
    by_name = {frame.file: frame.people for frame in predicted.frames}
    if len(predicted.frames) != len(video.frames):
        raise ValueError(
            f"{file}: expected the {len(video.frames)} frames of {video.name} but got {len(predicted.frames)}; write every "
            "frame, also those without persons"
        )
    missing = [frame.file for frame in video.frames if frame.file not in by_name]
    if not missing:
        return [by_name[frame.file] for frame in video.frames]
    by_id = {frame.image_id: frame.people for frame in predicted.frames}
    if all(frame.image_id in by_id for frame in video.frames):
        return [by_id[frame.image_id] for frame in video.frames]
    raise ValueError(
        f"{file}: expected the frames of {video.name} but {missing[0]} is not among them; name pictures as the annotation does"
    )
