"""Looks at the headers of the pictures that annotations speak of, before a network sees one.

A header says whether the file is there and a picture, its size, and how EXIF would turn it: a thirtieth of a millisecond each,
where decoding takes five.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from tasks.base import EvalData, TrainData
from tasks.files.opening import read_bytes
from tasks.files.picture_entry import EntriesOfFiles, PictureEntry, Survey
from tasks.files.picture_header import PictureHeader, read_header
from tasks.images import check_form, decode_image, size_problem

E = TypeVar("E", bound=EvalData)
T = TypeVar("T", bound=TrainData)
EVERY = 20_000
"""Splits of at most so many pictures are looked at wholly."""
SOME = 1_000
"""Of larger splits so many pictures, evenly spread."""
DECODED = 20
"""Pictures of 16 bits or with transparency that are decoded at once: their header does not tell whether 8 bits can show them."""
LARGEST = 10
"""A region of more than so many times the picture's longer side is an outlier: a scale in pixels, a coordinate of 1e30."""


def survey(entries: Sequence[PictureEntry], every: int = EVERY, some: int = SOME) -> Survey:
    """Reads the headers of entries' pictures: all up to `every`, else `some` of them."""
    total = len(entries)
    if isinstance(entries, EntriesOfFiles) and total > every:
        entries = [entries[row] for row in _spread(total, some)]
        chosen = [entry.path for entry in entries]
    else:
        chosen = list(dict.fromkeys(entry.path for entry in entries))
        total = len(chosen)
        if total > every:
            chosen = [chosen[row] for row in _spread(total, some)]
    wanted = set(chosen)
    headers: dict[Path, PictureHeader | str] = {}
    problems: list[str] = []
    doubtful = 0
    for entry in entries:
        if entry.path not in wanted:
            continue
        known = entry.path in headers
        if not known:
            headers[entry.path] = _header_or_reason(entry.path, decode=doubtful < DECODED)
        header = headers[entry.path]
        if isinstance(header, str):
            problems += [] if known else [f"{entry.where}: {header}"]
            continue
        doubtful += not known and (header.alpha or header.bits == 16)
        problem = _problem(entry, header)
        problems += [f"{entry.where}: {problem}"] if problem else []
    sizes = {header.size_wh for header in headers.values() if not isinstance(header, str)}
    return Survey(len(chosen), total, tuple(problems), _turned(headers), len(sizes))


def _spread(count: int, some: int) -> list[int]:
    """Rows, evenly spread."""
    rows: list[int] = np.linspace(0, count - 1, some).astype(int).tolist()
    return rows


def looked_at(entries: Sequence[PictureEntry]) -> Survey:
    """A survey without problems.

    Raises:
        ValueError: an evaluation or a training would stumble over a picture; the text names the first, and how many there are.
    """
    found = survey(entries)
    if found.problems:
        more = f" (and {len(found.problems) - 1} more such records)" if len(found.problems) > 1 else ""
        raise ValueError(found.problems[0] + more)
    return found


def surveyed_training(data: T) -> T:
    """`data` after a look at the headers of its pictures.

    Raises:
        ValueError: as `looked_at`.
    """
    looked_at(data.entries())
    return data


def surveyed(data: E) -> E:
    """`data` after a look at the headers of its pictures; what was found joins its notes.

    Raises:
        ValueError: as `looked_at`.
    """
    found = looked_at(data.entries())
    data.surveyed = found
    data.notes = (*data.notes, *found.notes)
    return data


def _header_or_reason(path: Path, decode: bool) -> PictureHeader | str:
    """The header, or why the picture cannot be used."""
    try:
        header = read_header(path)
        check_form(header, path)
        if decode and (header.alpha or header.bits == 16):
            decode_image(read_bytes(path, "a picture"), path)
    except ValueError as error:
        return str(error)
    return header


def _problem(entry: PictureEntry, header: PictureHeader) -> str | None:
    if entry.size_wh is not None:
        problem = size_problem(header.size_wh, entry.size_wh, header.orientation)
        if problem:
            return f"{entry.path}: {problem}"
    problem = entry_problem(entry, header.size_wh)
    if problem:
        return problem
    return _label_problem(entry.label, header.size_wh) if entry.label is not None else None


def entry_problem(entry: PictureEntry, size_wh: tuple[int, int]) -> str | None:
    """What is wrong with the region and the points of an entry in a picture of this size; None if nothing."""
    if entry.region is not None:
        problem = region_problem(entry.region, size_wh)
        if problem:
            return problem
    return extent_problem(entry.extent, size_wh) if entry.extent is not None else None


def extent_problem(extent: Sequence[float], size_wh: tuple[int, int]) -> str | None:
    """What is wrong with points between x0, y0 and x1, y1 (px): one lies more than a picture's longer side outside it."""
    x0, y0, x1, y1 = extent
    width, height = size_wh
    beyond = max(size_wh)
    if min(x0, y0) >= -beyond and x1 <= width + beyond and y1 <= height + beyond:
        return None
    return (
        f"expected points in or near its picture of {width}x{height}, got x {x0:.6g} to {x1:.6g}, y {y0:.6g} to {y1:.6g}; "
        "correct or remove the record"
    )


def region_problem(region: Sequence[float], size_wh: tuple[int, int]) -> str | None:
    """What is wrong with a region x0, y0, x1, y1 (px) of a picture: it does not touch it, or is far larger; None if nothing."""
    x0, y0, x1, y1 = region
    width, height = size_wh
    size, box = f"its picture of {width}x{height}", f"x {x0:.6g} to {x1:.6g}, y {y0:.6g} to {y1:.6g}"
    if not (x1 > 0 and y1 > 0 and x0 < width and y0 < height):
        return f"expected a box that touches {size}, got {box}; correct or remove the record"
    if max(x1 - x0, y1 - y0) > LARGEST * max(size_wh):
        return (
            f"expected a box of at most {LARGEST} times the size of {size}, got {box} (a scale in px, not in 200 px?); "
            "correct or remove the record"
        )
    return None


def _label_problem(label: Path, size_wh: tuple[int, int]) -> str | None:
    try:
        found = read_header(label)
    except ValueError as error:
        return str(error)
    if found.channels > 1 or found.kind == "jpeg":
        what = "a jpeg" if found.kind == "jpeg" else f"colours ({found.channels} channels)"
        return f"expected a label map with one class id per pixel, got {what} in {label}; use the id png"
    if found.size_wh == size_wh:
        return None
    return (
        f"expected a label map of the picture's size {size_wh[0]}x{size_wh[1]}, got {found.size_wh[0]}x{found.size_wh[1]} in "
        f"{label}; the two files do not belong together, or one was resized"
    )


def _turned(headers: dict[Path, PictureHeader | str]) -> tuple[str, ...]:
    turned = [
        (path, header.orientation)
        for path, header in headers.items()
        if isinstance(header, PictureHeader) and header.orientation != 1
    ]
    return orientation_notes(turned, len(headers))


def orientation_notes(turned: Iterable[tuple[Path, int]], total: int) -> tuple[str, ...]:
    """What is said of pictures whose EXIF orientation is not 1, and what is done with them."""
    found = list(turned)
    if not found:
        return ()
    path, orientation = found[0]
    return (
        f"EXIF asks to turn {len(found)} of {total} pictures (first: {path}, orientation {orientation}); the stored pixels are "
        "used, as the references do: annotations must refer to them",
    )
