"""Faces in pictures of one's own: the result, the network's way from boxes to it, and where boxes are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tasks.files.names import as_posix
from tasks.geometry import PIXEL_STD
from tasks.landmarks.crops.face_crops import ONE_BASED
from tasks.landmarks.datasets import face_input
from tasks.landmarks.drawing import draw_points
from tasks.landmarks.entries.entry import Entry
from tasks.landmarks.files.boxes_csv import Box, FaceBoxFile
from tasks.landmarks.files.markup import Markup
from tasks.landmarks.protocol import LandmarkProtocol, check_protocol
from tasks.results.box_source import ABOVE, BoxSource, GivenBoxes, declared_above
from tasks.results.result import Result, as_key_points
from tasks.results.tracks import with_ids
from tasks.tracking.joining import BoxTracks

if TYPE_CHECKING:
    from torch import nn

    from tasks.base import Task

TOGETHER = 16
"""Faces that go through the network together."""
DECIMALS = 10
"""Of px: what the way from a centre and a scale to corners and back adds to a number is taken off again."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LandmarkResult(Result):
    """N faces.

    Attributes:
        keypoints_px: (N, P, 2) x, y; (0, 0) is the middle of the first pixel, where the benchmarks' files have (1, 1).
        scores: (N, P) of the points, the peaks' heights. boxes_xyxy_px: (N, 4) the boxes that were looked into.
        names: of the P points, by their number from 0. markup: what a drawing connects.
        track_ids: (N,) of a video; None elsewhere.
    """

    keypoints_px: NDArray[np.float64]
    scores: NDArray[np.float64]
    boxes_xyxy_px: NDArray[np.float64]
    names: tuple[str, ...]
    markup: Markup
    category_id: int = 1
    category: str = "face"
    track_ids: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.keypoints_px)

    def draw(self, image: Any = None) -> NDArray[np.uint8]:
        """Points and the mark-up's lines, at the picture's own size; tracks in their own colours, with their ids."""
        canvas = self.shown(image)
        names = [None] * len(self) if self.track_ids is None else self.track_ids.tolist()
        for points, name in zip(self.keypoints_px, names, strict=True):
            canvas = draw_points(canvas, points + ONE_BASED, self.markup, track=name)
        return canvas

    def to_coco(self) -> list[dict[str, Any]]:
        """Records as COCO's keypoint results: image_id, category_id, keypoints (x, y, score of every point), score; track_id of
        videos."""
        triples = np.concatenate([self.keypoints_px, self.scores[..., None]], -1)
        records = [
            {
                **self.image_id(),
                "category_id": self.category_id,
                "keypoints": face.reshape(-1).tolist(),
                "score": float(face[:, 2].mean()),
            }
            for face in triples
        ]
        return with_ids(records, self.track_ids)

    def to_plain(self) -> dict[str, Any]:
        """{image, boxes_from, names, first_pixel: 1, faces: [{category_id, category, box (corners), points, scores}]}.

        Boxes and points count from 1 here, as the benchmarks' files and submissions do.
        """
        faces = [
            {
                "category_id": self.category_id,
                "category": self.category,
                "box": (box + ONE_BASED).round(2).tolist(),
                "points": (points + ONE_BASED).round(3).tolist(),
                "scores": scores.round(4).tolist(),
            }
            for box, points, scores in zip(self.boxes_xyxy_px, self.keypoints_px, self.scores, strict=True)
        ]
        note = {"note": self.note} if self.note else {}
        return {
            "image": self.image,
            "boxes_from": self.boxes_from,
            "names": list(self.names),
            "first_pixel": 1,
            "faces": with_ids(faces, self.track_ids),
        } | note

    def to_supervision(self) -> Any:
        """supervision.KeyPoints."""
        return as_key_points(self.keypoints_px, self.scores, self.category_id)


def predict_pictures(
    task: Task,
    model: nn.Module,
    entry: Entry,
    pictures: Sequence[NDArray[np.uint8]],
    protocol: LandmarkProtocol,
    boxes: Sequence[NDArray[np.float64]],
) -> list[LandmarkResult]:
    """The points of the faces in boxes (N, 4) of every RGB picture, faces of several pictures batched together; raises ValueError
    where they are not finite."""
    from tasks.model import network_batch, require_finite_values

    check_protocol(protocol)
    markup = entry.markup
    faces = [(number, *_centre_scale(box, protocol)) for number, found in enumerate(boxes) for box in found]
    made: list[NDArray[np.floating]] = []
    for start in range(0, len(faces), TOGETHER):
        part = faces[start : start + TOGETHER]
        inputs = [face_input(pictures[n], centre, scale, protocol, entry.as_float) for n, centre, scale in part]
        batch = {
            "images": network_batch(np.stack(inputs), model),
            "centre": np.stack([centre for _, centre, _ in part]),
            "scale": np.array([scale for _, _, scale in part], np.float64),
        }
        made += task.predict(model, batch, protocol)
    owner = np.array([number for number, _, _ in faces], np.int64)
    points = np.array(made, np.float64).reshape(len(faces), markup.num_points, 3)
    require_finite_values(points)
    return [
        LandmarkResult(
            keypoints_px=points[owner == number, :, :2] - ONE_BASED,
            scores=points[owner == number, :, 2],
            boxes_xyxy_px=np.asarray(found, np.float64).reshape(-1, 4),
            names=tuple(f"point_{k}" for k in range(markup.num_points)),
            markup=markup,
        )
        for number, found in enumerate(boxes)
    ]


class FaceTracks:
    """The faces of one video's frames, taken in order, as of pictures; their ids are joined by the extents of their points, which
    stay where a detector's boxes flicker."""

    def __init__(self, task: Task, model: nn.Module, entry: Entry, protocol: LandmarkProtocol) -> None:
        self.task, self.model, self.entry, self.protocol = task, model, entry, protocol
        self._tracks = BoxTracks()

    def __call__(self, picture: NDArray[np.uint8], given: GivenBoxes) -> LandmarkResult:
        """The faces of the next frame (H, W, 3) RGB."""
        [result] = predict_pictures(self.task, self.model, self.entry, [picture], self.protocol, [given.xyxy_px])
        extents = np.concatenate([result.keypoints_px.min(1), result.keypoints_px.max(1)], -1)
        return replace(result, track_ids=self._tracks(extents))


def _centre_scale(box: NDArray[np.float64], protocol: LandmarkProtocol) -> tuple[NDArray[np.float64], float]:
    """Centre (2,) in 1-based px and the padded scale of a box."""
    middle = ((box[:2] + box[2:]) / 2 + ONE_BASED).round(DECIMALS)
    side = float((box[2:] - box[:2]).max().round(DECIMALS))
    return middle, side / PIXEL_STD * protocol.padding


class FaceBoxes(BoxSource):
    """Face boxes: those of a named csv, else of the face csv of the dataset folder that a picture lies in.

    A named csv is a face csv of any mark-up, or lines ``image_name,x0,y0,x1,y1``.

    Args:
        named: the csv. images: all pictures that are asked for.

    Raises:
        ValueError: the csv cannot be read, or two pictures are one by its names.
    """

    def __init__(self, named: Path | None, images: Sequence[Path]) -> None:
        self.named = None if named is None else FaceBoxFile(named)
        self._read: dict[Path, FaceBoxFile] = {}
        if self.named is not None:
            self.named.refuse_doubles(images)

    def of(self, image: Path, size_wh: tuple[int, int], min_score: float = 0.0) -> GivenBoxes | None:
        """As of any source; the boxes have no scores.

        Raises:
            ValueError: a csv cannot be read, or the named one does not know the picture.
        """
        if self.named is not None:
            found = self.named.of(image)
            if not found:
                raise ValueError(
                    f"Expected a face box of {image.name} in {self.named.path} but it names none, by that name or the end of its "
                    "path; add a line, or leave out --boxes"
                )
            return _given(found, self.named.path)
        for path in _candidates(image):
            file = self._read[path] = self._read.get(path) or FaceBoxFile(path)
            found = file.of(image)
            if found:
                return _given(found, path)
        return None


def _candidates(image: Path) -> list[Path]:
    """The csv files above a picture that may know its faces."""
    declared = [
        folder / as_posix(str(split.csv))
        for folder, found in declared_above(image, "points-csv")
        for split in found.splits.values()
    ]
    folders = list(image.resolve().parents)[:ABOVE]
    return [
        *(path for path in declared if path.is_file()),
        *(path for folder in folders for path in sorted(folder.glob("face_landmarks_*.csv"))),
    ]


def _given(found: Sequence[Box], origin: Path) -> GivenBoxes:
    corners = [np.concatenate([centre - ONE_BASED - s * 100, centre - ONE_BASED + s * 100]) for centre, s in found]
    return GivenBoxes(np.array(corners, np.float64).reshape(-1, 4), str(origin))
