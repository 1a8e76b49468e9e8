"""Arrays and plain data of one file: what is written is read, and every change of a byte is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.readings.array_file import packed, read_arrays, with_digest

ARRAYS: dict[str, np.ndarray] = {
    "doubles": np.array([[0.1, -0.0, np.nan], [np.inf, 1e-320, 2.5]]),
    "flags": np.array([True, False, True]),
    "none": np.zeros((0, 4)),
    "bytes": np.arange(7, dtype=np.uint8),
    "numbers": np.arange(6, dtype=np.int32).reshape(3, 2).T,
}
PLAIN = {"names": ["a", "ü", ""], "ids": [1, "1", 2**53 + 1], "nothing": None}


def written(path: Path, plain: Any = PLAIN) -> Path:
    path.write_bytes(b"".join(with_digest(packed(plain, ARRAYS))))
    return path


def test_what_is_written_is_read_to_the_last_bit(tmp_path: Path) -> None:
    plain, arrays = read_arrays(written(tmp_path / "file"))
    assert plain == PLAIN and list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype and arrays[name].shape == array.shape
        assert arrays[name].tobytes() == array.tobytes() and arrays[name].flags.aligned


def test_every_byte_counts(tmp_path: Path) -> None:
    content = written(tmp_path / "file").read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        (tmp_path / "file").write_bytes(changed)
        with pytest.raises(ValueError, match="file"):
            read_arrays(tmp_path / "file")


@pytest.mark.parametrize("length", [0, 7, 24, 100, -32, -1])
def test_a_file_cut_short_or_too_long(tmp_path: Path, length: int) -> None:
    content = written(tmp_path / "file").read_bytes()
    for wrong in (content[:length], content + b"\0" * (length % 7 + 1)):
        (tmp_path / "file").write_bytes(wrong)
        with pytest.raises(ValueError, match="file"):
            read_arrays(tmp_path / "file")


def test_objects_are_not_taken(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        packed({}, {"objects": np.array([None, {}])})
    with pytest.raises((TypeError, ValueError, OverflowError)):
        packed({"a set": np.float64}, {})
