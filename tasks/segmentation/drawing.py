"""Class maps over pictures, with a legend of the classes that occur. OpenCV and NumPy."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.segmentation.files.classes import IGNORE, ClassTable

OPACITY = 0.6
MIN_SIDE_PX = 480
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def overlay(
    picture: NDArray[np.uint8], classes: NDArray[np.uint8], table: ClassTable, legend: bool = True
) -> NDArray[np.uint8]:
    """(H, W, 3) RGB with the classes' colours laid over it; pixels of 255 stay as they are, but dimmed.

    Small pictures are enlarged to a long side of at least 480 px, so that borders between classes and the legend can be
    read; the map stays unsmoothed.

    Args:
        classes: (H, W). legend: adds a column on the right, the classes in order of their share.
    """
    factor = max(1, -(-MIN_SIDE_PX // max(picture.shape[:2])))
    if factor > 1:
        size_wh = (picture.shape[1] * factor, picture.shape[0] * factor)
        picture = np.asarray(cv2.resize(picture, size_wh, interpolation=cv2.INTER_CUBIC), np.uint8)
        classes = np.asarray(cv2.resize(classes, size_wh, interpolation=cv2.INTER_NEAREST), np.uint8)
    colours = np.zeros((256, 3), np.float32)
    colours[: len(table)] = table.colours
    mixed = (1 - OPACITY) * picture.astype(np.float32) + OPACITY * colours[classes]
    drawn = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
    edges = np.zeros(classes.shape, bool)
    edges[:, 1:] |= classes[:, 1:] != classes[:, :-1]
    edges[1:] |= classes[1:] != classes[:-1]
    drawn[edges] = drawn[edges] // 2
    return np.hstack([drawn, _legend(classes, table, drawn.shape[0])]) if legend else drawn


def class_shares(classes: NDArray[np.uint8], table: ClassTable) -> dict[str, float]:
    """Name -> percent of the labelled pixels, largest first, of the classes that occur."""
    counts = np.bincount(classes.ravel(), minlength=256)[: len(table)]
    total = max(1, int(counts.sum()))
    order = np.argsort(-counts, kind="stable")
    return {table.names[i]: 100 * float(counts[i]) / total for i in order if counts[i]}


def _legend(classes: NDArray[np.uint8], table: ClassTable, height: int) -> NDArray[np.uint8]:
    shares = class_shares(classes, table)
    entries = [(name, f"{name} {share:.1f} %") for name, share in shares.items()]
    if (classes == IGNORE).any():
        entries.append(("", "not labelled"))
    row = max(12, min(26, height // max(1, len(entries))))
    size = row / 42
    longest = max((cv2.getTextSize(text, _FONT, size, 1)[0][0] for _, text in entries), default=0)
    rows = max(1, height // row)
    columns = -(-max(1, len(entries)) // rows)
    column_px = longest + 2 * row
    panel = np.full((height, columns * column_px, 3), 255, np.uint8)
    for number, (name, text) in enumerate(entries):
        left, top = number // rows * column_px, number % rows * row
        colour = table.colours[table.names.index(name)] if name else (0, 0, 0)
        cv2.rectangle(panel, (left + 4, top + 3), (left + row - 2, top + row - 3), colour, -1)
        cv2.rectangle(panel, (left + 4, top + 3), (left + row - 2, top + row - 3), (90, 90, 90), 1)
        at = (left + row + 4, top + row - row // 3)
        cv2.putText(panel, text, at, _FONT, size, (20, 20, 20), 1, cv2.LINE_AA)
    return panel
