"""Detections drawn on a picture: boxes, labels, scores, masks."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

SHOWN_SCORE = 0.3
"""Detections below this score are not drawn."""


def colour_of(label: int) -> tuple[int, int, int]:
    """A saturated RGB colour per label; neighbours differ by the golden angle."""
    red, green, blue = colorsys.hsv_to_rgb((label * 0.61803398875) % 1.0, 0.75, 1.0)
    return int(255 * red), int(255 * green), int(255 * blue)


def draw(
    picture: NDArray[np.uint8],
    boxes: ArrayLike,
    labels: ArrayLike,
    scores: ArrayLike | None,
    masks: NDArray[np.bool_] | None,
    name_of: Callable[[int], str],
    crowds: Sequence[Any] = (),
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB with objects drawn, the highest score on top; small pictures are enlarged first.

    Args:
        boxes: (n, 4) x, y, w, h. labels: (n,). scores: (n,) or None. masks: (n, H, W) or None.
        crowds: boxes of crowd regions, drawn in grey.
    """
    boxes, labels = np.asarray(boxes, dtype=float).reshape(-1, 4), np.asarray(labels, dtype=int)
    zoom = max(1, round(640 / max(picture.shape[:2])))
    size = (picture.shape[1] * zoom, picture.shape[0] * zoom)
    canvas = np.array(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    order = range(len(boxes) - 1, -1, -1)
    for row in order:
        if masks is not None:
            inside = cv2.resize(masks[row].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)
            tint = np.array(colour_of(labels[row]), dtype=float)
            canvas[inside] = (0.55 * canvas[inside] + 0.45 * tint).astype(np.uint8)
    for box in crowds:
        _rectangle(canvas, np.asarray(box, dtype=float) * zoom, (170, 170, 170), "crowd")
    for row in order:
        text = name_of(int(labels[row]))
        if scores is not None:
            text += f" {float(np.asarray(scores)[row]):.2f}"
        _rectangle(canvas, boxes[row] * zoom, colour_of(int(labels[row])), text)
    return canvas


def _rectangle(canvas: NDArray[np.uint8], box: NDArray[np.floating], colour: tuple[int, int, int], text: str) -> None:
    x, y, width, height = box
    thick = max(1, round(max(canvas.shape[:2]) / 500))
    first, last = (round(x), round(y)), (round(x + width), round(y + height))
    cv2.rectangle(canvas, first, last, colour, thick, cv2.LINE_AA)
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.4 * max(1.0, thick * 0.75)
    (wide, high), base = cv2.getTextSize(text, font, scale, 1)
    left = int(np.clip(first[0], 0, max(0, canvas.shape[1] - wide)))
    top = int(np.clip(first[1] - high - base, 0, max(0, canvas.shape[0] - high - base)))
    cv2.rectangle(canvas, (left, top), (left + wide, top + high + base), colour, cv2.FILLED)
    cv2.putText(canvas, text, (left, top + high), font, scale, (0, 0, 0), 1, cv2.LINE_AA)
