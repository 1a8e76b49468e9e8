"""What a frame of a PoseTrack video holds: annotated or predicted persons, and polygons that are not scored. NumPy only.

Joints are in PoseTrack's own order (`tasks.pose.skeletons.joints.POSETRACK`), coordinates in pixels of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

NUM_JOINTS = 15
NO_SCORE = -9999.0
"""What the official reader gives joints without a score."""

Polygon = NDArray[np.float64]
"""Corners (K, 2) of a region that is not scored."""


@dataclass(frozen=True)
class People:
    """N persons of one frame.

    Attributes:
        ids: (N,) track ids. xy: (N, 15, 2) px. present: (N, 15) bool, which joints are annotated or predicted.
        scores: (N, 15) of predicted joints. heads: (N, 4) x1, y1, x2, y2 of annotated persons' heads (zeros otherwise).
        listed: (N,) bool, false for a person without any list of joints (2017's form): the evaluation leaves it out.
        boxes: (N, 4) x, y, width, height as the file states them; NaN where it states none.
    """

    ids: NDArray[np.int64]
    xy: NDArray[np.float64]
    present: NDArray[np.bool_]
    scores: NDArray[np.float64]
    heads: NDArray[np.float64]
    listed: NDArray[np.bool_]
    boxes: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: ArrayLike) -> People:
        """The persons of these rows (indices or booleans)."""
        at = np.asarray(rows)
        parts = (self.ids, self.xy, self.present, self.scores, self.heads, self.listed, self.boxes)
        return People(*(part[at] for part in parts))  # type: ignore[arg-type]


def people(
    ids: ArrayLike = (),
    xy: ArrayLike | None = None,
    present: ArrayLike | None = None,
    scores: ArrayLike | None = None,
    heads: ArrayLike | None = None,
    listed: ArrayLike | None = None,
    boxes: ArrayLike | None = None,
) -> People:
    """Persons of a frame; what is not given is all present, listed, without score, head and box."""
    names = np.asarray(ids, dtype=np.int64).reshape(-1)
    count = len(names)

    def rows(values: ArrayLike | None, shape: tuple[int, ...], kind: type, default: float) -> NDArray:
        if values is None:
            return np.full((count, *shape), default, dtype=kind)
        return np.asarray(values, dtype=kind).reshape(count, *shape)

    return People(
        names,
        rows(xy, (NUM_JOINTS, 2), np.float64, 0.0),
        rows(present, (NUM_JOINTS,), np.bool_, True),
        rows(scores, (NUM_JOINTS,), np.float64, NO_SCORE),
        rows(heads, (4,), np.float64, 0.0),
        rows(listed, (), np.bool_, True),
        rows(boxes, (4,), np.float64, np.nan),
    )


def heads_without_size(persons: People) -> NDArray[np.bool_]:
    """(N,) whether a person's head box has no diagonal, the measure of distances."""
    return (persons.heads[:, 2:] == persons.heads[:, :2]).all(1)


@dataclass(frozen=True)
class Frame:
    """One frame: its picture's path below the dataset's folder, the file's id of it, its persons, and its ignored regions.

    `labelled`: whether its persons were annotated.
    """

    file: str
    image_id: int
    people: People = field(default_factory=people)
    regions: tuple[Polygon, ...] = ()
    labelled: bool = True


@dataclass(frozen=True)
class Video:
    """One video: its name (that of its file), its frames in order, and the form of its file."""

    name: str
    frames: tuple[Frame, ...]
    form: str = "2018"


def scored_pair(truth: Frame, found: People) -> tuple[People, People]:
    """Annotated and predicted persons of a frame as they are scored: without persons that have no list of joints, and without
    every joint strictly inside one of the annotation's regions (a person left without joints goes, in such frames alone)."""
    pair = (truth.people[truth.people.listed], found[found.listed])
    if not truth.regions:
        return pair
    return _outside(pair[0], truth.regions), _outside(pair[1], truth.regions)


def _outside(persons: People, regions: Sequence[Polygon]) -> People:
    present = persons.present.copy()
    for row, joint in np.argwhere(present):
        present[row, joint] = not any(strictly_inside(persons.xy[row, joint], region) for region in regions)
    return replace(persons, present=present)[present.any(1)]


def strictly_inside(point: ArrayLike, polygon: ArrayLike) -> bool:
    """Whether a point (x, y) lies inside a polygon (K, 2), by even and odd crossings; on its outline it does not.

    The side of every edge is decided exactly, so that points on slanted outlines are told.

    Raises:
        ValueError: fewer than three corners.
    """
    corners = np.asarray(polygon, dtype=np.float64).reshape(-1, 2)
    if len(corners) < 3:
        raise ValueError(f"Expected an ignored region of at least 3 corners but got {len(corners)}; correct the file")
    x, y = (float(value) for value in np.asarray(point, dtype=np.float64))
    if not (corners[:, 0].min() <= x <= corners[:, 0].max() and corners[:, 1].min() <= y <= corners[:, 1].max()):
        return False
    odd = False
    for (x1, y1), (x2, y2) in zip(corners.tolist(), np.roll(corners, -1, axis=0).tolist(), strict=True):
        if (y1 > y) == (y2 > y):
            level = y1 == y2 == y and min(x1, x2) <= x <= max(x1, x2)
            if level or (x, y) in ((x1, y1), (x2, y2)):
                return False
            continue
        side = _side(x1, y1, x2, y2, x, y)
        if side == 0:
            return False
        odd ^= (side > 0) == (y2 > y1)
    return odd


def _side(x1: float, y1: float, x2: float, y2: float, x: float, y: float) -> int:
    """Sign of the cross product (end - start) x (point - start), exact."""
    left, right = (x2 - x1) * (y - y1), (x - x1) * (y2 - y1)
    found = left - right
    if abs(found) > 1e-12 * (abs(left) + abs(right)):
        return 1 if found > 0 else -1
    a, b, c, d, e, f = map(Fraction, (x1, y1, x2, y2, x, y))
    exact = (c - a) * (f - b) - (e - a) * (d - b)
    return (exact > 0) - (exact < 0)
