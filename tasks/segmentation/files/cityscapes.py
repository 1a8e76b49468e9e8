"""Cityscapes as distributed: leftImg8bit/<split>/<city>, gtFine/<split>/<city>, and the reference's list files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.files.opening import is_file
from tasks.images import inside
from tasks.segmentation.files.class_tables.cityscapes import CITYSCAPES
from tasks.segmentation.files.classes import IGNORE
from tasks.segmentation.files.label_png import read_label_png
from tasks.segmentation.files.layouts import Layout, Sample, find_list, identifying_files, read_list

PICTURE, LABEL = "_leftImg8bit.png", "_gtFine_labelIds.png"
TRAIN_IDS = "_labelTrainIds.png"
SPLITS = {"train": ("train",), "val": ("val",), "trainval": ("train", "val"), "test": ("test",)}


class Cityscapes(Layout):
    """One split, by ``<split>.lst`` if there is one, else by walking the trees.

    Lists hold "picture<TAB>label", relative to the root (test: the picture alone). Label pngs are labelIds; a list may name
    labelTrainIds pngs, which are told by their names.

    Args:
        pictures: False where only label maps will be read: they are walked where the pictures are not there.

    Raises:
        FileNotFoundError: the split's folder is missing.
        ValueError: an empty list or tree.
    """

    def __init__(self, root: Path, split: str, pictures: bool = True) -> None:
        self.root, self.table = root, CITYSCAPES
        found = find_list(root, ("cityscapes",), (f"{split}.lst",))
        if found is not None:
            self.samples = [_from_line(root, found, number, cells, split) for number, cells in read_list(found, (1, 2))]
        else:
            self.samples = [s for folder in SPLITS[split] for s in _walk(root, folder, pictures)]
        self.files = identifying_files(root, found, self.samples)

    def label(self, index: int) -> NDArray[np.uint8] | None:
        name = self.samples[index].label
        if name is None:
            return None
        path = inside(self.root, name)
        if name.endswith(TRAIN_IDS):
            table = np.full(256, -1, np.int16)
            table[: len(self.table)] = np.arange(len(self.table))
            table[IGNORE] = IGNORE
            labels = dict.fromkeys(range(len(self.table), 34), "label ids stand where train ids belong.")
            return read_label_png(path, table, "Cityscapes labelTrainIds png", labels)
        ignored = {
            IGNORE: "255 marks ignored pixels in labelTrainIds: train ids stand where label ids belong; use the labelIds png."
        }
        return read_label_png(path, self.table.decode_table(), "Cityscapes labelIds png", ignored)


def _walk(root: Path, split: str, pictures: bool) -> list[Sample]:
    folder = root / "leftImg8bit" / split
    if not pictures and not folder.is_dir() and (root / "gtFine" / split).is_dir():
        return _walk_labels(root, split)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder}: expected Cityscapes pictures in <city>/<city>_<seq>_<frame>{PICTURE}, found no such folder. "
            "Unpack leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip there."
        )
    samples = []
    for path in sorted(folder.glob(f"*/*{PICTURE}")):
        city, stem = path.parent.name, path.name[: -len(PICTURE)]
        label = None if split == "test" else f"gtFine/{split}/{city}/{stem}{LABEL}"
        samples.append(Sample(stem, f"leftImg8bit/{split}/{city}/{path.name}", label, str(folder)))
    if not samples:
        raise ValueError(
            f"{folder}: expected pictures named <city>/*{PICTURE}, got none; check how the zip was unpacked."
        )
    return samples


def _walk_labels(root: Path, split: str) -> list[Sample]:
    """The frames of a split by their label maps, the pictures not being there."""
    folder = root / "gtFine" / split
    samples = []
    for path in sorted(folder.glob(f"*/*{LABEL}")):
        city, stem = path.parent.name, path.name[: -len(LABEL)]
        picture = f"leftImg8bit/{split}/{city}/{stem}{PICTURE}"
        samples.append(Sample(stem, picture, f"gtFine/{split}/{city}/{path.name}", str(folder)))
    if not samples:
        raise ValueError(
            f"{folder}: expected label maps named <city>/*{LABEL}, got none; check how the zip was unpacked."
        )
    return samples


def _from_line(root: Path, path: Path, number: int, cells: list[str], split: str) -> Sample:
    # The OCR branch's lists start one level higher.
    image, *rest = [c.removeprefix("cityscapes/") if not is_file(root / c) else c for c in cells]
    if split != "test" and not rest:
        raise ValueError(f"{path}:{number}: expected 2 columns (picture, label) for {split}, got 1: {image!r}.")
    label = None if split == "test" else rest[0]
    return Sample(Path(image).name.removesuffix(PICTURE), image, label, f"{path}:{number}")
