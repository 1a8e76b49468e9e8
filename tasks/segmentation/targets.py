"""Label maps: reading the datasets' pngs, and what a horizontal flip does to a map. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tasks.segmentation.classes import IGNORE, ClassTable

OTHER_FILE = "the file belongs to another dataset or encoding."
_FORBIDDEN = 254  # stands for "no such id" in the look-up table; no dataset has that many classes


def read_label_png(
    path: Path, table: NDArray[np.int16], what: str, hints: Mapping[int, str] | None = None
) -> NDArray[np.uint8]:
    """Reads a label png as classes: (H, W) uint8, 255 where ignored.

    Args:
        table: (256,) file id -> class, or 255, or -1 for ids that may not occur (:meth:`ClassTable.decode_table`).
        what: names the expected file ("Cityscapes labelIds png"). hints: an id out of range -> its usual cause.

    Raises:
        ValueError: no such file, no png, colours or instance ids where class ids belong, or an id out of range.
    """
    try:
        with Image.open(path) as picture:
            mode = picture.mode
            values = np.array(picture)
    except FileNotFoundError:
        raise ValueError(f"{path}: expected a {what}, found no such file; complete the annotations.") from None
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{path}: expected a {what}, got an unreadable file ({error}); fetch it again.") from None
    if values.ndim == 3:
        raise ValueError(
            f"{path}: expected a {what} with one class id per pixel, got colours ({mode}, {values.shape[2]} channels); "
            "use the id png, not the coloured one made for looking at."
        )
    if values.dtype != np.uint8:
        raise ValueError(
            f"{path}: expected a {what} with 8-bit class ids, got {mode} values up to {int(values.max(initial=0))}; "
            "this looks like an instance png: use the png of class ids."
        )
    lookup = np.where(table < 0, _FORBIDDEN, table).astype(np.uint8)
    classes = np.asarray(cv2.LUT(values, lookup), np.uint8)
    if (classes == _FORBIDDEN).any():
        wrong = np.unique(values[classes == _FORBIDDEN])
        known = np.flatnonzero(table >= 0)
        known = known[known != IGNORE]
        raise ValueError(
            f"{path}: expected ids {known.min()}..{known.max()} of a {what}, got {wrong[:5].tolist()}"
            + f"; {next((hints[value] for value in wrong.tolist() if hints and value in hints), OTHER_FILE)}"
        )
    return classes


def mirrored_label(label: NDArray[np.uint8], table: ClassTable) -> NDArray[np.uint8]:
    """The label map of the mirrored picture: columns reversed, left and right classes swapped; its own inverse."""
    lookup = np.arange(256, dtype=np.uint8)
    lookup[: len(table)] = table.mirror()
    flipped = np.ascontiguousarray(label[:, ::-1])
    return np.asarray(cv2.LUT(flipped, lookup), np.uint8) if table.flip_pairs else flipped


def check_sizes(image_hw: tuple[int, int], label_hw: tuple[int, int], where: str) -> None:
    """Raises ValueError if a label map is not of its picture's size (both (H, W))."""
    if tuple(image_hw) != tuple(label_hw):
        raise ValueError(
            f"{where}: expected a label map of the picture's size {image_hw[1]}x{image_hw[0]}, got "
            f"{label_hw[1]}x{label_hw[0]}; the two files do not belong together, or one was resized."
        )
