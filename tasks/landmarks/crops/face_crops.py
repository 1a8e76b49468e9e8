"""The two face crops: the reference's, rebuilt from the documented behaviour of SciPy's former image functions, and the affine.

Centres are 1-based pixels, as the files state them; a scale is in units of 200 px and already padded.
Source: docs/protocols.md, section 9 and trap T5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from tasks.geometry import PIXEL_STD, affine_matrix, affine_matrix_closed
from tasks.geometry import crop as warp
from tasks.heatmaps.corners import corner_pixel

ONE_BASED = 1.0


def stretch(picture: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Linear stretch of a float picture to 0..255, smallest value to 0 and largest to 255 over all channels, rounded half up.

    What SciPy's image functions did to any array that was not uint8. A flat picture becomes 0.
    """
    low, high = float(picture.min()), float(picture.max())
    factor = 255.0 / ((high - low) or 1.0)
    return (np.clip((picture - low) * factor, 0, 255) + 0.5).astype(np.uint8)


def resize(picture: NDArray, size_wh: Sequence[int]) -> NDArray[np.uint8]:
    """Bilinear resize of (H, W, 3), antialiased where it shrinks; float pictures are stretched first."""
    pixels = picture if picture.dtype == np.uint8 else stretch(picture)
    made = Image.fromarray(pixels).resize((int(size_wh[0]), int(size_wh[1])), Image.Resampling.BILINEAR)
    return np.asarray(made, dtype=np.uint8)


def rotate(picture: NDArray, degrees: float) -> NDArray[np.uint8]:
    """Turn (H, W, 3) counter-clockwise about its middle, bilinear, 0 outside; float pictures are stretched first."""
    pixels = picture if picture.dtype == np.uint8 else stretch(picture)
    return np.asarray(Image.fromarray(pixels).rotate(degrees, Image.Resampling.BILINEAR), dtype=np.uint8)


def reference_crop(
    image: NDArray[np.uint8],
    centre: ArrayLike,
    scale: float,
    size_wh: Sequence[int],
    rotation_deg: float = 0.0,
    as_float: bool = True,
) -> NDArray[np.uint8]:
    """HRNet's face crop: whole-pixel corners, zero padding, contrast stretch, antialiased resize.

    Args:
        image: (H, W, 3) RGB. centre: (2,) 1-based px. scale: padded, 200-px units. size_wh: square.
        rotation_deg: turns the patch counter-clockwise.
        as_float: whether the loader handed the picture over as float (all sets but COFW); a float picture that has to
            be shrunk first (side over twice the output) is stretched as a whole, before the patch is.

    Returns:
        (H, W, 3) uint8; zeros where the box does not touch the picture at all.
    """
    size = int(size_wh[0])
    middle, side = np.asarray(centre, dtype=np.float64), float(scale) * PIXEL_STD
    pixels: NDArray = image
    factor = side / size
    if factor >= 2:
        small = (int(np.floor(image.shape[1] / factor)), int(np.floor(image.shape[0] / factor)))
        if max(small) < 2 or min(small) < 1:
            return np.zeros((size, size, 3), dtype=np.uint8)
        pixels = resize(image.astype(np.float32) if as_float else image, small)
        middle, side = middle / factor, side / factor
    upper_left = corner_pixel((0, 0), middle, side, size)
    lower_right = corner_pixel((size, size), middle, side, size)
    if (lower_right <= upper_left).any():
        return np.zeros((size, size, 3), dtype=np.uint8)
    span = lower_right - upper_left
    pad = int(np.linalg.norm(span) / 2 - float(span[1]) / 2)
    turned = rotation_deg != 0 and pad > 0
    if turned:
        upper_left, lower_right = upper_left - pad, lower_right + pad
    (left, top), (right, bottom) = upper_left.tolist(), lower_right.tolist()
    patch = np.zeros((bottom - top, right - left, 3), dtype=np.float32)
    x0, x1 = max(0, left), min(pixels.shape[1], right)
    y0, y1 = max(0, top), min(pixels.shape[0], bottom)
    if x1 > x0 and y1 > y0:
        patch[y0 - top : y1 - top, x0 - left : x1 - left] = pixels[y0:y1, x0:x1]
    if turned:
        return resize(rotate(patch, rotation_deg)[pad:-pad, pad:-pad], size_wh)
    return resize(patch, size_wh)


def affine_crop(image: NDArray[np.uint8], matrix: ArrayLike, size_wh: Sequence[int]) -> NDArray[np.uint8]:
    """Warp (H, W, 3) by a matrix from 0-based picture pixels to crop pixels."""
    return warp(image, matrix, size_wh)


def crop_matrix(
    centre: ArrayLike, scale: float, size_wh: Sequence[int], rotation_deg: float = 0.0, crop: str = "affine"
) -> NDArray[np.float64]:
    """The 2x3 matrix from 1-based picture coordinates to crop pixels in which targets are drawn.

    "affine": mmpose's, which counts from 0, so it is the three-point affine after subtracting 1. "reference": the similarity
    applied to the file's numbers as they are; there a positive angle turns the picture's content counter-clockwise.
    """
    middle = np.asarray(centre, dtype=np.float64)
    if crop == "reference":
        # y points down: turning the content counter-clockwise is a frame turned by the same angle in affine_matrix's sense.
        return affine_matrix_closed(middle, (scale,), rotation_deg, size_wh)
    matrix = affine_matrix(middle - ONE_BASED, (scale,), rotation_deg, size_wh)
    return np.column_stack([matrix[:, :2], matrix[:, 2] - matrix[:, :2].sum(1) * ONE_BASED])
