"""Pictures that a network is asked about: arrays, files, lists, folders and videos, taken one by one. Torch-free."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.images import read_image
from tasks.predictor.video import VIDEO_SUFFIXES, frames_of
from tasks.results.result import as_picture

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


@dataclass(frozen=True)
class Shown:
    """A picture (H, W, 3) uint8 RGB that is to be predicted, where it comes from, and boxes that were given with it."""

    picture: NDArray[np.uint8]
    image: str | None = None
    frame: int | None = None
    time_s: float | None = None
    boxes: Any = None

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in px."""
        return self.picture.shape[1], self.picture.shape[0]

    def place(self) -> dict[str, Any]:
        """The fields of a result that say which picture it is about; files are read again when they are drawn on."""
        kept = self.picture if self.image is None or self.frame is not None else None
        return {"image": self.image, "frame": self.frame, "time_s": self.time_s, "picture": kept}


def is_video(path: Path) -> bool:
    """Whether a file's name is a video's."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def is_single(image: Any) -> bool:
    """Whether one picture is asked for (an array, the path of a picture), not several (a list, a folder, a video)."""
    if isinstance(image, np.ndarray):
        return True
    if isinstance(image, str | Path):
        path = Path(image)
        return not path.is_dir() and not is_video(path)
    return False


def read_shown(image: Any, boxes: Any = None) -> Shown:
    """One picture, from an array or a file.

    Raises:
        ValueError: neither, or it cannot be read as a picture.
    """
    if isinstance(image, str | Path):
        path = Path(image)
        if not path.exists():
            raise ValueError(f"{path}: expected a picture there, found none; correct the path")
        return Shown(read_image(path.parent, path.name), str(image), boxes=boxes)
    if isinstance(image, np.ndarray):
        return Shown(as_picture(image), boxes=boxes)
    raise ValueError(
        f"Expected a picture as an array (H, W, 3) uint8 RGB or a path, got {type(image).__name__}; convert it with "
        "numpy.asarray(picture.convert('RGB')) where it is Pillow's"
    )


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, sorted by name; folders inside it are not looked into.

    Raises:
        ValueError: there is none.
    """
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES and not p.name.startswith("."))
    if not found:
        raise ValueError(f"{folder}: expected pictures ({', '.join(PICTURE_SUFFIXES)}) in this folder, found none")
    return found


def shown_of(images: Any, boxes: Any = None) -> Iterator[Shown]:
    """The pictures of a list, a folder or a video, one by one. The call itself checks what can be checked at once.

    Args:
        images: a path of a folder or of a video, or an iterable of arrays and paths of pictures.
        boxes: of a list, one entry per picture (each (N, 4), or None); "whole" for every picture wholly; else None.

    Raises:
        ValueError: a folder without pictures, a video that cannot be opened, or boxes that do not go with the pictures.
    """
    if isinstance(images, str | Path):
        path = Path(images)
        if boxes is not None and not isinstance(boxes, str):
            kind = "folder" if path.is_dir() else "video"
            raise ValueError(
                f"{path}: expected no boxes for a {kind}, whose pictures would need one list each; give a list of pictures "
                "with a list of boxes, or a detector"
            )
        return _files(pictures_in(path), boxes) if path.is_dir() else _frames(path, boxes)
    if not isinstance(images, Iterable):
        raise ValueError(f"Expected an array, a path, or a list of them, got {type(images).__name__}")
    if boxes is None or isinstance(boxes, str):
        return (read_shown(image, boxes) for image in images)
    if not isinstance(images, Sequence) or len(images) != len(boxes):
        found = len(images) if isinstance(images, Sequence) else "an iterator"
        raise ValueError(f"Expected one entry of boxes per picture, got {len(boxes)} for {found} pictures")
    return (read_shown(image, own) for image, own in zip(images, boxes, strict=True))


def _files(paths: Sequence[Path], boxes: Any) -> Iterator[Shown]:
    return (read_shown(path, boxes) for path in paths)


def _frames(path: Path, boxes: Any) -> Iterator[Shown]:
    frames = frames_of(path)
    return (Shown(frame.picture, str(path), frame.number, frame.time_s, boxes) for frame in frames)
