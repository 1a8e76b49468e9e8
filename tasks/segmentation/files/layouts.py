"""What the three datasets have in common on disk: samples, list files, label maps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.files.names import distinct_names, first_repeated, picture_name
from tasks.files.opening import is_file, read_text
from tasks.images import inside
from tasks.segmentation.files.classes import ClassTable


@dataclass(frozen=True)
class Sample:
    """A picture and its label map, as paths below the layout's root; ``label`` None where there is none (a test set).

    ``where`` names the list line or folder it comes from, for errors.
    """

    name: str
    image: str
    label: str | None
    where: str


class Layout(ABC):
    """One split of a dataset, opened.

    Attributes:
        root: the folder that paths of samples start from.
        table: the scored classes.
        samples: in the order of the list, or sorted.
        files: what identifies the data (lists and annotations).
        notes: what a reader of its figures must know.
    """

    root: Path
    table: ClassTable
    samples: list[Sample]
    files: list[Path]
    notes: tuple[str, ...] = ()
    _submitted: list[str] | None = None

    def names(self) -> list[str]:
        """A name per sample, as the dataset gives it; where two pictures would share one, paths that tell them apart."""
        given = [sample.name for sample in self.samples]
        pictures = [sample.image for sample in self.samples]
        return given if len(set(given)) == len(set(pictures)) else distinct_names(pictures)

    def size_wh(self, index: int) -> tuple[int, int] | None:
        """Width and height of a sample's picture where the annotations state them."""
        return None

    @abstractmethod
    def label(self, index: int) -> NDArray[np.uint8] | None:
        """(H, W) classes of a sample, 255 where ignored; None on a split without labels."""

    def submission_name(self, index: int) -> str:
        """Path of a sample's png in a submission: the picture's stem, below folders where that alone would not tell it."""
        if self._submitted is None:
            self._submitted = distinct_names([sample.image for sample in self.samples])
        return f"{self._submitted[index]}.png"


def find_list(root: Path, dataset_folders: Iterable[str], names: Iterable[str]) -> Path | None:
    """A list file beside or below a dataset: ``<root>``, ``<root>/list[/<dataset>]`` or ``<root>/../list/<dataset>``."""
    folders = [root, root / "list", root / "lists"]
    for name in dataset_folders:
        folders += [root / "list" / name, root.parent / "list" / name]
    for folder in folders:
        for name in names:
            if (folder / name).exists():  # a folder or a pipe of that name is refused where it is read
                return folder / name
    return None


def read_list(path: Path, columns: tuple[int, int]) -> list[tuple[int, list[str]]]:
    """(line number, columns) of a list file; blank lines are left out.

    Args:
        columns: least and greatest number of columns.

    Raises:
        ValueError: no text, an empty list, or a line of another number of columns.
    """
    rows = []
    for number, line in enumerate(read_text(path, "a list of pictures").splitlines(), start=1):
        cells = line.split("\t") if "\t" in line else line.split()
        cells = [c.strip() for c in cells if c.strip()]
        if not cells:
            continue
        if not columns[0] <= len(cells) <= columns[1]:
            wanted = str(columns[0]) if columns[0] == columns[1] else f"{columns[0]} to {columns[1]}"
            raise ValueError(
                f"{path}:{number}: expected {wanted} columns (picture, label), got {len(cells)}: {line!r}."
            )
        rows.append((number, [picture_name(cell.removeprefix("/"), f"{path}:{number}") for cell in cells]))
    if not rows:
        raise ValueError(f"{path}: expected one picture per line, got an empty list; fetch or write the list again.")
    return rows


def check_once(samples: Sequence[Sample]) -> None:
    """Raises ValueError where a picture is listed twice: an evaluation would count it twice."""
    repeated = first_repeated([sample.image for sample in samples])
    if repeated is not None:
        first, second = (samples[place].where for place in repeated)
        raise ValueError(
            f"{second}: expected every picture once, got {samples[repeated[1]].image} again (first at {first}); "
            "remove the line."
        )


def check_files(root: Path, samples: Iterable[Sample]) -> None:
    """Raises ValueError for the first sample whose picture or label map is missing, naming its list line."""
    for sample in samples:
        for what, relative in (("picture", sample.image), ("label map", sample.label)):
            if relative is not None and not is_file(inside(root, relative)):
                listed = Path(sample.where).is_dir()
                raise ValueError(
                    f"{sample.where}: expected the {what} {root / relative}, found no such file; "
                    + ("complete the download." if listed else "correct the line, or complete the download.")
                )


def identifying_files(root: Path, found: Path | None, samples: list[Sample]) -> list[Path]:
    """The list and the label maps; the pictures where there are neither."""
    labels = [inside(root, s.label) for s in samples if s.label]
    files = ([found] if found else []) + labels
    return files or [inside(root, s.image) for s in samples]
