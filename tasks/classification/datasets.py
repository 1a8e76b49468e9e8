"""Samples of classification: crops of pictures, normalised, and their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.base import EvalData, TrainData
from tasks.classification.folders import ClassFolders, read_folders
from tasks.classification.protocol import ClassificationProtocol
from tasks.classification.recipes import CropAugment
from tasks.files.picture_entry import PictureEntry
from tasks.images import read_image


def centre_crop(picture: NDArray[np.uint8], protocol: ClassificationProtocol) -> NDArray[np.uint8]:
    """Resize the shorter side, antialiased, and cut the middle: (crop, crop, 3) uint8, as torchvision's transforms do."""
    height, width = picture.shape[:2]
    short = protocol.resize
    size = (short, int(short * height / width)) if width <= height else (int(short * width / height), short)
    kind = Image.Resampling.BICUBIC if protocol.interpolation == "bicubic" else Image.Resampling.BILINEAR
    resized = Image.fromarray(picture).resize(size, kind)
    left, top = round((size[0] - protocol.crop) / 2), round((size[1] - protocol.crop) / 2)
    return np.asarray(resized.crop((left, top, left + protocol.crop, top + protocol.crop)), dtype=np.uint8)


class ClassificationEvalData(EvalData):
    """Items: index, images (3, crop, crop) float32 normalised."""

    def __init__(self, root: Path, split: str, protocol: ClassificationProtocol, source: ClassFolders) -> None:
        if not 0 < protocol.crop <= protocol.resize:
            raise ValueError(f"Expected a crop between 1 and resize={protocol.resize} but got crop={protocol.crop}")
        self.folders, self.protocol = read_folders(Path(root), split, source), protocol
        self.notes = self.folders.notes

    def __len__(self) -> int:
        return len(self.folders.files)

    def image_ids(self) -> list[str]:
        return self.folders.image_ids()

    def entries(self) -> list[PictureEntry]:
        root = self.folders.root
        return [PictureEntry(root / file, file) for file in self.folders.files]

    def picture(self, index: int) -> NDArray[np.uint8]:
        """The crop that the network sees, (crop, crop, 3) uint8 RGB."""
        return centre_crop(read_image(self.folders.root, self.folders.files[index]), self.protocol)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"index": index, "images": self.pixels(self.picture(index))}


class ClassificationTrainData(TrainData):
    """Items: index, images (3, crop, crop) float32 normalised, label."""

    def __init__(
        self,
        root: Path,
        split: str,
        protocol: ClassificationProtocol,
        augment: CropAugment,
        seed: int,
        source: ClassFolders,
    ) -> None:
        self.folders = read_folders(Path(root), split, source)
        self.protocol, self.augment, self.seed = protocol, augment, seed

    def __len__(self) -> int:
        return len(self.folders.files)

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Any]:
        epoch, index = key
        rng = np.random.default_rng([self.seed, epoch, index])
        picture = read_image(self.folders.root, self.folders.files[index])
        box = random_part(rng, picture.shape[1], picture.shape[0], self.augment)
        part = resized_part(picture, box, self.protocol.crop)
        if rng.random() < self.augment.flip_prob:
            part = part[:, ::-1]
        return {"index": index, "images": self.pixels(part), "label": int(self.folders.labels[index])}


def resized_part(picture: NDArray[np.uint8], box: tuple[int, int, int, int], side_px: int) -> NDArray[np.uint8]:
    """A part (left, top, right, bottom) of a picture (H, W, 3), cut out and then resized, antialiased: (side_px, side_px, 3).

    Resizing by the box instead would let the filter read the pixels beside it, which the reference's crop does not have.
    """
    part = Image.fromarray(picture).crop(box).resize((side_px, side_px), Image.Resampling.BILINEAR)
    return np.asarray(part, dtype=np.uint8)


def random_part(rng: np.random.Generator, width: int, height: int, augment: CropAugment) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a random part: ten tries at area and ratio, then the largest middle part of a fair ratio."""
    low, high = np.log(augment.ratio)
    for _ in range(10):
        area = width * height * rng.uniform(*augment.area)
        ratio = float(np.exp(rng.uniform(low, high)))
        w, h = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
        if 0 < w <= width and 0 < h <= height:
            left, top = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
            return left, top, left + w, top + h
    w, h = min(width, round(height * augment.ratio[1])), min(height, round(width / augment.ratio[0]))
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h
