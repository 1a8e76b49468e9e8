"""Tracks of a video in results: ids in records, colours and labels in drawings."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def with_ids(records: Sequence[dict[str, Any]], track_ids: NDArray[np.int64] | None) -> list[dict[str, Any]]:
    """Each record with its `track_id` (N,) in front; as they are where None are known."""
    if track_ids is None:
        return list(records)
    return [{"track_id": int(name), **record} for name, record in zip(track_ids, records, strict=True)]


def track_colour(number: int) -> tuple[int, int, int]:
    """A bright RGB colour, different for neighbouring numbers."""
    red, green, blue = colorsys.hsv_to_rgb((number * 0.381966) % 1, 0.75, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


def draw_id(
    canvas: NDArray[np.uint8], name: int, foot_xy: tuple[float, float], colour: tuple[int, int, int], size: float
) -> None:
    """Writes a track's id into a picture, centred above `foot_xy` px."""
    text = str(name)
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    at = (round(foot_xy[0] - width / 2), round(max(foot_xy[1], 10.0)))
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, (20, 20, 20), 3, cv2.LINE_AA)
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
