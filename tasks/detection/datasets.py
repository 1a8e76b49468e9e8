"""Samples of detection: whole pictures, resized, normalised, unpadded; a batch is padded together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.base import EvalData, TrainData
from tasks.coco.identities import texts_of
from tasks.detection.files.annotations import OFFICIAL, InstanceFiles, Instances, read_instances
from tasks.detection.files.categories import Classes, match
from tasks.detection.files.semantic_maps import check_source, semantic_map
from tasks.detection.geometry import (
    crop_boxes,
    flip_boxes,
    keep_ratio,
    resize,
    resize_labels,
    resize_masks,
    resized_input,
    values_of,
)
from tasks.detection.protocol import DetectionProtocol
from tasks.files.picture_entry import EntriesOfFiles, PictureEntry
from tasks.images import PictureCache
from tasks.recipe import check_odds

SHIFT_PX = (30, 10)
"""How far a crop's window is shifted from its object at most, to either side, across and down (the reference's)."""


@dataclass(frozen=True)
class DetectionAugment:
    """What training does to a picture.

    Attributes:
        flip: probability of mirroring.
        long_px, short_px: limits of the keep-ratio resize; with several entries one pair is drawn per picture.
        crop_wh: crop of this size (either way round, like the picture) around a drawn object; boxes are kept by their
            centre. None keeps the picture.
        pad_wh: every batch is padded to this size (either way round) instead of its largest picture.
        min_side_px: smaller pictures are left out of training.
        inclusive_ends: true boxes scale as x, x + w - 1 (the reference, :class:`Conventions.inclusive_ends`) instead of x, x + w.
        degenerate_boxes: as in the protocol; the reference skips such boxes when training.
        masks: also reads the objects' masks, for a mask head.
    """

    flip: float = 0.5
    long_px: tuple[int, ...] = (1333,)
    short_px: tuple[int, ...] = (800,)
    crop_wh: tuple[int, int] | None = None
    pad_wh: tuple[int, int] | None = None
    min_side_px: int = 32
    inclusive_ends: bool = True
    degenerate_boxes: str = "skip"
    masks: bool = False

    def __post_init__(self) -> None:
        check_odds(self, "flip")


class DetectionEvalData(EvalData):
    """One sample per picture, in the file's order.

    Items: index, images (3, h, w) float32 or bytes (`Samples.far`), scale_xy (2,) input pixels per source pixel, source_hw (2,).
    """

    sizes_vary = True

    def __init__(self, root: Path, split: str, protocol: DetectionProtocol, places: InstanceFiles = OFFICIAL) -> None:
        check_protocol(protocol)
        self.protocol = protocol
        self.instances: Instances = read_instances(Path(root), split, protocol.degenerate_boxes, places=places)
        self.classes, self.category_of = self.instances.classes, dict[int, int]()
        self.split, self.truth = split, places.has_truth(split)
        self.notes = self.instances.notes
        self._met: tuple[str, ...] = ()
        self.meet(self.classes)
        self.pictures = PictureCache(root, protocol.channel_order, 128, self.instances.stated_sizes())

    def entries(self) -> Sequence[PictureEntry]:
        return EntriesOfFiles(len(self), self.instances.entry)

    def __len__(self) -> int:
        return len(self.instances)

    def image_ids(self) -> list[str]:
        return list(texts_of(self.instances.objects.pictures.ids))

    def meet(self, classes: Classes) -> None:
        """Takes the classes of the network that is to be evaluated.

        Raises:
            ValueError: none of them is among the file's categories.
        """
        listed = self.instances.objects.categories
        found = match(classes, listed, self.instances.path.name)
        self.classes, self.category_of = classes, dict(found.category_of)
        for label, number in enumerate(classes.ids, start=1):
            # Detections of classes that the file does not list are written with the weights' ids; scoring passes them over.
            if label not in self.category_of and number not in listed.ids:
                self.category_of[label] = number
        self.notes = (*(note for note in self.notes if note not in self._met), *found.notes)
        self._met = found.notes

    def add_note(self, text: str) -> None:
        """Adds what a reader of figures must know, once."""
        if text not in self.notes:
            self.notes = (*self.notes, text)

    @property
    def person(self) -> int | None:
        """The category id of persons, or None where there is no such category."""
        return next((self.category_of.get(k) for k, name in enumerate(self.classes.names, 1) if name == "person"), None)

    def picture(self, index: int) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 in the protocol's colour order.

        Raises:
            ValueError: its size is not the one that the annotation file states.
        """
        return self.pictures[self.instances.files[index]]

    def __getitem__(self, index: int) -> dict[str, Any]:
        picture = self.picture(index)
        made, scale_xy = resized_input(picture, self.protocol)
        images: Any = self.pixels(made) if made.dtype == np.uint8 else made  # type: ignore[arg-type]
        return {"index": index, "images": images, "scale_xy": scale_xy, "source_hw": picture.shape[:2]}

    def byte_values(self) -> NDArray[np.float32]:
        return values_of(self.protocol)

    def collate(self, samples: list[dict[str, Any]]) -> dict[str, Any]:
        """Lists: pictures keep their own sizes until the network pads those of equal size together."""
        import torch

        batch: dict[str, Any] = {key: [s[key] for s in samples] for key in ("scale_xy", "source_hw")}
        batch["index"] = torch.tensor([s["index"] for s in samples])
        batch["images"] = [torch.from_numpy(s["images"]) for s in samples]
        return batch


class DetectionTrainData(TrainData):
    """Pictures with at least one usable box: no crowd, no ``ignore``, with an area and sides of a pixel.

    Items: index, images (3, h, w) float32 or bytes (`Samples.far`), boxes (G, 4) xyxy with exclusive ends in input pixels, labels
    (G,), masks (G, h, w) bool or None, semantic (h, w) uint8 or None, seed (addresses the sampling of anchors and RoIs).

    Args:
        places: where the dataset's files lie, and its classes.
        semantic: where maps of all pixels' classes come from (:mod:`tasks.detection.files.semantic_maps`); None reads none.
    """

    sizes_vary = True

    def __init__(
        self,
        root: Path,
        split: str,
        augment: DetectionAugment,
        seed: int,
        protocol: DetectionProtocol,
        semantic: str | None = None,
        places: InstanceFiles = OFFICIAL,
    ) -> None:
        if semantic is not None:
            check_source(semantic)
        self.semantic = semantic
        if len(augment.long_px) != len(augment.short_px) or not augment.long_px:
            raise ValueError(
                f"Expected as many long as short limits, got long_px={augment.long_px} and short_px={augment.short_px}; "
                "give pairs, for example long_px=1333,1600 short_px=800,1000"
            )
        degenerate: Any = augment.degenerate_boxes
        self.instances = read_instances(Path(root), split, degenerate, places=places)
        self.augment, self.seed, self.protocol = augment, seed, protocol
        self.classes, self.labels = self.instances.classes, self.instances.labels
        self.notes = self.instances.notes
        self.pictures = PictureCache(root, protocol.channel_order, sizes_wh=self.instances.stated_sizes())
        objects = self.instances.objects
        counts = np.bincount(objects.image[objects.learnable], minlength=len(self.instances))
        large = objects.pictures.sizes_wh.min(1) >= augment.min_side_px
        self.rows: list[int] = np.flatnonzero(large & (counts > 0)).tolist()
        if not self.rows:
            raise ValueError(
                f"{self.instances.path}: expected pictures with boxes to learn from, got none of {len(self.instances)}; "
                "use a split with annotations of single objects"
            )

    def entries(self) -> Sequence[PictureEntry]:
        return EntriesOfFiles(len(self), lambda row: self.instances.entry(self.rows[row]))

    def __len__(self) -> int:
        return len(self.rows)

    def meet(self, classes: Classes) -> None:
        """Takes the classes of the network that is to be trained, whose labels the samples get.

        Raises:
            ValueError: a category of the file is not among them.
        """
        listed = self.instances.objects.categories
        label_of = {n: k for k, n in match(classes, listed, self.instances.path.name).category_of.items()}
        unknown = [f"{n} {name}" for n, name in zip(listed.ids, listed.names) if n not in label_of]
        if unknown:
            raise ValueError(
                f"{self.instances.path}: expected categories of the network ({classes.shown()}), got {', '.join(unknown[:5])}; "
                "train from weights of these categories, or from the body alone"
            )
        self.classes, self.labels = classes, np.array([label_of[n] for n in listed.ids], np.int64)

    def groups(self) -> NDArray[np.int64]:
        """Lying (1) and standing (0) pictures are not mixed, which saves padding."""
        sizes = self.instances.objects.pictures.sizes_wh[self.rows]
        return (sizes[:, 0] > sizes[:, 1]).astype(np.int64)

    def __getitem__(self, key: tuple[int, int]) -> dict[str, Any]:
        epoch, index = key
        rng = np.random.default_rng([self.seed, epoch, index])
        row, augment = self.rows[index], self.augment
        picture = self.pictures[self.instances.files[row]]
        annotated, labels = self.instances.boxes(row, labels=self.labels)
        kept = self.instances.learnable(row)
        boxes, labels = annotated[kept].astype(np.float64), labels[kept]
        masks = self.instances.masks(row)[kept] if augment.masks else None
        pixels = None if self.semantic is None else semantic_map(self.instances, row, self.semantic)
        pair = int(rng.integers(len(augment.long_px)))
        factor, size_hw = keep_ratio(picture.shape[:2], augment.short_px[pair], augment.long_px[pair])
        picture = resize(picture, size_hw)
        boxes = _scaled(boxes, factor, size_hw, augment.inclusive_ends)
        masks = None if masks is None else resize_masks(masks, size_hw)
        pixels = None if pixels is None else resize_labels(pixels, size_hw)
        if augment.crop_wh is not None:
            y, x = window = _window(rng, picture.shape[:2], boxes, augment)
            boxes, kept = crop_boxes(
                boxes, (x.start, y.start), (y.stop - y.start, x.stop - x.start), augment.inclusive_ends
            )
            picture, boxes, labels = np.ascontiguousarray(picture[window]), boxes[kept], labels[kept]
            masks = None if masks is None else masks[kept][:, y, x]
            pixels = None if pixels is None else pixels[window]
        if rng.random() < augment.flip:
            boxes = flip_boxes(boxes, picture.shape[1])
            picture = np.ascontiguousarray(picture[:, ::-1])
            masks = None if masks is None else np.ascontiguousarray(masks[:, :, ::-1])
            pixels = None if pixels is None else np.ascontiguousarray(pixels[:, ::-1])
        return {
            "index": index,
            "images": self.pixels(picture),
            "boxes": boxes.astype(np.float32),
            "labels": labels,
            "masks": masks,
            "semantic": pixels,
            "seed": int(rng.integers(2**62)),
        }

    def byte_values(self) -> NDArray[np.float32]:
        return values_of(self.protocol)

    def collate(self, samples: list[dict[str, Any]]) -> dict[str, Any]:
        """``images`` (B, 3, H, W) padded to multiples of 32, or so bytes (B, H, W, 3), ``sizes_hw`` before; the rest as lists."""
        import torch

        from tasks.detection.network.transform import pad_together

        pictures = [torch.from_numpy(s["images"]) for s in samples]
        as_bytes = pictures[0].dtype == torch.uint8
        if as_bytes:
            pictures = [picture.permute(2, 0, 1) for picture in pictures]
        images = pad_together(pictures, self.protocol.pad_multiple)
        if self.augment.pad_wh is not None:
            images = _pad_to(images, self.augment.pad_wh)
        return {
            "index": torch.tensor([s["index"] for s in samples]),
            "images": images.permute(0, 2, 3, 1).contiguous() if as_bytes else images,
            "sizes_hw": [(picture.shape[1], picture.shape[2]) for picture in pictures],
            "boxes": [torch.from_numpy(s["boxes"]) for s in samples],
            "labels": [torch.from_numpy(s["labels"]) for s in samples],
            "masks": [None if s["masks"] is None else torch.from_numpy(s["masks"]) for s in samples],
            "semantic": [None if s["semantic"] is None else torch.from_numpy(s["semantic"]) for s in samples],
            "seeds": [s["seed"] for s in samples],
        }


def check_protocol(protocol: DetectionProtocol) -> None:
    """Raises ValueError for sizes or thresholds that cannot be carried out."""
    if not 32 <= protocol.short_px <= protocol.long_px:
        raise ValueError(
            f"Expected 32 <= short_px <= long_px, got short_px={protocol.short_px} and long_px={protocol.long_px}"
        )
    if protocol.pad_multiple < 1:
        raise ValueError(f"Expected pad_multiple of at least 1, got {protocol.pad_multiple}")
    for name in ("score_threshold", "nms_iou", "mask_threshold"):
        if not 0 <= getattr(protocol, name) <= 1:
            raise ValueError(f"Expected {name} between 0 and 1, got {getattr(protocol, name)}")
    if protocol.max_detections < 1:
        raise ValueError(f"Expected max_detections of at least 1, got {protocol.max_detections}")


def _scaled(
    boxes: NDArray[np.float64], factor: float, size_hw: tuple[int, int], inclusive: bool
) -> NDArray[np.float64]:
    """x, y, w, h of the source -> x1, y1, x2, y2 (exclusive ends) of the input, cut to it."""
    one = 1.0 if inclusive else 0.0
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:] - one], axis=1) * factor
    corners[:, 2:] += one
    corners[:, 0::2] = corners[:, 0::2].clip(0, size_hw[1])
    corners[:, 1::2] = corners[:, 1::2].clip(0, size_hw[0])
    return corners


def _window(
    rng: np.random.Generator, size_hw: tuple[int, ...], boxes: NDArray[np.float64], augment: DetectionAugment
) -> tuple[slice, slice]:
    """Rows and columns of a window around the centre of a drawn object, shifted by up to :data:`SHIFT_PX` and moved into the
    picture. In windows of less than twice the shift the object's centre stays inside."""
    assert augment.crop_wh is not None
    height, width = size_hw
    crop_wh = augment.crop_wh
    long_px, short_px = max(crop_wh), min(crop_wh)
    crop_w, crop_h = (long_px, short_px) if width >= height else (short_px, long_px)
    crop_w, crop_h = min(crop_w, width), min(crop_h, height)
    chosen = boxes[int(rng.integers(len(boxes)))]
    start = []
    for axis, (crop_px, size_px, limit_px) in enumerate(zip((crop_w, crop_h), (width, height), SHIFT_PX)):
        centre = (chosen[axis] + chosen[axis + 2] - float(augment.inclusive_ends)) / 2
        limit_px = min(limit_px, max(0, crop_px // 2 - 1))
        shifted = round(centre - crop_px / 2) + int(rng.integers(-limit_px, limit_px + 1))
        start.append(min(max(shifted, 0), size_px - crop_px))
    x, y = start
    return slice(y, y + crop_h), slice(x, x + crop_w)


def _pad_to(images: Any, pad_wh: tuple[int, int]) -> Any:
    from torch.nn import functional

    height, width = images.shape[-2:]
    long_px, short_px = max(pad_wh), min(pad_wh)
    want_w, want_h = (long_px, short_px) if width >= height else (short_px, long_px)
    return functional.pad(images, (0, max(0, want_w - width), 0, max(0, want_h - height)))
