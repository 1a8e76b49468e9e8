"""Boxes, centres, scales and the affine crop that pose and face datasets share.

Conventions: points are (x, y) in pixels, pixel centres at whole numbers, no half-pixel terms. A `scale` is in units of
`PIXEL_STD` = 200 px, (width, height). Sizes say their order (`size_wh`). Rotations are degrees; a positive one turns
the sampling frame from +x towards +y. Source of the rules: docs/protocols.md, sections 3 and 4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

PIXEL_STD = 200.0
Floats = NDArray[np.floating]


def box_to_centre_scale(box_xywh: ArrayLike, aspect: float, padding: float = 1.25) -> tuple[Floats, Floats]:
    """Centre and scale of the crop around a box: grown to the aspect, then padded.

    Args:
        box_xywh: (4,) left, top, width, height in pixels.
        aspect: width over height of the network's input.
        padding: factor on the grown box (1.25 for pose).

    Returns:
        centre (2,) float32 in pixels and scale (2,) float32 in 200-px units.

    Raises:
        ValueError: the box has no positive width and height, or a number that is not finite.
    """
    x, y, width, height = (float(value) for value in np.asarray(box_xywh, dtype=np.float64).reshape(4))
    if not np.isfinite([x, y, width, height]).all() or width < 0 or height < 0 or width == height == 0:
        raise ValueError(
            f"Expected a box (x, y, width, height) of finite numbers with a positive size but got "
            f"{(x, y, width, height)}; correct or remove the record"
        )
    centre = np.array([x + width * 0.5, y + height * 0.5], dtype=np.float32)
    if width > aspect * height:
        height = width / aspect
    elif width < aspect * height:
        width = height * aspect
    scale = np.array([width / PIXEL_STD, height / PIXEL_STD], dtype=np.float32)
    return centre, (scale * np.float32(padding)).astype(np.float32)


def boxes_to_centre_scale(boxes_xywh: ArrayLike, aspect: float, padding: float = 1.25) -> tuple[Floats, Floats]:
    """`box_to_centre_scale` of many boxes (N, 4), each with a size: centres and scales (N, 2) float32, to the same bits."""
    boxes = np.asarray(boxes_xywh, dtype=np.float64).reshape(-1, 4)
    width, height = boxes[:, 2], boxes[:, 3]
    centres = np.stack([boxes[:, 0] + width * 0.5, boxes[:, 1] + height * 0.5], 1).astype(np.float32)
    grown_width = np.where(width < aspect * height, height * aspect, width)
    grown_height = np.where(width > aspect * height, width / aspect, height)
    scales = np.stack([grown_width / PIXEL_STD, grown_height / PIXEL_STD], 1).astype(np.float32)
    return centres, (scales * np.float32(padding)).astype(np.float32)


def boxes_to_centre_scale_mmpose(boxes_xywh: ArrayLike, aspect: float, padding: float = 1.25) -> tuple[Floats, Floats]:
    """As `boxes_to_centre_scale`, padded first and then grown to the aspect, in float32 pixels as mmpose 1.x rounds them.

    Returns:
        centres (N, 2) float32 in pixels and scales (N, 2) float64 in 200-px units, of which the pixels can be had back exactly.
    """
    boxes = np.asarray(boxes_xywh, dtype=np.float64).reshape(-1, 4)
    first, last = boxes[:, :2].astype(np.float32), (boxes[:, :2] + boxes[:, 2:]).astype(np.float32)
    padded = (last - first) * np.float32(padding)
    wide, high, shape = padded[:, 0], padded[:, 1], np.float32(aspect)
    grown = np.where(wide > high * shape, [wide, wide / shape], [high * shape, high]).T
    return (first + last) * np.float32(0.5), grown.astype(np.float64) / PIXEL_STD


def affine_points(
    centre: ArrayLike, scale: ArrayLike, rotation_deg: float, size_wh: Sequence[int], along: Literal["y", "x"] = "y"
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Three source and three destination points, (3, 2) float32 each, that fix the crop.

    The first is the centre, the second half a box *width* above it, the third completes a right angle; so the width
    alone sets the zoom. Kept in float32 because published numbers carry that rounding.

    Args:
        along: the axis of the second point: "y", or "x" (mmpose 1.x, to the left), which differs in the rounding.
    """
    # No cast of the arguments: float32 scales (COCO) round where float64 ones (MPII) do not, in the reference too.
    half_width = (np.asarray(scale).reshape(-1) * PIXEL_STD)[0] * -0.5
    angle = np.pi * rotation_deg / 180
    step = np.array([-half_width * np.sin(angle), half_width * np.cos(angle)])
    if along == "x":
        step = np.array([half_width * np.cos(angle), half_width * np.sin(angle)])
    middle = np.asarray(centre, dtype=np.float64)
    width, height = float(size_wh[0]), float(size_wh[1])
    source = np.zeros((3, 2), dtype=np.float32)
    target = np.zeros((3, 2), dtype=np.float32)
    source[0], source[1] = middle, middle + step
    target[0], target[1] = (width * 0.5, height * 0.5), (width * 0.5, height * 0.5 - width * 0.5)
    if along == "x":
        target[1] = 0.0, height * 0.5
    for points in (source, target):
        dx, dy = points[0] - points[1]
        points[2] = points[1] + np.array([-dy, dx], dtype=np.float32)
    return source, target


def affine_matrix(
    centre: ArrayLike,
    scale: ArrayLike,
    rotation_deg: float,
    size_wh: Sequence[int],
    inverse: bool = False,
    along: Literal["y", "x"] = "y",
) -> NDArray[np.float64]:
    """The 2x3 float64 matrix image -> crop (or crop -> image with `inverse`), solved by OpenCV from float32 points.

    Args:
        centre: (2,) px. scale: (1,) or (2,), 200-px units; only its first entry, the width, counts.
        rotation_deg: rotation of the sampling frame about the centre.
        size_wh: output width and height (of the input picture for cropping, of the heat map for decoding).
        along: as of `affine_points`.
    """
    source, target = affine_points(centre, scale, rotation_deg, size_wh, along)
    matrix = cv2.getAffineTransform(target, source) if inverse else cv2.getAffineTransform(source, target)
    return np.asarray(matrix, dtype=np.float64)


def udp_matrix(centre: ArrayLike, scale: ArrayLike, rotation_deg: float, size_wh: Sequence[int]) -> NDArray[np.float64]:
    """The 2x3 matrix image -> crop in the unit of pixel distances: the box's corners land on 0 and size - 1 (arXiv 1911.07524).

    The rotation about the centre comes before the two axes are scaled, each by its own factor. Sums and result are float32
    and in mmpose's order, because published numbers carry that rounding.

    Args:
        centre: (2,) px. scale: (2,), 200-px units. rotation_deg: a positive one turns the picture from +x towards +y.
    """
    x, y = np.asarray(centre, dtype=np.float32)
    width, height = (np.asarray(scale, dtype=np.float64) * PIXEL_STD).astype(np.float32)
    angle = float(np.deg2rad(rotation_deg))
    cos, sin = math.cos(angle), math.sin(angle)
    zoom_x, zoom_y = (int(size_wh[0]) - 1) / width, (int(size_wh[1]) - 1) / height
    matrix = np.zeros((2, 3), dtype=np.float32)
    matrix[0] = cos * zoom_x, -sin * zoom_x, zoom_x * (-x * cos + y * sin + 0.5 * width)
    matrix[1] = sin * zoom_y, cos * zoom_y, zoom_y * (-x * sin - y * cos + 0.5 * height)
    return matrix.astype(np.float64)


def affine_matrix_closed(
    centre: ArrayLike, scale: ArrayLike, rotation_deg: float, size_wh: Sequence[int], inverse: bool = False
) -> NDArray[np.float64]:
    """`affine_matrix` in closed form and full precision.

    x' = k R(-rotation) (x - centre) + size / 2 with k = width / (200 scale).
    """
    zoom = float(size_wh[0]) / (PIXEL_STD * float(np.asarray(scale, dtype=np.float64).reshape(-1)[0]))
    angle = np.deg2rad(rotation_deg)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    origin = np.asarray(centre, dtype=np.float64)
    middle = np.array([size_wh[0] * 0.5, size_wh[1] * 0.5])
    if inverse:
        linear = rotation.T / zoom
        return np.column_stack([linear, origin - linear @ middle])
    linear = rotation * zoom
    return np.column_stack([linear, middle - linear @ origin])


def crop(image: NDArray[np.uint8], matrix: ArrayLike, size_wh: Sequence[int]) -> NDArray[np.uint8]:
    """Sample a picture (H, W[, C]) into a crop of `size_wh` by `matrix` (image -> crop), bilinear, 0 outside it."""
    size = (int(size_wh[0]), int(size_wh[1]))
    warped = cv2.warpAffine(image, np.asarray(matrix, dtype=np.float64), size, flags=cv2.INTER_LINEAR)
    return np.asarray(warped, dtype=np.uint8)


def transform_points(points: ArrayLike, matrix: ArrayLike) -> NDArray[np.float64]:
    """Apply a 2x3 matrix to points (..., 2), in float64."""
    linear = np.asarray(matrix, dtype=np.float64)
    xy = np.asarray(points, dtype=np.float64)
    return xy @ linear[:, :2].T + linear[:, 2]


def flip_points(
    points: ArrayLike, width: int, pairs: Sequence[Sequence[int]], values: ArrayLike | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Mirror points (N, 2) in a picture `width` px wide, x -> width - 1 - x, and swap left with right.

    Args:
        pairs: (left, right) indices that change places.
        values: (N, ...) numbers that go with the points (visibility) and are swapped alike.

    Returns:
        The mirrored points and the swapped values (None where none were given).
    """
    order = swap_order(len(np.asarray(points)), pairs)
    mirrored = np.array(points, dtype=np.float64)[order]
    mirrored[:, 0] = width - 1 - mirrored[:, 0]
    return mirrored, None if values is None else np.array(values)[order]


def swap_order(count: int, pairs: Sequence[Sequence[int]]) -> NDArray[np.intp]:
    """Index array (count,) that exchanges the members of each pair: `x[swap_order(len(x), pairs)]`."""
    order = np.arange(count)
    for left, right in pairs:
        order[left], order[right] = right, left
    return order


def rotate_points(points: ArrayLike, centre: ArrayLike, degrees: float) -> NDArray[np.float64]:
    """Rotate points (..., 2) about `centre`, from +x towards +y."""
    angle = np.deg2rad(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    origin = np.asarray(centre, dtype=np.float64)
    return (np.asarray(points, dtype=np.float64) - origin) @ rotation.T + origin


def xywh_to_xyxy(boxes: ArrayLike) -> NDArray[np.float64]:
    """(..., 4) left, top, width, height -> left, top, right, bottom (right = left + width: no one-pixel term)."""
    box = np.array(boxes, dtype=np.float64)
    box[..., 2:] += box[..., :2]
    return box


def xyxy_to_xywh(boxes: ArrayLike) -> NDArray[np.float64]:
    """(..., 4) left, top, right, bottom -> left, top, width, height (inverse of `xywh_to_xyxy`)."""
    box = np.array(boxes, dtype=np.float64)
    box[..., 2:] -= box[..., :2]
    return box


def clip_boxes(boxes_xyxy: ArrayLike, size_wh: Sequence[float]) -> NDArray[np.float64]:
    """Clip boxes (..., 4) left, top, right, bottom to [0, width] x [0, height]."""
    box = np.array(boxes_xyxy, dtype=np.float64)
    box[..., 0::2] = np.clip(box[..., 0::2], 0, size_wh[0])
    box[..., 1::2] = np.clip(box[..., 1::2], 0, size_wh[1])
    return box
