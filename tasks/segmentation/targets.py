"""Label maps of mirrored pictures, and their size beside the picture's."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.segmentation.files.classes import ClassTable


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
