"""LIP as distributed: TrainVal_images, TrainVal_parsing_annotations and the reference's list files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.files.opening import is_file
from tasks.images import inside
from tasks.segmentation.files.class_tables.lip import LIP
from tasks.segmentation.files.label_png import read_label_png
from tasks.segmentation.files.layouts import Layout, Sample, find_list, identifying_files, read_list

IMAGES, LABELS = "TrainVal_images", "TrainVal_parsing_annotations"
TEST_IMAGES = "Testing_images/testing_images"
LISTS = {
    "train": ("trainList.txt",),
    "val": ("valList.txt", "testvalList.txt"),
    "testval": ("testvalList.txt", "valList.txt"),
    "test": ("testList.txt",),
}


class Lip(Layout):
    """One split, by its list if there is one, else by walking ``<split>_images``.

    Lists have two to four columns, by branch of the reference: picture, label map, then a mirrored label map and an id, which
    are not needed (the label is mirrored and left and right swapped when a sample is flipped).

    Args:
        pictures: False where only label maps will be read: they are walked where the pictures are not there.

    Raises:
        FileNotFoundError: the split's folder is missing. ValueError: an empty list.
    """

    def __init__(self, root: Path, split: str, pictures: bool = True) -> None:
        self.root, self.table = root, LIP
        found = find_list(root, ("lip",), LISTS[split])
        if found is not None:
            self.samples = [_from_line(root, found, number, cells, split) for number, cells in read_list(found, (1, 4))]
        else:
            self.samples = _walk(root, split, pictures)
        self.files = identifying_files(root, found, self.samples)

    def label(self, index: int) -> NDArray[np.uint8] | None:
        name = self.samples[index].label
        if name is None:
            return None
        return read_label_png(inside(self.root, name), self.table.decode_table(), "LIP parsing png")


def _walk(root: Path, split: str, pictures: bool) -> list[Sample]:
    name = {"testval": "val"}.get(split, split)
    images = TEST_IMAGES if split == "test" else f"{IMAGES}/{name}_images"
    labels = f"{LABELS}/{name}_segmentations"
    if not pictures and split != "test" and not (root / images).is_dir() and (root / labels).is_dir():
        stems = [path.stem for path in sorted((root / labels).glob("*.png"))]
        return [Sample(s, f"{images}/{s}.jpg", f"{labels}/{s}.png", str(root / labels)) for s in stems]
    if not (root / images).is_dir():
        raise FileNotFoundError(
            f"{root / images}: expected LIP's {split} pictures there, found no such folder. "
            f"Unpack TrainVal_images.zip and TrainVal_parsing_annotations.zip below {root}."
        )
    samples = []
    for path in sorted((root / images).glob("*.jpg")):
        label = None if split == "test" else f"{labels}/{path.stem}.png"
        samples.append(Sample(path.stem, f"{images}/{path.name}", label, str(root / images)))
    if not samples:
        raise ValueError(f"{root / images}: expected jpegs, got none; check how the zip was unpacked.")
    return samples


def _from_line(root: Path, path: Path, number: int, cells: list[str], split: str) -> Sample:
    if split != "test" and len(cells) < 2:
        raise ValueError(
            f"{path}:{number}: expected 2 to 4 columns (picture, label, ...), got {len(cells)}: {cells[0]!r}."
        )
    image = _below(root, cells[0], TEST_IMAGES if split == "test" else IMAGES)
    label = None if split == "test" else _below(root, cells[1], LABELS)
    return Sample(Path(image).stem, image, label, f"{path}:{number}")


def _below(root: Path, name: str, folder: str) -> str:
    """Lists name files below the two big folders, some start at the root."""
    name = name.lstrip("/")
    return name if is_file(inside(root, name)) else f"{folder}/{name}"
