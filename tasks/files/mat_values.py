"""Structures, cells and text of a MATLAB file of level 5, as plain Python values; every length checked.

Source: MathWorks, "MAT-File Format", chapter 1. Numeric arrays come from `tasks.files.mat_file`.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tasks.files.mat_file import HEADER_BYTES, LIMIT_BYTES, NUMERIC, PLAIN_TYPES
from tasks.files.opening import read_bytes

_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _CHAR = 1, 2, 4
_LOGICAL_OR_REAL = 0x0800
_DEEPEST = 24
_TEXT = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}


def read_mat_values(path: Path, what: str, advice: str = "", fix: str = "fetch it again") -> dict[str, Any]:
    """The variables of a file by name.

    A structure is a dictionary, an array of structures or a cell array a list (column after column, as MATLAB counts), text a
    string, a single number a float, other numbers an array of MATLAB's shape, an empty array of any kind None.

    Raises:
        ValueError: no such file, HDF5 (v7.3), another level, or damaged.
    """
    data = memoryview(read_bytes(path, what, advice))
    begin = f"Expected a MATLAB file at {path} but it cannot be read"
    if bytes(data[:4]) == b"\x89HDF" or bytes(data[512:516]) == b"\x89HDF":
        raise ValueError(f"{begin} (HDF5, v7.3); save it with MATLAB's '-v7'")
    order = {b"IM": "<", b"MI": ">"}.get(bytes(data[126:HEADER_BYTES]))
    if order is None:
        raise ValueError(f"{begin} (no file of level 5); save it with MATLAB's '-v7', or {fix}")
    try:
        return dict(_variables(data[HEADER_BYTES:], order))
    except (ValueError, struct.error, zlib.error, UnicodeError, OverflowError, MemoryError, RecursionError):
        raise ValueError(f"{begin} (it is cut short or damaged); {fix}") from None


def as_list(value: Any) -> list[Any]:
    """Several, one or none: MATLAB tells one structure from a list of one in nothing."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _variables(data: memoryview, order: str) -> Iterator[tuple[str, Any]]:
    for kind, content in _elements(data, order):
        if kind == _COMPRESSED:
            unpacked = zlib.decompressobj().decompress(content, LIMIT_BYTES)
            for inner_kind, inner in _elements(memoryview(unpacked), order):
                if inner_kind == _MATRIX:
                    yield _matrix(inner, order, 0)
        elif kind == _MATRIX:
            yield _matrix(content, order, 0)


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    place, end = 0, len(data)
    while place < end:
        kind, content, place = _element(data, place, order)
        yield kind, content


def _element(data: memoryview, place: int, order: str) -> tuple[int, memoryview, int]:
    """Type and content of the element at a place, and where the next begins."""
    first, length = struct.unpack_from(f"{order}II", data, place)
    if first >> 16:
        kind, length, start, after = first & 0xFFFF, first >> 16, place + 4, place + 8
        if length > 4:
            raise ValueError("a short element of more than four bytes")
    else:
        kind, start = first, place + 8
        after = start + length + (0 if kind == _COMPRESSED else -length % 8)
    if start + length > len(data):
        raise ValueError("an element that is cut short")
    return kind, data[start : start + length], after


def _matrix(data: memoryview, order: str, depth: int) -> tuple[str, Any]:
    """Name and value of an array."""
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if not len(data):
        return "", None
    _, flags, place = _element(data, 0, order)
    _, sizes, place = _element(data, place, order)
    _, name, place = _element(data, place, order)
    (word,) = struct.unpack_from(f"{order}I", flags)
    shape = np.frombuffer(sizes, f"{order}i4").tolist()
    if any(size < 0 for size in shape) or len(shape) > 32:
        raise ValueError("a negative size")
    text, rest = bytes(name).decode("ascii"), data[place:]
    kind, count = word & 0xFF, math.prod(shape)
    if kind == _STRUCT:
        return text, _structures(rest, order, count, depth)
    if kind == _CELL:
        if count > len(rest):
            raise ValueError("more cells than bytes")
        return text, [_matrix(content, order, depth + 1)[1] for _, content in _taken(rest, order, count)]
    if kind == _CHAR:
        return text, _characters(rest, order, count)
    if kind in NUMERIC and not word & _LOGICAL_OR_REAL:
        return text, _numbers(rest, order, shape, count)
    return text, None  # objects, sparse and complex arrays: nothing here needs them


def _taken(data: memoryview, order: str, count: int) -> Iterator[tuple[int, memoryview]]:
    place = 0
    for _ in range(count):
        kind, content, place = _element(data, place, order)
        yield kind, content


def _structures(data: memoryview, order: str, count: int, depth: int) -> Any:
    _, width, place = _element(data, 0, order)
    (longest,) = struct.unpack_from(f"{order}i", width)
    _, names, place = _element(data, place, order)
    if longest < 1 or len(names) % longest:
        raise ValueError("field names of another length")
    fields = [
        bytes(names[start : start + longest]).split(b"\0")[0].decode("ascii") for start in range(0, len(names), longest)
    ]
    if count * max(1, len(fields)) > len(data):
        raise ValueError("more fields than bytes")
    values = (_matrix(content, order, depth + 1)[1] for _, content in _taken(data[place:], order, count * len(fields)))
    made = [{field: next(values) for field in fields} for _ in range(count)]
    return None if not made else made[0] if count == 1 else made


def _characters(data: memoryview, order: str, count: int) -> str | None:
    if not count:
        return None
    kind, content, _ = _element(data, 0, order)
    encoding = _TEXT.get(kind, "latin-1")
    ordered = encoding + ({"<": "-le", ">": "-be"}[order] if encoding in ("utf-16", "utf-32") else "")
    return bytes(content).decode(ordered)


def _numbers(data: memoryview, order: str, shape: list[int], count: int) -> Any:
    if not count:
        return None
    kind, content, _ = _element(data, 0, order)
    if kind not in PLAIN_TYPES:
        raise ValueError("an array of another type")
    values = np.frombuffer(content, f"{order}{PLAIN_TYPES[kind]}")
    if values.size != count:
        raise ValueError("an array of another size than its shape")
    return float(values[0]) if count == 1 else values.reshape(shape, order="F").astype(np.float64)
