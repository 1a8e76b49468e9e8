"""The numeric arrays of a MATLAB file of level 5 ('-v6', '-v7'), every length checked before it is followed.

SciPy's reader trusts the lengths that a file states, and ends the process on damaged ones. Source: MathWorks, "MAT-File Format",
chapter 1.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.files.opening import read_bytes

HEADER_BYTES = 128
LIMIT_BYTES = 2**31
"""No array of a benchmark comes near; more is a damaged length, or a bomb."""

PLAIN_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
NUMERIC = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_MATRIX, _COMPRESSED = 14, 15
_COMPLEX = 0x0800


def read_mat(path: Path, what: str, advice: str = "", fix: str = "fetch it again") -> dict[str, NDArray[np.generic]]:
    """The real numeric arrays of a file, by name; an empty array of objects stands for every other variable.

    Args:
        what: what it should hold, with its article. advice: what to do where it is missing. fix: where it is broken.

    Raises:
        ValueError: no such file, no regular file, HDF5 (v7.3), level 4, or damaged.
    """
    data = read_bytes(path, what, advice)
    begin = f"Expected a MATLAB file at {path} but it cannot be read"
    if data.startswith(b"\x89HDF") or data[512:516] == b"\x89HDF":
        raise ValueError(f"{begin} (HDF5, v7.3); save it with MATLAB's '-v7'")
    order = {b"IM": "<", b"MI": ">"}.get(data[126:HEADER_BYTES])
    if order is None:
        raise ValueError(f"{begin} (no file of level 5); save it with MATLAB's '-v7', or {fix}")
    try:
        return dict(_variables(data[HEADER_BYTES:], order))
    except (ValueError, struct.error, zlib.error, UnicodeDecodeError, OverflowError, MemoryError):
        raise ValueError(f"{begin} (it is cut short or damaged); {fix}") from None


def _variables(data: bytes, order: str) -> Iterator[tuple[str, NDArray[np.generic]]]:
    for kind, content in _elements(data, order):
        inner = [(kind, content)]
        if kind == _COMPRESSED:
            unpacked = zlib.decompressobj().decompress(content, LIMIT_BYTES)
            inner = list(_elements(unpacked, order))
        for inner_kind, inner_content in inner:
            if inner_kind == _MATRIX:
                yield _matrix(inner_content, order)


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Type and content of every element; raises ValueError where one is cut short."""
    place = 0
    while place < len(data):
        first, length = struct.unpack_from(f"{order}II", data, place)
        if first >> 16:  # a short one: length, type and content in eight bytes
            kind, length, start, step = first & 0xFFFF, first >> 16, place + 4, 8
            if length > 4:
                raise ValueError("a short element of more than four bytes")
        else:
            kind, start = first, place + 8
            step = 8 + length + (0 if kind == _COMPRESSED else -length % 8)
        if start + length > len(data):
            raise ValueError("an element that is cut short")
        yield kind, data[start : start + length]
        place += step


def _matrix(data: bytes, order: str) -> tuple[str, NDArray[np.generic]]:
    """Name and array: flags, shape, name and the real part, in MATLAB's order of columns."""
    parts = list(_elements(data, order))
    if len(parts) < 3:
        raise ValueError("a matrix without a name")
    (flags,) = struct.unpack_from(f"{order}I", parts[0][1])
    shape = np.frombuffer(parts[1][1], f"{order}i4")
    name = parts[2][1].decode("ascii")
    wanted = NUMERIC.get(flags & 0xFF)
    if wanted is None or flags & _COMPLEX or len(parts) < 4:
        return name, np.empty(0, object)
    kind, content = parts[3]
    if kind not in PLAIN_TYPES or (shape < 0).any() or len(shape) > 32:
        raise ValueError("an array of another type")
    values = np.frombuffer(content, f"{order}{PLAIN_TYPES[kind]}")
    if values.size != math.prod(shape.tolist()):
        raise ValueError("an array of another size than its shape")
    # Whole numbers may be stored narrower than their class.
    return name, values.reshape(shape.tolist(), order="F").astype(wanted)
