"""A split of COCO's instances: its annotation file, checked, and its pictures.

Layout below the dataset's folder: annotations/instances_<split>.json and <split>/ or images/<split>/. Where only
person_keypoints_<split>.json is there, it serves as a set with the one category person.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from tasks.coco.categories import Categories, CategoryRecord, categories_of
from tasks.coco.objects import FORM, Objects, read_objects
from tasks.coco.pictures import require_pictures
from tasks.detection.files.categories import Classes, classes_of_file, match
from tasks.files.json_file import read_json
from tasks.files.picture_entry import PictureEntry

ADVICE = "unpack annotations_trainval2017.zip into the dataset's folder, or check --data-root"


@dataclass(frozen=True)
class Instances:
    """A split: pictures in the file's order, and their usable annotations.

    Attributes:
        root: the dataset's folder. objects: the annotations. files: the pictures' paths relative to the root.
        fallback: why another file than instances_* was read.
        classes: what a network trained on this file tells apart. labels: (categories,) label from 1 of each category's row.
    """

    root: Path
    objects: Objects
    files: tuple[str, ...]
    fallback: str | None
    classes: Classes
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.files)

    @property
    def path(self) -> Path:
        """The annotation file."""
        return self.objects.path

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of figures on this split must know."""
        return (*((self.fallback,) if self.fallback else ()), *self.objects.notes)

    def size_hw(self, index: int) -> tuple[int, int]:
        """Height and width of a picture as the file states them."""
        width, height = self.objects.pictures.sizes_wh[index]
        return int(height), int(width)

    def stated_sizes(self) -> dict[str, tuple[int, int]]:
        """Width and height in px that the file states, by the picture's path."""
        sizes = self.objects.pictures.sizes_wh.tolist()
        return {file: (width, height) for file, (width, height) in zip(self.files, sizes, strict=True)}

    def entry(self, index: int) -> PictureEntry:
        """A picture as this file speaks of it."""
        name, (height, width) = self.files[index], self.size_hw(index)
        return PictureEntry(self.root / name, f"{self.path}, {name}", (width, height))

    def rows(self, index: int, crowd: bool = False) -> NDArray[np.int64]:
        """Rows of a picture's annotations; crowds only if asked for."""
        rows = np.arange(self.objects.start[index], self.objects.start[index + 1])
        return rows if crowd else rows[~self.objects.crowd[rows]]

    def boxes(
        self, index: int, crowd: bool = False, labels: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """(G, 4) boxes x, y, w, h and (G,) labels of a picture; crowds only if asked for.

        Args:
            labels: (categories,) a network's own labels instead of the file's.
        """
        rows = self.rows(index, crowd)
        label_of = self.labels if labels is None else labels
        return self.objects.boxes[rows].astype(np.float32), label_of[self.objects.category[rows]]

    def crowd_boxes(self, index: int) -> NDArray[np.float64]:
        """(G, 4) boxes x, y, w, h of a picture's crowds."""
        rows = self.rows(index, crowd=True)
        return self.objects.boxes[rows[self.objects.crowd[rows]]]

    def learnable(self, index: int) -> NDArray[np.bool_]:
        """(G,) which of the boxes of :meth:`boxes` the reference trains on: sides of a pixel and more, an area, no ``ignore``."""
        return self.objects.learnable[self.rows(index)]

    def masks(self, index: int, crowd: bool = False) -> NDArray[np.bool_]:
        """(G, H, W) masks in the order of :meth:`boxes`; the whole box of an object without a segmentation."""
        height, width = self.size_hw(index)
        rows = self.rows(index, crowd)
        masks = np.zeros((len(rows), height, width), dtype=bool)
        for place, row in enumerate(rows.tolist()):
            drawn = self.objects.shapes.mask(row, height, width)
            if drawn is not None:
                masks[place] = drawn
                continue
            x, y, w, h = self.objects.boxes[row]
            masks[place, max(0, round(y)) : round(y + h), max(0, round(x)) : round(x + w)] = True
        return masks


def has_truth(split: str) -> bool:
    """Whether the split's annotations are public; those of test-dev2017 and test2017 are the server's."""
    return not split.startswith("test")


def annotation_path(root: Path, split: str) -> tuple[Path, str | None]:
    """The split's annotation file, and why it is not instances_<split>.json where it is another."""
    if not has_truth(split):
        return root / "annotations" / f"image_info_{split}.json", None
    wanted = root / "annotations" / f"instances_{split}.json"
    persons = root / "annotations" / f"person_keypoints_{split}.json"
    if not wanted.exists() and persons.exists():
        return persons, f"{wanted.name} is missing: {persons.name} serves as a person-only set"
    return wanted, None


def image_folder(root: Path, split: str) -> str:
    """The pictures' folder relative to ``root``: <split> or images/<split>; test-dev2017 is a part of test2017."""
    split = split if has_truth(split) else "test2017"
    return f"images/{split}" if (root / "images" / split).is_dir() else split


class InstanceFiles:
    """Where COCO's instances lie, and what a network tells apart that is trained on them; datasets of one's own in this form
    have places and classes of their own."""

    def annotation_path(self, root: Path, split: str) -> tuple[Path, str | None]:
        """The split's annotation file, and why another one is read."""
        return annotation_path(root, split)

    def has_truth(self, split: str) -> bool:
        """Whether the split has annotations."""
        return has_truth(split)

    def image_folder(self, root: Path, split: str) -> str:
        """The pictures' folder relative to ``root``."""
        return image_folder(root, split)

    def classes(self, categories: Categories) -> Classes:
        """The classes of a network that is trained on a file with these categories."""
        return classes_of_file(categories)


OFFICIAL = InstanceFiles()


def read_instances(
    root: Path,
    split: str,
    degenerate: Literal["error", "skip"] = "error",
    pictures: bool = True,
    places: InstanceFiles = OFFICIAL,
) -> Instances:
    """Reads and checks a split.

    Args:
        places: of the dataset's files.
        degenerate: what becomes of boxes outside their picture or of no area: an error, or clipped and left out (counted).
        pictures: whether they must be there.

    Raises:
        ValueError: the file, a folder or a picture is missing; a record is unusable. The text names file, record and fix.
    """
    path, fallback = places.annotation_path(root, split)
    objects = read_objects(path, degenerate, ADVICE, places.has_truth(split))
    folder = places.image_folder(root, split)
    if pictures:
        require_pictures(root, folder, objects.pictures)
    classes = places.classes(objects.categories)
    label_of = {number: label for label, number in match(classes, objects.categories, path.name).category_of.items()}
    labels = np.array([label_of.get(number, 0) for number in objects.categories.ids], np.int64)
    files = tuple(f"{folder}/{name}" for name in objects.pictures.names)
    return Instances(root, objects, files, fallback, classes, labels)


class _Listed(msgspec.Struct):
    categories: list[CategoryRecord]


def read_classes(root: Path, split: str) -> Classes:
    """The classes that a network trained on a split tells apart; nothing else of the file is looked at."""
    path, _ = annotation_path(root, split)
    return classes_of_file(read_categories(path))


def read_categories(path: Path, advice: str = ADVICE) -> Categories:
    """The categories that an annotation file lists; nothing else of it is looked at."""
    return categories_of(read_json(path, _Listed, FORM, advice).categories, path)
