"""Label pngs as numbers: one id per pixel, whatever the depth of the file; colours and lossy files are refused."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tasks.files.opening import read_bytes
from tasks.files.picture_header import PictureHeader, check_plausible, parse_header
from tasks.segmentation.files.classes import IGNORE

OTHER_FILE = "the file belongs to another dataset or encoding."


def read_label_png(
    path: Path, table: NDArray[np.int16], what: str, hints: Mapping[int, str] | None = None
) -> NDArray[np.uint8]:
    """Reads a label png as classes: (H, W) uint8, 255 where ignored.

    Args:
        table: (256,) file id -> class, or 255, or -1 for ids that may not occur (:meth:`ClassTable.decode_table`).
        what: names the expected file ("Cityscapes labelIds png"). hints: an id out of range -> its usual cause.

    Raises:
        ValueError: no such file, no png, colours or instance ids where class ids belong, or an id out of range.
    """
    values = read_ids(path, what)
    forbidden = (table < 0).astype(np.uint8)
    if forbidden.any() and (met := np.asarray(cv2.LUT(values, forbidden), np.bool_)).any():
        wrong = np.unique(values[met])
        known = np.flatnonzero(table >= 0)
        known = known[known != IGNORE]
        raise ValueError(
            f"{path}: expected ids {known.min()}..{known.max()} of a {what}, got {wrong[:5].tolist()}"
            + f"; {next((hints[value] for value in wrong.tolist() if hints and value in hints), OTHER_FILE)}"
        )
    return np.asarray(cv2.LUT(values, np.where(table < 0, IGNORE, table).astype(np.uint8)), np.uint8)


def read_ids(path: Path, what: str) -> NDArray[np.uint8]:
    """The ids of a label png: (H, W) uint8, as stored (of a palette the index, of 1, 2 or 4 bits the plain number).

    Args:
        what: names the expected file ("Cityscapes labelIds png").

    Raises:
        ValueError: no such file, no picture, a lossy one, colours, or numbers beyond 255 (instance ids).
    """
    data = read_bytes(path, f"a {what}", "complete the annotations")
    try:
        header = parse_header(data, path)
        check_plausible(header, len(data), path)
        values = _stored(data)
    except (OSError, SyntaxError, ValueError, struct.error, zlib.error, Image.DecompressionBombError) as error:
        reason = str(error).replace(f" {path}", "")
        raise ValueError(f"{path}: expected a {what}, got an unreadable file ({reason}); fetch it again.") from None
    if header.kind == "jpeg":
        raise ValueError(
            f"{path}: expected a {what}, got a jpeg, which changes ids at borders; save the labels as png."
        )
    if values.ndim == 3:
        raise ValueError(
            f"{path}: expected a {what} with one class id per pixel, got colours ({values.shape[2]} channels); "
            "use the id png, not the coloured one made for looking at."
        )
    if header.bits > 8 and (values.dtype.kind not in "iu" or values.max(initial=0) > 255 or values.min(initial=0) < 0):
        raise ValueError(
            f"{path}: expected a {what} with 8-bit class ids, got {header.bits}-bit values up to {float(values.max()):g}; "
            "this looks like an instance png: use the png of class ids."
        )
    return _unscaled(values, header)


def _stored(data: bytes) -> NDArray[np.generic]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data)) as picture:
            return np.array(picture)


def _unscaled(values: NDArray[np.generic], header: PictureHeader) -> NDArray[np.uint8]:
    """Pillow spreads grey values of 2 and 4 bits over 0..255; the stored number is the id."""
    spread = 255 // (2**header.bits - 1) if header.kind == "png" and header.bits in (2, 4) and not header.palette else 1
    return np.ascontiguousarray(values.astype(np.uint8) // np.uint8(spread))
