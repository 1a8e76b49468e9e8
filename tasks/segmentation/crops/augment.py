"""Training samples: scale, crop and flip with the reference's odds. See docs/protocols.md, sections 6 to 8."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.recipe import check_odds
from tasks.segmentation.files.classes import IGNORE, ClassTable
from tasks.segmentation.protocol import with_short_side
from tasks.segmentation.targets import mirrored_label

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class SegmentationAugment:
    """What is drawn for a training sample.

    Attributes:
        crop_hw: height and width in px of what the network sees.
        base_px: side to which a picture is brought at scale 1; 0 keeps its own size.
        first_short_px: picture and label are brought to this short side before anything else; 0 leaves them.
        scale_min, scale_steps: the scale is scale_min + k / 10 with k drawn from 0 .. scale_steps, *inclusive*: 16 steps
            from 0.5 reach 2.1, as the reference's inclusive draw does (trap T11).
        flip: probability of mirroring.
        squash: resize picture and label to ``crop_hw`` whatever their shape, after the mirror and before the scale (LIP).
    """

    crop_hw: tuple[int, int]
    base_px: int = 0
    first_short_px: int = 0
    scale_min: float = 0.5
    scale_steps: int = 16
    flip: float = 0.5
    squash: bool = False

    def __post_init__(self) -> None:
        check_odds(self, "flip")
        if not self.scale_min > 0 or self.scale_steps < 0:
            raise ValueError(
                f"Expected recipe.augment.scale_min above 0 and scale_steps of at least 0, got {self.scale_min} and "
                f"{self.scale_steps}."
            )
        if min(self.crop_hw) < 1 or min(self.base_px, self.first_short_px) < 0:
            raise ValueError(
                f"Expected recipe.augment with positive sizes, got crop_hw={self.crop_hw}, base_px={self.base_px} and "
                f"first_short_px={self.first_short_px}."
            )


def train_sample(
    image: NDArray[np.uint8],
    label: NDArray[np.uint8],
    augment: SegmentationAugment,
    table: ClassTable,
    rng: np.random.Generator,
) -> Pair:
    """One augmented (picture, label map) of size ``crop_hw``; padding is black and ignored.

    The order is the references': a mirrored sample is mirrored last, padding included, so that its padding lies left; LIP's is
    mirrored first, as it is stored, and then squashed. Nearest-neighbour resizing does not commute with mirroring.
    """
    flip = rng.random() < augment.flip
    crop_h, crop_w = augment.crop_hw
    if augment.squash:
        image, label = resized(*(mirrored(image, label, table) if flip else (image, label)), (crop_h, crop_w))
    if augment.first_short_px:
        image, label = resized(image, label, with_short_side(image.shape[:2], augment.first_short_px))
    scale = augment.scale_min + int(rng.integers(0, augment.scale_steps + 1)) / 10
    image, label = resized(image, label, scaled_size(image.shape[:2], scale, augment))
    image, label = padded(image, label, (crop_h, crop_w))
    top = int(rng.integers(0, image.shape[0] - crop_h + 1))
    left = int(rng.integers(0, image.shape[1] - crop_w + 1))
    image, label = image[top : top + crop_h, left : left + crop_w], label[top : top + crop_h, left : left + crop_w]
    return mirrored(image, label, table) if flip and not augment.squash else (image, label)


def mirrored(image: NDArray[np.uint8], label: NDArray[np.uint8], table: ClassTable) -> Pair:
    """Picture and label map with their columns reversed, left and right classes swapped."""
    return np.ascontiguousarray(image[:, ::-1]), mirrored_label(label, table)


def scaled_size(size_hw: tuple[int, ...], scale: float, augment: SegmentationAugment) -> tuple[int, int]:
    """Height and width in px at a scale: the long side becomes int(base * scale + 0.5)."""
    height, width = size_hw
    long_side = int((augment.base_px or max(height, width)) * scale + 0.5)
    if height > width:
        return long_side, int(width * long_side / height + 0.5)
    return int(height * long_side / width + 0.5), long_side


def resized(image: NDArray[np.uint8], label: NDArray[np.uint8], size_hw: tuple[int, int]) -> Pair:
    """Picture bilinear, label nearest."""
    if image.shape[:2] == size_hw:
        return image, label
    size_wh = (max(1, size_hw[1]), max(1, size_hw[0]))
    bigger = cv2.resize(image, size_wh, interpolation=cv2.INTER_LINEAR)
    return np.asarray(bigger, np.uint8), np.asarray(
        cv2.resize(label, size_wh, interpolation=cv2.INTER_NEAREST), np.uint8
    )


def padded(image: NDArray[np.uint8], label: NDArray[np.uint8], size_hw: tuple[int, int]) -> Pair:
    """At least ``size_hw``: black and ignored pixels at the bottom and the right."""
    below, right = max(0, size_hw[0] - image.shape[0]), max(0, size_hw[1] - image.shape[1])
    if below == 0 and right == 0:
        return image, label
    image = np.pad(image, ((0, below), (0, right), (0, 0)))
    return image, np.pad(label, ((0, below), (0, right)), constant_values=IGNORE)
