"""What a network says about one picture, as a typed value: the base of every task's result. Torch-free."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.images import read_image

R = TypeVar("R", bound="Result")


@dataclass(frozen=True, kw_only=True, eq=False)
class Result(ABC):
    """The base of what a task says about one picture. Coordinates are px, and the middle of the first pixel is (0, 0).

    Attributes:
        image: path of the picture's file, or of the video; None of an array.
        frame: number of a video's frame, from 0; time_s: when it is shown. None elsewhere.
        picture: (H, W, 3) uint8 RGB, of arrays and of a video's frames; None of files, which are read again.
        boxes_from: where the boxes come from; "" where there are none. note: why there is nothing, or what is odd.
    """

    image: str | None = None
    frame: int | None = None
    time_s: float | None = None
    picture: NDArray[np.uint8] | None = field(default=None, repr=False)
    boxes_from: str = ""
    note: str = ""

    @abstractmethod
    def draw(self, image: Any = None) -> NDArray[np.uint8]:
        """An RGB picture (uint8) with the result drawn on it.

        Args:
            image: (H, W, 3) uint8 RGB, or a path; None for the picture that was predicted.
        """

    @abstractmethod
    def to_coco(self) -> list[dict[str, Any]]:
        """Plain data in the form of the benchmark's results; with ``image_id`` where the picture is a file."""

    def to_plain(self) -> Any:
        """Plain data for ``predictions.json``."""
        return {"image": self.image, "results": self.to_coco()}

    def label_png(self) -> bytes | None:
        """A class for every pixel as an indexed PNG file; None of results that have no such map."""
        return None

    def to_supervision(self) -> Any:
        """The result as the library supervision has it.

        Raises:
            ValueError: it has no such thing, or the library is not installed.
        """
        raise ValueError(f"Expected a result that supervision has a form for, got a {type(self).__name__}.")

    def placed(self: R, **where: Any) -> R:
        """A copy with the base's fields (``image``, ``frame``, ...) set."""
        return replace(self, **where)

    def shown(self, image: Any = None) -> NDArray[np.uint8]:
        """The picture to draw on: the one that is given, kept, or in the file.

        Raises:
            ValueError: there is none, or it cannot be read.
        """
        if image is None:
            image = self.picture if self.picture is not None else self.image
        if image is None:
            raise ValueError("Expected a picture to draw on, got none; give it: result.draw(picture).")
        if isinstance(image, np.ndarray):
            return as_picture(image)
        path = Path(image)
        return read_image(path.parent, path.name)

    def image_id(self) -> dict[str, Any]:
        """{"image_id": ...} by COCO's rule: the number that a file's name ends with, else its stem; nothing for arrays."""
        if self.image is None:
            return {}
        stem = Path(self.image).stem
        if self.frame is not None:
            return {"image_id": f"{stem}/{self.frame}"}
        number = stem.rpartition("_")[2]
        return {"image_id": int(number) if number.isdecimal() else stem}


def as_picture(image: Any, what: str = "the picture") -> NDArray[np.uint8]:
    """An array as a picture.

    Raises:
        ValueError: not (H, W, 3) uint8.
    """
    array = np.asarray(image)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or min(array.shape) < 1:
        raise ValueError(
            f"Expected {what} as (H, W, 3) uint8 RGB, got shape {array.shape} of {array.dtype}; convert it (values from 0 to "
            "255, three channels)"
        )
    return array


def as_boxes(boxes: ArrayLike, size_wh: tuple[int, int], what: str = "boxes") -> NDArray[np.float64]:
    """Boxes (N, 4) x0, y0, x1, y1 px as float64; an empty list is no box.

    Raises:
        ValueError: another shape, a number that is not finite, no area, or a box outside the picture.
    """
    try:
        made = np.asarray(boxes, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"Expected {what} as (N, 4) numbers x0, y0, x1, y1 in px, got {str(boxes)[:60]!r}") from None
    if made.size == 0:
        return np.zeros((0, 4))
    if made.ndim != 2 or made.shape[1] != 4:
        raise ValueError(f"Expected {what} as (N, 4) x0, y0, x1, y1 in px, got shape {made.shape}")
    for row, (x0, y0, x1, y1) in enumerate(made.tolist()):
        where = f"{what}, row {row}"
        if not np.isfinite(made[row]).all() or x1 <= x0 or y1 <= y0:
            raise ValueError(
                f"{where}: expected x0 < x1 and y0 < y1, finite, got {made[row].tolist()} (are the last two width and height?)"
            )
        if x0 >= size_wh[0] or y0 >= size_wh[1] or x1 <= 0 or y1 <= 0:
            raise ValueError(
                f"{where}: expected a box in the picture of {size_wh[0]}x{size_wh[1]} px, got {made[row].tolist()}"
            )
    return made


def supervision() -> Any:
    """The library supervision.

    Raises:
        ValueError: it is not installed.
    """
    try:
        import supervision as library
    except ImportError:
        raise ValueError(
            "to_supervision() needs the library supervision: pip install 'hrnet-benchmark[supervision]'"
        ) from None
    return library


def as_key_points(points: NDArray[np.floating], scores: NDArray[np.floating], category: int) -> Any:
    """supervision.KeyPoints of points (N, J, 2) and scores (N, J)."""
    from inspect import signature

    library = supervision()
    known = signature(library.KeyPoints.__init__).parameters
    confidence = "keypoint_confidence" if "keypoint_confidence" in known else "confidence"
    given = {confidence: scores.astype(np.float32), "class_id": np.full(len(points), category)}
    return library.KeyPoints(xy=points.astype(np.float32), **given)
