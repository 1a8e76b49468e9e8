"""A picture as annotations speak of it, and what a look at many pictures' headers told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload


@dataclass(frozen=True)
class PictureEntry:
    """A picture as annotations speak of it.

    Attributes:
        path: the file. where: names the record, for error texts.
        size_wh: width and height that the annotations state, in px. label: its label map, of the same size.
        region: x0, y0, x1, y1 in px that a network will be shown; it must touch the picture.
        extent: x0, y0, x1, y1 in px of the annotated points; at most a picture's longer side beyond its borders.
    """

    path: Path
    where: str
    size_wh: tuple[int, int] | None = None
    label: Path | None = None
    region: tuple[float, float, float, float] | None = None
    extent: tuple[float, float, float, float] | None = None


class EntriesOfFiles(Sequence[PictureEntry]):
    """Entries of as many files, each made when it is asked for: a path takes ten microseconds, and few of many are looked at.

    Args:
        size: how many. make: the entry of a row.
    """

    def __init__(self, size: int, make: Callable[[int], PictureEntry]) -> None:
        self.size, self.make = size, make

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, row: int) -> PictureEntry: ...
    @overload
    def __getitem__(self, row: slice) -> list[PictureEntry]: ...
    def __getitem__(self, row: int | slice) -> PictureEntry | list[PictureEntry]:
        if isinstance(row, slice):
            return [self.make(each) for each in range(self.size)[row]]
        return self.make(range(self.size)[row])


@dataclass(frozen=True)
class Survey:
    """What headers told.

    Attributes:
        read, total: pictures whose header was read, and all. problems: what an evaluation would stumble over, one text each.
        notes: what a reader of its figures must know. sizes: how many different ones there are.
    """

    read: int
    total: int
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sizes: int = 0

    @property
    def extent(self) -> str:
        """How much was looked at, in words."""
        if self.read == self.total:
            return f"the headers of all {self.total:,} pictures"
        return f"the headers of {self.read:,} of {self.total:,} pictures (evenly spread)"
