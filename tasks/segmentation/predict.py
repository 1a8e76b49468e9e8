"""Label maps of pictures of one's own: the result and the network's way to it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.files.rle import encode
from tasks.images import normalise
from tasks.results.result import Result, supervision
from tasks.segmentation.datasets import collate, network_input
from tasks.segmentation.drawing import class_shares, overlay
from tasks.segmentation.files.classes import ClassTable
from tasks.segmentation.protocol import SegmentationProtocol

if TYPE_CHECKING:
    from torch import nn

    from tasks.base import Task


@dataclass(frozen=True, kw_only=True, eq=False)
class SegmentationResult(Result):
    """A class for every pixel.

    Attributes:
        labels: (H, W) uint8, the class's number, at the picture's size. names: of the classes. colours: (R, G, B) of each.
        table: the dataset's classes.
    """

    labels: NDArray[np.uint8]
    names: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]
    table: ClassTable

    def draw(self, image: Any = None) -> NDArray[np.uint8]:
        """The classes' colours laid over the picture, with a legend beside it; small pictures are enlarged."""
        return overlay(self.shown(image), self.labels, self.table)

    def label_png(self) -> bytes:
        """The label map as an indexed PNG: the class's number, and the dataset's colours as the palette."""
        made = Image.frombytes("P", self.labels.shape[::-1], np.ascontiguousarray(self.labels).tobytes())
        made.putpalette([value for colour in self.colours for value in colour])
        held = io.BytesIO()
        made.save(held, "PNG")
        return held.getvalue()

    def to_coco(self) -> list[dict[str, Any]]:
        """One record for each class that occurs, as COCO-Stuff's results: category_id (the class's number), its name, and its
        pixels as run lengths."""
        return [
            {
                **self.image_id(),
                "category_id": int(number),
                "category": self.names[number],
                "segmentation": encode(self.labels == number),
            }
            for number in np.unique(self.labels)
            if number < len(self.names)
        ]

    def to_plain(self) -> dict[str, Any]:
        """{image, names, classes: [{category_id, category, share_percent}], share_percent: {name: ...}}; the map is a picture."""
        shares = class_shares(self.labels, self.table)
        classes = [
            {"category_id": self.names.index(name), "category": name, "share_percent": share}
            for name, share in shares.items()
        ]
        return {"image": self.image, "names": list(self.names), "classes": classes, "share_percent": shares}

    def to_supervision(self) -> Any:
        """supervision.Detections: a mask and its box for each class that occurs."""
        library = supervision()
        numbers = [int(n) for n in np.unique(self.labels) if n < len(self.names)]
        masks = np.array([self.labels == n for n in numbers], bool).reshape(-1, *self.labels.shape)
        names = np.array([self.names[n] for n in numbers])
        return library.Detections(
            xyxy=library.mask_to_xyxy(masks), mask=masks, class_id=np.array(numbers), data={"class_name": names}
        )


def predict_pictures(
    task: Task,
    model: nn.Module,
    table: ClassTable,
    pictures: Sequence[NDArray[np.uint8]],
    protocol: SegmentationProtocol,
) -> list[SegmentationResult]:
    """The label maps of RGB pictures, at their own sizes; those of one size are batched together."""
    samples = [
        {"index": number, "images": normalise(network_input(picture, protocol)), "size_hw": picture.shape[:2]}
        for number, picture in enumerate(pictures)
    ]
    maps = task.predict(model, collate(samples), protocol)
    return [
        SegmentationResult(labels=np.asarray(labels, np.uint8), names=table.names, colours=table.colours, table=table)
        for labels in maps
    ]
