"""Pictures and boxes to the network's input: keep-ratio sizes, resizing, flipping, cropping."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.detection.protocol import DetectionProtocol
from tasks.images import IMAGENET_MEAN, IMAGENET_STD, byte_values, look_up


def keep_ratio(size_hw: tuple[int, int], short_px: int, long_px: int) -> tuple[float, tuple[int, int]]:
    """The factor that makes the short side ``short_px`` or the long side ``long_px``, whichever comes first, and the size
    (height, width), rounded half up, at least 1."""
    height, width = size_hw
    factor = min(short_px / min(height, width), long_px / max(height, width))
    return factor, (max(1, int(height * factor + 0.5)), max(1, int(width * factor + 0.5)))


def resize(picture: NDArray[np.uint8], size_hw: tuple[int, int]) -> NDArray[np.uint8]:
    """Bilinear, as the reference (OpenCV, 8 bit); the same array where nothing changes."""
    if picture.shape[:2] == size_hw:
        return picture
    return np.asarray(cv2.resize(picture, (size_hw[1], size_hw[0]), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def resize_labels(labels: NDArray[np.uint8], size_hw: tuple[int, int]) -> NDArray[np.uint8]:
    """A label map (H, W) by the nearest neighbour."""
    if labels.shape == size_hw:
        return labels
    return np.asarray(cv2.resize(labels, (size_hw[1], size_hw[0]), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


def resize_masks(masks: NDArray[np.bool_], size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Masks (G, H, W) by the nearest neighbour."""
    size_wh = (size_hw[1], size_hw[0])
    made = [cv2.resize(mask.astype(np.uint8), size_wh, interpolation=cv2.INTER_NEAREST) for mask in masks]
    return np.stack(made).astype(bool)


CAFFE_MEAN_BGR = (102.9801, 115.9465, 122.7717)
_CAFFE_TABLE = np.arange(256, dtype=np.float32) - np.asarray(CAFFE_MEAN_BGR, dtype=np.float32)[:, None]


def normalised(picture: NDArray[np.uint8], protocol: DetectionProtocol) -> NDArray[np.float32]:
    """(H, W, 3) uint8 in the protocol's order of channels -> (3, H, W) float32 with the protocol's statistics."""
    return look_up(picture, values_of(protocol))


def values_of(protocol: DetectionProtocol) -> NDArray[np.float32]:
    """(3, 256): the normalised value of every byte, channels in the protocol's order."""
    if protocol.colour == "rgb":
        return byte_values()
    if protocol.colour == "bgr":
        return byte_values(IMAGENET_MEAN[::-1], IMAGENET_STD[::-1])
    return _CAFFE_TABLE


def pil_size(size_hw: tuple[int, int], short_px: int, long_px: int) -> tuple[int, int]:
    """Height and width that maskrcnn-benchmark resizes to: the other side is rounded down."""
    height, width = size_hw
    short, long = min(height, width), max(height, width)
    if long / short * short_px > long_px:
        short_px = round(long_px * short / long)
    other = max(1, int(short_px * long / short))
    return (short_px, other) if height <= width else (other, short_px)


def network_input(
    picture: NDArray[np.uint8], protocol: DetectionProtocol
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """A picture (H, W, 3) in the protocol's colour order as input (3, h, w), unpadded, and the
    input pixels per source pixel (x, y)."""
    made: Any
    made, scale_xy = resized_input(picture, protocol)
    return (normalised(made, protocol) if made.dtype == np.uint8 else made), scale_xy


def resized_input(
    picture: NDArray[np.uint8], protocol: DetectionProtocol
) -> tuple[NDArray[np.uint8] | NDArray[np.float32], tuple[float, float]]:
    """As :func:`network_input`, before the picture is normalised: (h, w, 3) uint8. Where the protocol interpolates what is
    normalised already, (3, h, w) float32."""
    height, width = picture.shape[:2]
    if protocol.resize == "interpolate":
        from tasks.detection.network.transform import interpolate_array

        ready = interpolate_array(normalised(picture, protocol), protocol.short_px, protocol.long_px)
        return ready, (ready.shape[2] / width, ready.shape[1] / height)
    if protocol.resize == "pil":
        size_h, size_w = pil_size((height, width), protocol.short_px, protocol.long_px)
        shrunk = Image.fromarray(picture).resize((size_w, size_h), Image.Resampling.BILINEAR)
        made, factor = np.asarray(shrunk, dtype=np.uint8), 1.0
    else:
        factor, size_hw = keep_ratio((height, width), protocol.short_px, protocol.long_px)
        made = resize(picture, size_hw)
    if protocol.rescale == "scale" and protocol.resize == "opencv":
        return made, (factor, factor)
    return made, (made.shape[1] / width, made.shape[0] / height)


def flip_boxes(boxes: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Mirrors (N, 4) xyxy boxes with exclusive ends: x -> width - x. With inclusive ends that is width - 1 - x."""
    mirrored = boxes.copy()
    mirrored[:, 0], mirrored[:, 2] = width - boxes[:, 2], width - boxes[:, 0]
    return mirrored


def crop_boxes(
    boxes: NDArray[np.float64], origin_xy: tuple[int, int], size_hw: tuple[int, int], inclusive: bool = True
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Boxes in a crop, clipped to it, and which of them are kept: those whose centre lies inside and that have an area there.

    Args:
        boxes: (N, 4) with exclusive ends. inclusive: whether the family takes centres between first and last pixel.
    """
    moved = boxes - np.array([*origin_xy, *origin_xy], dtype=boxes.dtype)
    centres = (moved[:, :2] + moved[:, 2:] - float(inclusive)) / 2
    kept = ((centres > 0) & (centres < size_hw[::-1])).all(1)
    moved[:, 0::2] = moved[:, 0::2].clip(0, size_hw[1])
    moved[:, 1::2] = moved[:, 1::2].clip(0, size_hw[0])
    return moved, kept & (moved[:, 2] - moved[:, 0] > 1) & (moved[:, 3] - moved[:, 1] > 1)
