"""Samples for evaluation and training, over any of the layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.base import EvalData, TrainData
from tasks.files.picture_entry import PictureEntry
from tasks.images import IMAGENET_MEAN, inside, read_image
from tasks.segmentation.crops.augment import Pair, SegmentationAugment, train_sample
from tasks.segmentation.entries.entry import Entry
from tasks.segmentation.files.classes import ClassTable
from tasks.segmentation.files.layouts import Layout, check_files, check_once
from tasks.segmentation.protocol import SegmentationProtocol, with_short_side
from tasks.segmentation.targets import check_sizes

CHECKED = 32
"""Label maps that are kept between their check and their scoring."""
MEMORY_BYTES = 2**29
"""Training data whose decoded pictures fit into this are decoded once and kept."""


class SegmentationEvalData(EvalData):
    """Items: ``images`` (3, H, W) float32 normalised RGB or bytes, ``size_hw`` at which the sample is scored, ``index``; and
    ``label`` (H, W) uint8 or None, as :meth:`label`, where the network is far (`Samples.far`) and counts beside it."""

    def __init__(self, entry: Entry, root: Path, split: str, protocol: SegmentationProtocol) -> None:
        self.protocol = protocol
        self.layout = entry.open(root, split, protocol, True)
        check_files(self.layout.root, self.layout.samples)
        check_once(self.layout.samples)
        self.checked: dict[int, NDArray[np.uint8]] = {}
        self.notes = (*entry.notes, *self.layout.notes)

    @property
    def table(self) -> ClassTable:
        return self.layout.table

    @property
    def sizes_vary(self) -> bool:  # type: ignore[override]
        """Not of squares, windows, and sets like Cityscapes, whose pictures are all of one size."""
        one_size = self.protocol.view in ("square", "windows") or self.protocol.score_at == "crop"
        return not one_size and (self.surveyed is None or self.surveyed.sizes != 1)

    def __len__(self) -> int:
        return len(self.layout.samples)

    def image_ids(self) -> list[str]:
        return self.layout.names()

    def entries(self) -> list[PictureEntry]:
        return layout_entries(self.layout)

    def picture(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) RGB as stored."""
        return read_image(self.layout.root, self.layout.samples[index].image)

    def scored_size(self, image_hw: tuple[int, int]) -> tuple[int, int]:
        return self.protocol.crop_hw if self.protocol.score_at == "crop" else image_hw

    def label(self, index: int) -> NDArray[np.uint8] | None:
        """(H, W) classes at the size of scoring, 255 where ignored; None on a split without labels.

        A label that was read to check it is not decoded again, once.
        """
        label = self.checked.pop(index) if index in self.checked else self.layout.label(index)
        if label is not None and self.protocol.score_at == "crop":
            size_wh = self.protocol.crop_hw[::-1]
            label = np.asarray(cv2.resize(label, size_wh, interpolation=cv2.INTER_NEAREST), np.uint8)
        return label

    def check_label(self, index: int, image_hw: tuple[int, int]) -> None:
        """Reads the label map before the network sees the picture: a bad one ends an evaluation at once.

        Raises:
            ValueError: it cannot be read, holds ids out of range, or is not of its picture's size.
        """
        label = self.layout.label(index)
        if label is not None:
            check_sizes(image_hw, (label.shape[0], label.shape[1]), self.layout.samples[index].where)
            if len(self.checked) >= CHECKED:  # a loader process hands none over
                self.checked.pop(next(iter(self.checked)))
            self.checked[index] = label

    def __getitem__(self, index: int) -> dict[str, Any]:
        picture = self.picture(index)
        self.check_label(index, (picture.shape[0], picture.shape[1]))
        size_hw = self.scored_size((picture.shape[0], picture.shape[1]))
        item = {"index": index, "images": self.pixels(network_input(picture, self.protocol)), "size_hw": size_hw}
        return item | {"label": self.label(index)} if self.far else item

    def collate(self, samples: list[dict[str, Any]]) -> dict[str, Any]:
        import torch

        batch = collate(samples)
        if self.far:
            labels = [sample["label"] for sample in samples]
            batch["label"] = [None if label is None else torch.from_numpy(label) for label in labels]
            batch["keep"] = self.keeps
        return batch


def collate(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """A batch whose ``images`` are one tensor (B, 3, H, W) where all are of one size, else a list of (1, 3, H, W)."""
    import torch

    images = [torch.from_numpy(sample["images"]) for sample in samples]
    alike = len({image.shape for image in images}) == 1
    return {
        "index": [sample["index"] for sample in samples],
        "images": torch.stack(images) if alike else [image[None] for image in images],
        "size_hw": [sample["size_hw"] for sample in samples],
    }


def network_input(picture: NDArray[np.uint8], protocol: SegmentationProtocol) -> NDArray[np.uint8]:
    """The picture before normalisation: squashed, or brought to a short side and padded, where the protocol says so."""
    if protocol.view != "square" and protocol.score_at != "crop":
        if not protocol.first_short_px:
            return picture
        height, width = with_short_side(picture.shape[:2], protocol.first_short_px)
        picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
        below, right = -height % protocol.pad_multiple, -width % protocol.pad_multiple
        mean = [round(255 * value) for value in IMAGENET_MEAN]
        return np.asarray(cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_CONSTANT, value=mean), np.uint8)
    crop_h, crop_w = protocol.crop_hw
    if picture.shape[:2] == (crop_h, crop_w):
        return picture
    return np.asarray(cv2.resize(picture, (crop_w, crop_h), interpolation=cv2.INTER_LINEAR), np.uint8)


def layout_entries(layout: Layout) -> list[PictureEntry]:
    """The pictures of a split and their label maps, for `tasks.survey`."""
    root = layout.root
    return [
        PictureEntry(
            inside(root, sample.image),
            sample.where,
            layout.size_wh(index),
            inside(root, sample.label) if sample.label is not None else None,
        )
        for index, sample in enumerate(layout.samples)
    ]


class SegmentationTrainData(TrainData):
    """Items: ``images`` (3, h, w) float32 normalised RGB and ``labels`` (h, w) uint8, 255 where ignored."""

    def __init__(
        self,
        entry: Entry,
        root: Path,
        split: str,
        augment: SegmentationAugment,
        protocol: SegmentationProtocol,
        seed: int,
    ) -> None:
        self.augment, self.seed = augment, seed
        self.layout = entry.open(root, split, protocol, True)
        check_files(self.layout.root, self.layout.samples)
        if any(sample.label is None for sample in self.layout.samples) and split == "test":
            raise ValueError(
                f"Expected a split with labels to train on, got {split!r} of {entry.info.title}; use train."
            )
        self.kept: dict[int, Pair] = {}
        self.keep: bool | None = None

    def entries(self) -> list[PictureEntry]:
        return layout_entries(self.layout)

    def __len__(self) -> int:
        return len(self.layout.samples)

    def pair(self, index: int) -> Pair:
        """(picture (H, W, 3), label map (H, W)) as stored; small datasets are kept in memory."""
        if index in self.kept:
            return self.kept[index]
        sample = self.layout.samples[index]
        picture = read_image(self.layout.root, sample.image)
        label = self.layout.label(index)
        assert label is not None
        check_sizes(picture.shape[:2], label.shape[:2], sample.where)  # type: ignore[arg-type]
        if self.keep is None:
            self.keep = (picture.nbytes + label.nbytes) * len(self) <= MEMORY_BYTES
        if self.keep:
            self.kept[index] = (picture, label)
        return picture, label

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Any]:
        epoch, index = key
        rng = np.random.default_rng([self.seed, epoch, index])
        picture, label = train_sample(*self.pair(index), self.augment, self.layout.table, rng)
        return {"images": self.pixels(picture), "labels": np.ascontiguousarray(label)}
