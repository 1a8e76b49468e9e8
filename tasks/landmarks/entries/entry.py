"""What a dataset of landmarks is to the task: mark-up, files, protocol, recipe. One file of this folder each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tasks.base import DatasetInfo
from tasks.landmarks.files.csv_form import read_csv
from tasks.landmarks.files.faces import Faces
from tasks.landmarks.files.markup import Markup
from tasks.landmarks.files.pictures import FilePictures
from tasks.landmarks.protocol import LandmarkProtocol, landmark_protocol
from tasks.landmarks.recipes import landmark_recipe
from tasks.recipe import Recipe

Pictures = Callable[[int], NDArray[np.uint8]]
"""Index of a face -> its picture (H, W, 3) RGB."""


def csv_path(name: str, root: Path, split: str) -> Path:
    """Where HRNet's release has a split's csv."""
    return root / f"face_landmarks_{name}_{split}.csv"


def picture_folder(root: Path, *names: str) -> Path:
    """The folder that picture names start from: the first of these, or images/, that is there, else the dataset's own."""
    return next((root / name for name in (*names, "images") if (root / name).is_dir()), root)


def info_of(name: str, title: str, markup: Markup, splits: tuple[str, ...], **changes: Any) -> DatasetInfo:
    """The entry of a face dataset in the list of datasets: evaluated on test, ranked by the eyes' distance."""
    made = DatasetInfo(
        name, title, name, markup.num_points, "train", "test", splits, "NME[inter_ocular]", (256, 256), name
    )
    return replace(made, **changes)


@dataclass(frozen=True)
class Entry:
    """A dataset.

    Attributes:
        markup: its points.
        files: (folder, split, kind of box) -> the annotation files of a split.
        read: (folder, split, kind of box) -> its faces, in the files' own boxes. Raises ValueError.
        folder: (folder, split) -> where picture names start from.
        stored: (folder, split, limit in MiB) -> pictures that are no files of their own; None where they are.
        as_float: whether the reference's loader hands pictures over as floating point.
        normaliser: what failure rate, AUC and the error curve divide by.
        lr: rate of the reference's training. epochs: of the embedded tier.
        subsets: names of the subsets that have figures of their own.
        mirrored: whether training mirrors faces: it must know which points change places.
        notes: what a reader of its figures must know.
    """

    info: DatasetInfo
    markup: Markup
    files: Callable[[Path, str, str], list[Path]]
    read: Callable[[Path, str, str], Faces]
    folder: Callable[[Path, str], Path]
    stored: Callable[[Path, str, int], Pictures] | None = None
    as_float: bool = True
    normaliser: Literal["inter_ocular", "inter_pupil", "box", "points"] = "inter_ocular"
    lr: float = 1e-4
    epochs: int = 9
    subsets: tuple[str, ...] = ()
    mirrored: bool = True
    notes: tuple[str, ...] = ()

    def pictures(self, root: Path, split: str, faces: Faces, limit_mib: int) -> Pictures:
        """The pictures of a split's faces, kept once read up to ``limit_mib``."""
        if self.stored is not None:
            return self.stored(root, split, limit_mib)
        return FilePictures(faces, self.folder(root, split), limit_mib)

    def protocol(self, model: str = "", family: str | None = None, tier: str = "full") -> LandmarkProtocol:
        """The protocol, with what the checkpoint's family implies."""
        return replace(landmark_protocol(family, tier), normaliser=self.normaliser)

    def recipe(self, model: str, tier: str) -> Recipe:
        """The recipe of a tier."""
        made = landmark_recipe(self.info.name, model, tier, self.lr, self.epochs)
        return made if self.mirrored else replace(made, augment=replace(made.augment, flip_prob=0.0))


def csv_entry(info: DatasetInfo, markup: Markup, **changes: Any) -> Entry:
    """An entry whose splits are HRNet's csv files; ``changes`` are other fields."""

    def files(root: Path, split: str, box: str) -> list[Path]:
        return [csv_path(info.name, root, split)]

    def read(root: Path, split: str, box: str) -> Faces:
        return read_csv(csv_path(info.name, root, split), markup.num_points, root)

    made = Entry(info, markup, files, read, lambda root, split: picture_folder(root))
    return replace(made, **changes)
