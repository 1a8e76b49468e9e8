"""ImageNet on disk: one folder of pictures per class. Torch-free.

Layout below the dataset's folder: train/<synset>/*.JPEG and val/<synset>/*.JPEG; a class's number is the place of its
folder among the 1000 sorted names. A part of the classes can be read where `classes.txt` beside them lists all 1000 names.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.base import EvalData, TrainData
from tasks.classification.protocol import ClassificationProtocol
from tasks.classification.recipes import CropAugment
from tasks.images import normalise, read_image

NUM_CLASSES = 1000
SUFFIXES = (".jpeg", ".jpg", ".png")
SPLITS = ("train", "val")


@dataclass(frozen=True)
class Folders:
    """Pictures of a split: paths below `root`, class numbers (N,), and the class names."""

    root: Path
    files: tuple[str, ...]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]


def read_folders(root: Path, split: str) -> Folders:
    """List a split's pictures, in order of class and name.

    Raises:
        ValueError: the folder is missing, empty, or holds classes whose numbers cannot be told.
    """
    folder = root / split
    if not folder.is_dir():
        raise ValueError(
            f"Expected ImageNet's pictures in {folder}/<synset>/ but there is no such folder; sort them into one folder per "
            "class (tasks/classification/README.md) or correct --data-root"
        )
    found = sorted(path.name for path in folder.iterdir() if path.is_dir())
    classes = _class_names(root, folder, found)
    numbers = {name: number for number, name in enumerate(classes)}
    files: list[str] = []
    labels: list[int] = []
    for name in found:
        here = sorted(path.name for path in (folder / name).iterdir() if path.suffix.lower() in SUFFIXES)
        files += [f"{split}/{name}/{file}" for file in here]
        labels += [numbers[name]] * len(here)
    if not files:
        raise ValueError(f"Expected pictures ({', '.join(SUFFIXES)}) in the class folders of {folder} but found none")
    return Folders(root, tuple(files), np.array(labels, dtype=np.int64), classes)


def _class_names(root: Path, folder: Path, found: list[str]) -> tuple[str, ...]:
    if len(found) == NUM_CLASSES:
        return tuple(found)
    listing = root / "classes.txt"
    if not listing.is_file():
        raise ValueError(
            f"Expected {NUM_CLASSES} class folders in {folder} but found {len(found)}: their numbers are unknown; complete the "
            f"data, or list all {NUM_CLASSES} folder names in order in {listing}"
        )
    names = tuple(line.strip() for line in listing.read_text(encoding="utf-8").splitlines() if line.strip())
    unknown = sorted(set(found) - set(names))
    if len(set(names)) != NUM_CLASSES or unknown:
        raise ValueError(
            f"Expected {NUM_CLASSES} different names in {listing} that cover {folder} but got {len(set(names))}"
            + (f", without {unknown[0]!r}" if unknown else "")
            + "; correct the list"
        )
    return names


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

    def __init__(self, root: Path, split: str, protocol: ClassificationProtocol) -> None:
        if not 0 < protocol.crop <= protocol.resize:
            raise ValueError(f"Expected a crop between 1 and resize={protocol.resize} but got crop={protocol.crop}")
        self.folders, self.protocol = read_folders(Path(root), split), protocol

    def __len__(self) -> int:
        return len(self.folders.files)

    def image_ids(self) -> list[str]:
        return [Path(file).stem for file in self.folders.files]

    def picture(self, index: int) -> NDArray[np.uint8]:
        """The crop that the network sees, (crop, crop, 3) uint8 RGB."""
        return centre_crop(read_image(self.folders.root, self.folders.files[index]), self.protocol)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"index": index, "images": normalise(self.picture(index))}


class ClassificationTrainData(TrainData):
    """Items: index, images (3, crop, crop) float32 normalised, label."""

    def __init__(
        self, root: Path, split: str, protocol: ClassificationProtocol, augment: CropAugment, seed: int
    ) -> None:
        self.folders, self.protocol, self.augment, self.seed = read_folders(Path(root), split), protocol, augment, seed

    def __len__(self) -> int:
        return len(self.folders.files)

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Any]:
        epoch, index = key
        rng = np.random.default_rng([self.seed, epoch, index])
        picture = read_image(self.folders.root, self.folders.files[index])
        box = random_part(rng, picture.shape[1], picture.shape[0], self.augment)
        size = (self.protocol.crop, self.protocol.crop)
        part = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR, box=box), dtype=np.uint8)
        if rng.random() < self.augment.flip_prob:
            part = part[:, ::-1]
        return {"index": index, "images": normalise(part), "label": int(self.folders.labels[index])}


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
