"""Tiny datasets in the official layouts, and networks whose output is known. Not a test itself."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

SAMPLES = Path(os.environ.get("HRNET_SAMPLES", Path(__file__).parents[4] / "shared" / "samples"))


def save(path: Path, values: NDArray[np.generic], mode: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path) if mode is None else Image.fromarray(values).convert(mode).save(path)


def picture(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    return rng.integers(0, 256, (height, width, 3)).astype(np.uint8)


def blocks(rng: np.random.Generator, values: list[int], height: int, width: int) -> NDArray[np.uint8]:
    """A label map of 8 px blocks."""
    small = rng.choice(np.asarray(values), (-(-height // 8), -(-width // 8)))
    return np.kron(small, np.ones((8, 8), np.int64))[:height, :width].astype(np.uint8)


def write_cityscapes(root: Path, count: int = 3, height: int = 32, width: int = 64, split: str = "val") -> None:
    rng = np.random.default_rng(5)
    for k in range(count):
        stem = f"aachen_{k:06d}_000019"
        save(root / f"leftImg8bit/{split}/aachen/{stem}_leftImg8bit.png", picture(rng, height, width))
        save(root / f"gtFine/{split}/aachen/{stem}_gtFine_labelIds.png", blocks(rng, [*range(34)], height, width))


def write_lip(root: Path, split: str = "val", columns: int = 2) -> None:
    """Three pictures of unequal sizes, one of them grey."""
    rng = np.random.default_rng(6)
    lines = []
    for k, (height, width) in enumerate(((40, 24), (30, 50), (33, 33))):
        shown = picture(rng, height, width)
        save(root / f"TrainVal_images/{split}_images/{k}.jpg", shown, "L" if k == 2 else None)
        labels = root / f"TrainVal_parsing_annotations/{split}_segmentations"
        save(labels / f"{k}.png", blocks(rng, [*range(20), 255], height, width))
        cells = [f"{split}_images/{k}.jpg", f"{split}_segmentations/{k}.png", f"{split}_rev/{k}.png", str(k)]
        lines.append(" ".join(cells[:columns]))
    if columns:
        (root / f"{split}List.txt").write_text("\n".join(lines) + "\n")


def write_pascal(root: Path, with_json: bool = True, with_pngs: bool = True) -> list[NDArray[np.uint8]]:
    """Two val pictures and one for training; returns the ranks (0 background to 59) of the val ones."""
    from pycocotools import mask as coco_mask

    from tasks.segmentation.files.class_tables.pascal_context import PASCAL_DETAIL_IDS

    rng = np.random.default_rng(7)
    voc = root / "VOCdevkit" / "VOC2010"
    images, records, lines, val = [], [], [], []
    for k, phase in enumerate(("val", "train", "val")):
        height, width = 40 + 8 * k, 56
        name = f"2008_00000{k}"
        save(voc / "JPEGImages" / f"{name}.jpg", picture(rng, height, width))
        ranks = blocks(rng, [0, 1, 5, 37, 59], height, width)
        images.append(
            {"image_id": 100 + k, "file_name": f"{name}.jpg", "height": height, "width": width, "phase": phase}
        )
        # A first mask over everything is painted over by the later ones.
        for rank in (5, 1, 5, 37, 59, 0):
            shape = np.ones_like(ranks) if not records or records[-1]["image_id"] != 100 + k else ranks == rank
            rle = coco_mask.encode(np.asfortranarray(shape.astype(np.uint8)))
            records.append(
                {
                    "image_id": 100 + k,
                    "category_id": PASCAL_DETAIL_IDS[rank],
                    "segmentation": {"size": [height, width], "counts": rle["counts"].decode()},
                }
            )
        if phase == "val":
            val.append(ranks)
            lines.append(f"JPEGImages/{name}.jpg labels/{name}.png")
            if with_pngs:
                save(voc / "labels" / f"{name}.png", ranks)
    if with_json:
        content = {"images": images, "annos_segmentation": records}
        (voc / "trainval_merged.json").write_text(json.dumps(content))
    if with_pngs:
        lists = root / "list" / "pascal_ctx"
        lists.mkdir(parents=True, exist_ok=True)
        (lists / "testval.lst").write_text("\n".join(lines) + "\n")
    return val


class Pointwise(nn.Module):
    """Logits from each pixel alone, at full size: whatever the view, a pixel's scores are the same."""

    dataset = "cityscapes"

    def __init__(self, num_classes: int, seed: int = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, num_classes, 1)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            self.conv.weight.copy_(torch.randn(self.conv.weight.shape, generator=generator))
            self.conv.bias.copy_(torch.randn(num_classes, generator=generator))  # type: ignore[union-attr]
        self.calls: list[tuple[int, ...]] = []

    def forward(self, images: Tensor) -> Tensor:
        self.calls.append(tuple(images.shape))
        return self.conv(images)


class Strided(Pointwise):
    """The same at stride 4, with a neighbourhood: like a real network's coarse logits."""

    def __init__(self, num_classes: int, seed: int = 0) -> None:
        super().__init__(num_classes, seed)
        self.look = nn.Conv2d(3, 3, 7, stride=4, padding=3)
        generator = torch.Generator().manual_seed(seed + 1)
        with torch.no_grad():
            self.look.weight.copy_(torch.randn(self.look.weight.shape, generator=generator) / 5)
            self.look.bias.zero_()  # type: ignore[union-attr]

    def forward(self, images: Tensor) -> Tensor:
        self.calls.append(tuple(images.shape))
        return self.conv(self.look(images))
