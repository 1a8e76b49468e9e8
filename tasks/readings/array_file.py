"""Arrays and plain data in one file: no pickle, nothing to run, and a digest of all of it at the end.

A magic word, the lengths of the head and of the whole, the head (json: plain data, and name, type, shape and place of each
array), the arrays in C order, SHA-256. A file is read whole: pages that are mapped would end the process where another machine
removes the file from a network drive.
"""

from __future__ import annotations

import hashlib
import math
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

MAGIC = b"HRNETARR"
ALIGNED = 64
"""Bytes: every array begins at a multiple."""
BLOCK = 2**20
_START = struct.Struct("<8sQQ")
_DIGEST_BYTES = hashlib.sha256().digest_size
_TYPE = re.compile(r"[<>|][biuf]\d{1,2}")


class _Place(msgspec.Struct, array_like=True):
    name: str
    type: str
    shape: list[int]
    start: int


class _Head(msgspec.Struct):
    plain: Any
    arrays: list[_Place]


def packed(plain: Any, arrays: Mapping[str, NDArray[Any]]) -> list[bytes | memoryview]:
    """The parts of a file, in their order, all but the digest.

    Args:
        plain: json's types. arrays: of numbers or truth values.

    Raises:
        TypeError, ValueError, OverflowError: something that such a file cannot hold.
    """
    places: list[_Place] = []
    parts: list[bytes | memoryview] = []
    start = 0
    for name, array in arrays.items():
        held = np.ascontiguousarray(array).reshape(array.shape)
        if not _TYPE.fullmatch(held.dtype.str):
            raise TypeError(f"Expected numbers in {name!r}, got {held.dtype}")
        places.append(_Place(name, held.dtype.str, list(held.shape), start))
        content = memoryview(held.reshape(-1).view(np.uint8).data)
        filling = bytes(-content.nbytes % ALIGNED)
        parts += [content, filling]
        start += content.nbytes + len(filling)
    head = msgspec.json.encode(_Head(plain, places))
    head += b" " * (-(_START.size + len(head)) % ALIGNED)
    whole = _START.size + len(head) + start + _DIGEST_BYTES
    return [_START.pack(MAGIC, len(head), whole), head, *parts]


def with_digest(parts: list[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """The parts and the digest over them."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
        yield part
    yield digest.digest()


def read_arrays(path: Path) -> tuple[Any, dict[str, NDArray[Any]]]:
    """Plain data and arrays of a file.

    Raises:
        OSError: it cannot be opened or read. ValueError: it is damaged, cut short, or no such file.
    """
    with path.open("rb", buffering=0) as file:
        start = file.read(_START.size)
        if len(start) < _START.size:
            raise ValueError(f"{path}: cut short")
        magic, length, whole = _START.unpack(start)
        if magic != MAGIC or whole != path.stat().st_size or not 0 < length <= whole - _START.size - _DIGEST_BYTES:
            raise ValueError(f"{path}: no file of arrays, or cut short")
        block = np.empty(whole - _START.size, np.uint8)
        view, digest, at = memoryview(block.data), hashlib.sha256(start), 0
        end = len(view) - _DIGEST_BYTES
        while at < end:
            count = file.readinto(view[at : min(at + BLOCK, end)])
            if not count:
                raise ValueError(f"{path}: cut short")
            digest.update(view[at : at + count])
            at += count
        if file.read(_DIGEST_BYTES) != digest.digest():
            raise ValueError(f"{path}: damaged")
    try:
        head = msgspec.json.decode(view[:length], type=_Head)
        return head.plain, {place.name: _array(block[length:end], place) for place in head.arrays}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: {error}") from None


def _array(block: NDArray[np.uint8], place: _Place) -> NDArray[Any]:
    if not _TYPE.fullmatch(place.type) or min([place.start, *place.shape]) < 0:
        raise ValueError(f"no array: {place}")
    kind = np.dtype(place.type)
    size = math.prod(place.shape) * kind.itemsize
    if place.start + size > len(block):
        raise ValueError(f"an array beyond the end: {place}")
    return block[place.start : place.start + size].view(kind).reshape(place.shape)
