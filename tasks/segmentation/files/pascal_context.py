"""PASCAL Context in its three public forms: the "PASCAL in Detail" json, png lists, png folders with name lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.images import inside
from tasks.segmentation.files.class_tables.pascal_context import PASCAL_59, PASCAL_60
from tasks.segmentation.files.label_png import read_label_png
from tasks.segmentation.files.layouts import Layout, Sample, find_list, identifying_files, read_list
from tasks.segmentation.files.pascal_detail import DetailPhase

JSON = "trainval_merged.json"
PNG_FOLDER = "SegmentationClassContext"


class PascalContext(Layout):
    """One split with 59 classes (background ignored) or 60 (background scored).

    The split "testval" is the reference's name for the val pictures at their own size.

    Args:
        source: "json" (``trainval_merged.json``), "lists" (pngs), or "auto": the json if it is there.
        pictures: False where only label maps will be read, so that JPEGImages may lack.

    Raises:
        FileNotFoundError: neither json nor lists. ValueError: what the annotations say does not fit.
    """

    def __init__(self, root: Path, split: str, num_classes: int, source: str = "auto", pictures: bool = True) -> None:
        self.table = PASCAL_60 if num_classes == len(PASCAL_60) else PASCAL_59
        phase = "train" if split == "train" else "val"
        self.root = _voc_folder(root, pictures)
        self.detail: DetailPhase | None = None
        path = self.root / JSON
        if source == "json" or (source == "auto" and path.exists()):
            self._open_json(path, phase)
        else:
            self._open_lists(root, phase)

    def _open_json(self, path: Path, phase: str) -> None:
        self.detail = DetailPhase(path, phase)
        self.notes = self.detail.notes
        names = [self.detail.name(index) for index in range(len(self.detail.images))]
        self.samples = [
            Sample(Path(name).stem, f"JPEGImages/{name}", None, f"{path}: {image.image_id}")
            for name, image in zip(names, self.detail.images, strict=True)
        ]
        self.files = [path]

    def _open_lists(self, root: Path, phase: str) -> None:
        names = (
            (f"{phase}.lst", f"{phase}.txt")
            if phase == "train"
            else ("testval.lst", "val.lst", "testval.txt", "val.txt")
        )
        found = find_list(root, ("pascal_ctx", "pascal_context"), names) or find_list(
            self.root / "ImageSets" / "SegmentationContext", (), names
        )
        if found is None:
            raise FileNotFoundError(
                f"{root}: expected {self.root / JSON}, or a list such as list/pascal_ctx/{names[0]}, found neither. "
                "See tasks/segmentation/README.md for the layout."
            )
        self.samples = []
        for number, cells in read_list(found, (1, 2)):
            if len(cells) == 1:
                cells = [f"JPEGImages/{cells[0]}.jpg", f"{PNG_FOLDER}/{cells[0]}.png"]
            image, label = (_below(root, self.root, cell) for cell in cells)
            self.samples.append(Sample(Path(image).stem, image, label, f"{found}:{number}"))
        self.files = identifying_files(self.root, found, self.samples)

    def size_wh(self, index: int) -> tuple[int, int] | None:
        return self.detail.size_hw(index)[::-1] if self.detail is not None else None

    def label(self, index: int) -> NDArray[np.uint8] | None:
        if self.detail is not None:
            return self.detail.paint(index, self.table.decode_table())
        name = self.samples[index].label
        assert name is not None
        return read_label_png(
            inside(self.root, name), self.table.decode_table(), "PASCAL Context png of 0 (background) to 59"
        )


def _voc_folder(root: Path, pictures: bool) -> Path:
    """The folder with JPEGImages, or where no pictures are needed the one with annotations."""
    wanted = ("JPEGImages",) if pictures else ("JPEGImages", JSON, PNG_FOLDER, "ImageSets/SegmentationContext")
    for folder in (root / "VOCdevkit" / "VOC2010", root / "VOC2010", root):
        if any((folder / name).exists() for name in wanted):
            return folder
    raise FileNotFoundError(
        f"{root / 'VOCdevkit/VOC2010/JPEGImages'}: expected PASCAL VOC's pictures there, found no such folder. "
        f"Unpack VOCtrainval_03-May-2010.tar below {root}."
    )


def _below(root: Path, voc: Path, name: str) -> str:
    """A listed path, which may start at the data root, at the dataset's folder or at VOC2010, as a path below VOC2010."""
    relative = voc.relative_to(root).as_posix()
    for prefix in ("pascal_ctx/", "pascal_context/", ""):
        short = name.removeprefix(prefix)
        if relative != "." and short.startswith(f"{relative}/"):
            return short.removeprefix(f"{relative}/")
    return name
