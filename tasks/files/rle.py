"""COCO's run lengths: encoding and decoding of masks, and checks of what pycocotools decodes in silence where it is cut short."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.files.json_file import shorten

_MOST_PIXELS = 2**40


def check_run_lengths(coded: Any, height: int, width: int) -> None:
    """Checks a mask {size [H, W], counts}, with ``counts`` a list of runs or the compressed text.

    Raises:
        ValueError: not of this form, of another size, broken, or runs that do not cover the picture. The text begins with
            "expected"; the caller says where.
    """
    if not isinstance(coded, dict) or not isinstance(coded.get("counts"), list | str | bytes):
        found = sorted(coded) if isinstance(coded, dict) else type(coded).__name__
        raise ValueError(f"expected run lengths with size and counts, got {found}; correct it or fetch the file again")
    size = coded.get("size")
    if not isinstance(size, list | tuple) or len(size) != 2 or not all(isinstance(n, int) for n in size):
        raise ValueError(f"expected run lengths with size [height, width], got {shorten(size)}; correct it")
    if tuple(size) != (height, width):
        found = f"{shorten(size[1])}x{shorten(size[0])}"
        raise ValueError(
            f"expected an RLE of the picture's size {width}x{height}, got {found} (size is [height, width]); the "
            "record belongs to another picture."
        )
    runs = run_lengths(coded["counts"])
    total = None if runs is None else int(runs.sum())
    if runs is None or total != height * width or (runs < 0).any():
        what = "a broken one" if runs is None or (runs < 0).any() else f"{total}"
        raise ValueError(
            f"expected runs over {height * width} pixels, got {what}; the record is cut short or damaged: fetch the file again"
        )


def run_lengths(counts: list[int] | str | bytes) -> NDArray[np.int64] | None:
    """The runs of either form, (n,); None for what is neither.

    Compressed text holds 5 bits per character, lowest first, bit 6 set where more follow; from the fourth run on it holds
    the difference from the run before the last (pycocotools' ``rleFrString``).
    """
    if isinstance(counts, list):
        whole = all(isinstance(n, int) and abs(n) < _MOST_PIXELS for n in counts)
        return np.asarray(counts, np.int64) if whole else None
    text = counts.encode("latin-1", "replace") if isinstance(counts, str) else counts
    codes = np.frombuffer(text, np.uint8).astype(np.int64) - 48
    if not len(codes) or codes.min() < 0 or codes.max() > 63 or codes[-1] & 0x20:
        return None
    ends = np.flatnonzero(codes & 0x20 == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > 8:
        return None
    places = np.arange(len(codes)) - np.repeat(starts, lengths)
    runs = np.add.reduceat((codes & 0x1F) << 5 * places, starts)
    runs -= (codes[ends] & 0x10 != 0).astype(np.int64) << 5 * lengths
    for first in (1, 2):
        runs[first::2] = np.cumsum(runs[first::2])
    return runs


def encode(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """(H, W) mask -> compressed run lengths {size [H, W], counts text}, as results files hold them."""
    from pycocotools import mask as rle

    coded = rle.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": [int(n) for n in coded["size"]], "counts": coded["counts"].decode("ascii")}


def decode(segmentation: Any, height: int, width: int) -> NDArray[np.bool_]:
    """Polygons, run lengths or compressed run lengths -> (H, W) mask."""
    from pycocotools import mask as rle

    coded = segmentation
    if isinstance(segmentation, list):
        coded = rle.merge(rle.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation["counts"], list):
        coded = rle.frPyObjects(segmentation, height, width)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="__array__ implementation", category=DeprecationWarning)
        return np.asarray(rle.decode(coded)).astype(bool)
