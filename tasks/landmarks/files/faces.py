"""The faces of a split as arrays, whichever dataset and form they come from.

Coordinates are kept as the files state them: 1-based pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.files.picture_entry import PictureEntry
from tasks.images import inside
from tasks.landmarks.protocol import LandmarkProtocol

FARTHEST_PX = 1e5


@dataclass(frozen=True)
class Faces:
    """N faces in the order in which they are evaluated.

    Attributes:
        root: the dataset's folder. annotation: the file that the faces come from, for error texts.
        images: (N) picture names as the annotation gives them. records: (N) line or record of the annotation, for error texts.
        points: (N, P, 2) float64 px, 1-based. centres: (N, 2) px, 1-based. scales: (N,) 200-px units, without padding.
        box_size: (N,) px, AFLW's normaliser. occluded: (N, P) bool, COFW's flags. rects: (N, 4) px x0, y0, x1, y1, WFLW's.
        subsets: name -> (N,) bool.
        notes: what was left out.
    """

    root: Path
    annotation: Path
    images: tuple[str, ...]
    records: tuple[str, ...]
    points: NDArray[np.float64]
    centres: NDArray[np.float64]
    scales: NDArray[np.float64]
    box_size: NDArray[np.float64] | None = None
    occluded: NDArray[np.bool_] | None = None
    rects: NDArray[np.float64] | None = None
    subsets: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def entry(self, index: int, folder: Path, padding: float) -> PictureEntry:
        """A face for `tasks.survey`: the padded box that a network is shown of its picture below `folder`, and its points."""
        (x, y), half = self.centres[index].tolist(), float(self.scales[index]) * 100 * padding
        low, high = self.points[index].min(0).tolist(), self.points[index].max(0).tolist()
        return PictureEntry(
            inside(folder, self.images[index]),
            self.where(index),
            region=(x - half, y - half, x + half, y + half),
            extent=(low[0], low[1], high[0], high[1]),
        )

    def where(self, index: int) -> str:
        """Names a face's record: file, line and picture."""
        return f"{self.annotation}, {self.records[index]} ({self.images[index]})"


def landmark_boxes(points: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres (N, 2) and scales (N,) of landmarks (N, P, 2): the box from floor(min) to ceil(max), its longer side over 200."""
    xy = np.asarray(points, dtype=np.float64)
    low, high = np.floor(xy.min(1)), np.ceil(xy.max(1))
    return (low + high) / 2, (high - low).max(1) / 200


def rect_boxes(rects: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres (N, 2) and scales (N,) of rectangles (N, 4) x0, y0, x1, y1."""
    box = np.asarray(rects, dtype=np.float64)
    return (box[:, :2] + box[:, 2:]) / 2, (box[:, 2:] - box[:, :2]).max(1) / 200


def with_boxes(faces: Faces, protocol: LandmarkProtocol) -> Faces:
    """The faces with the protocol's kind of crop box; every box is checked.

    Raises:
        ValueError: a box without area, or rectangles asked of a set that has none.
    """
    if protocol.box == "landmarks":
        centres, scales = landmark_boxes(faces.points)
        faces = replace(faces, centres=centres, scales=scales)
    elif protocol.box == "rect":
        if faces.rects is None:
            raise ValueError(
                f"Expected face rectangles for box=rect but {faces.annotation} has none; where a release has them they stand in "
                "its own list (list_98pt_rect_attr_*.txt), not in the csv"
            )
        centres, scales = rect_boxes(faces.rects)
        faces = replace(faces, centres=centres, scales=scales)
    empty = np.flatnonzero(~(np.isfinite(faces.centres).all(1) & np.isfinite(faces.scales) & (faces.scales > 0)))
    if len(empty):
        first = int(empty[0])
        raise ValueError(
            f"{faces.where(first)}: expected a face box with an area but got centre "
            f"{faces.centres[first].tolist()} and scale {faces.scales[first]:g}; correct or remove the record"
        )
    check_outliers(faces)
    return faces


def check_outliers(faces: Faces) -> None:
    """Raises ValueError for the first face whose numbers cannot be one face's, whatever its picture: it would rule the mean.

    A coordinate beyond any picture, a point ten boxes away from the box, a box of twenty faces (a scale in px), a point that
    lies twenty times as far from the others as these from each other.
    """
    if not len(faces):
        return
    points, sides = faces.points, 200 * faces.scales
    middle = np.median(points, axis=1)
    away = np.abs(points - middle[:, None]).max(2)
    spread = np.median(away, axis=1)
    extent = (points.max(1) - points.min(1)).max(1)
    from_box = np.abs(points - faces.centres[:, None]).max((1, 2))
    size = faces.box_size if faces.box_size is not None else np.maximum(sides, 1)
    rules = (
        (~(np.abs(points) <= FARTHEST_PX).all((1, 2)), f"points within {FARTHEST_PX:g} px"),
        (from_box > 10 * sides, "points near their face box (is the box of another face, or its scale not in 200 px?)"),
        (
            (sides > 20 * extent) & (extent > 0),
            "a face box not far larger than the face (is its scale in px, not in 200 px?)",
        ),
        (
            (np.maximum(size, extent) > 20 * np.minimum(size, extent)) & (extent > 0) & (faces.box_size is not None),
            "a box_size of about the face's size",
        ),
        ((away.max(1) > 20 * spread) & (away.max(1) > 1000), "points of one face near each other"),
    )
    for wrong, expected in rules:
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            low, high = points[first].min(0), points[first].max(0)
            raise ValueError(
                f"{faces.where(first)}: expected {expected} but got points in x {low[0]:.6g} to {high[0]:.6g}, y {low[1]:.6g} to "
                f"{high[1]:.6g} and a box of {sides[first]:.6g} px at {faces.centres[first].round(1).tolist()} "
                f"({int(wrong.sum())} such faces); correct or remove the record"
            )
