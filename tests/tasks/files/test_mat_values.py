"""Structures, cells and text of MATLAB files, against SciPy's writer; damage ends in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from tasks.files.mat_values import as_list, read_mat_values


@pytest.mark.parametrize("compressed", [False, True])
def test_what_scipy_writes_is_read(tmp_path: Path, compressed: bool) -> None:
    people = np.zeros((1, 2), dtype=[("name", object), ("x", object)])
    people[0, 0], people[0, 1] = ("ann", np.array([[1.5, 2], [3, 4]])), ("bö", np.zeros((0, 0)))
    cells = np.empty((1, 2), dtype=object)
    cells[0] = ["first", np.arange(3, dtype=np.uint8)]
    path = tmp_path / "a.mat"
    savemat(path, {"R": {"people": people, "n": 7, "deep": {"er": "yes"}}, "cells": cells}, do_compression=compressed)
    held = read_mat_values(path, "a file")
    first, second = held["R"]["people"]
    assert first["name"] == "ann" and first["x"].tolist() == [[1.5, 2.0], [3.0, 4.0]]
    assert second["name"] == "bö" and second["x"] is None
    assert held["R"]["n"] == 7.0 and held["R"]["deep"] == {"er": "yes"}
    assert held["cells"][0] == "first" and held["cells"][1].ravel().tolist() == [0, 1, 2]
    assert as_list(held["R"]) == [held["R"]] and as_list(None) == []


def test_damage_is_told_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    savemat(path, {"R": {"people": np.arange(40), "text": "x" * 30}})
    whole = path.read_bytes()
    generator = np.random.default_rng(0)
    for number in range(300):
        data = bytearray(whole[: 129 + number % (len(whole) - 129)] if number % 2 else whole)
        for place in generator.integers(124, len(data), 3):
            data[place] = generator.integers(256)
        path.write_bytes(data)
        try:
            read_mat_values(path, "a file")
        except ValueError as error:
            assert str(path) in str(error)
    path.write_bytes(b"\x89HDF" + bytes(600))
    with pytest.raises(ValueError, match="HDF5"):
        read_mat_values(path, "a file")
