"""The "PASCAL in Detail" json of PASCAL Context, read by type, and its masks painted into label maps."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tasks.files.json_file import read_json
from tasks.files.names import picture_name
from tasks.files.rle import check_run_lengths
from tasks.segmentation.files.class_tables.pascal_context import PASCAL_DETAIL_IDS

Pixels = Annotated[int, msgspec.Meta(ge=1, le=10**6)]
FIELDS = {
    "images": "PASCAL in Detail with a list 'images'",
    "annos_segmentation": "PASCAL in Detail with a list 'annos_segmentation'",
    "height": "height as a number of pixels",
    "width": "width as a number of pixels",
}


class DetailImage(msgspec.Struct, frozen=True):
    """A picture: ``phase`` is train, val or test."""

    image_id: int | str
    file_name: str
    phase: str
    height: Pixels
    width: Pixels


class DetailMask(msgspec.Struct, frozen=True):
    """A mask of one category; ``segmentation`` holds run lengths, checked when they are drawn."""

    image_id: int | str
    category_id: int
    segmentation: Any


class _Detail(msgspec.Struct):
    images: list[DetailImage]
    annos_segmentation: list[DetailMask]


class DetailPhase:
    """The pictures of one phase, in the file's order, and their masks.

    Attributes:
        images: the pictures. masks: per picture (row of the file, mask), in the file's order.
        notes: what was left out.
    """

    def __init__(self, path: Path, phase: str) -> None:
        """Raises FileNotFoundError, or ValueError: no such json, nothing of this phase, or an unusable record."""
        if not path.exists():
            raise FileNotFoundError(f"{path}: expected the PASCAL in Detail annotations, found no such file.")
        content = read_json(path, _Detail, "PASCAL in Detail annotations", fields=FIELDS)
        self.path = path
        self.images = [image for image in content.images if image.phase == phase]
        if not self.images:
            phases = sorted({image.phase for image in content.images})
            raise ValueError(f"{path}: expected images of phase {phase!r}, got an empty list (phases: {phases}).")
        listed = {image.image_id for image in content.images}
        if len(listed) != len(content.images):
            raise ValueError(
                f"{path}, images: expected every image_id once, got {len(content.images)} images of {len(listed)} ids; "
                "fetch the file again."
            )
        places = {image.image_id: index for index, image in enumerate(self.images)}
        self.masks: list[list[tuple[int, DetailMask]]] = [[] for _ in self.images]
        strangers = 0
        for row, mask in enumerate(content.annos_segmentation):
            index = places.get(mask.image_id)
            if index is None:
                strangers += mask.image_id not in listed
                continue
            self._check(row, mask, self.images[index])
            self.masks[index].append((row, mask))
        if not any(self.masks):
            raise ValueError(
                f"{path}: expected annotations of the {len(self.images)} pictures of phase {phase!r} under 'annos_segmentation', "
                "got an empty list; without them nothing can be scored or learnt. Fetch the file again, or take the pngs with "
                "--protocol labels=lists."
            )
        self.notes = (f"{path.name}: {strangers} masks of pictures that it does not list are left out",) * bool(
            strangers
        )

    def name(self, index: int) -> str:
        """A picture's file name, below JPEGImages."""
        image = self.images[index]
        return picture_name(image.file_name, f"{self.path}, image {image.image_id}")

    def size_hw(self, index: int) -> tuple[int, int]:
        return self.images[index].height, self.images[index].width

    def _check(self, row: int, mask: DetailMask, image: DetailImage) -> None:
        """What can be told at once; whether runs add up is told where they are drawn."""
        where = f"{self.path}: annos_segmentation[{row}]"
        if mask.category_id not in _RANKS:
            raise ValueError(f"{where}: expected one of the 60 category ids of PASCAL Context, got {mask.category_id}.")
        held = mask.segmentation
        if isinstance(held, dict) and held.get("size") == [image.height, image.width] and held.get("counts"):
            return
        try:
            check_run_lengths(held, image.height, image.width)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None

    def paint(self, index: int, table: NDArray[np.int16]) -> NDArray[np.uint8]:
        """A picture's masks drawn in their order, later ones over earlier ones; what no mask covers is background.

        Args:
            table: rank of the category -> class or 255.

        Raises:
            ValueError: run lengths that are broken or of another size.
        """
        from pycocotools import mask as coco_mask

        height, width = self.size_hw(index)
        ranks = np.zeros((height, width), np.uint8)
        for row, record in self.masks[index]:
            rle = record.segmentation
            try:
                check_run_lengths(rle, height, width)
            except ValueError as error:
                raise ValueError(f"{self.path}: annos_segmentation[{row}]: {error}") from None
            if isinstance(rle["counts"], list):
                rle = coco_mask.frPyObjects(rle, height, width)
            with warnings.catch_warnings():
                # pycocotools' arrays have no copy keyword yet, of which NumPy 2 warns.
                warnings.simplefilter("ignore", DeprecationWarning)
                mask = coco_mask.decode(rle)
            ranks[mask > 0] = _RANKS[record.category_id]
        return table[ranks].astype(np.uint8)


_RANKS = {category: rank for rank, category in enumerate(PASCAL_DETAIL_IDS)}
