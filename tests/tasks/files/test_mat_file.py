"""Numeric arrays of MATLAB files equal SciPy's; damaged files are refused, where SciPy would end the process."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from tasks.files.mat_file import read_mat

SAMPLES = Path(os.environ.get("HRNET_SAMPLES", Path(__file__).parents[4] / "shared" / "samples"))
VALUES = {
    "double": np.random.default_rng(0).normal(size=(3, 2, 4)),
    "single": np.arange(6, dtype=np.float32).reshape(2, 3),
    "bytes": np.arange(7, dtype=np.uint8),
    "whole": np.array([[-(2**40), 7]], np.int64),
    "flags": np.array([[True, False]]),
    "empty": np.zeros((0, 3)),
    "one": 5.0,
}


@pytest.mark.parametrize("packed", [False, True])
def test_arrays_equal_scipys(tmp_path: Path, packed: bool) -> None:
    savemat(tmp_path / "a.mat", {**VALUES, "text": "abc", "cells": np.array(["a", 1], object)}, do_compression=packed)
    found, expected = read_mat(tmp_path / "a.mat", "arrays"), loadmat(tmp_path / "a.mat")
    for name in VALUES:
        np.testing.assert_array_equal(found[name], expected[name])
        assert found[name].shape == expected[name].shape
    assert found["text"].dtype == found["cells"].dtype == object and found["cells"].size == 0


@pytest.mark.parametrize(
    "name", ["mpii/annot/gt_valid.mat", "mpii_val2958/gt_valid.mat", "mpii_val2958/tompson_predictions.mat"]
)
def test_real_files_equal_scipys(name: str) -> None:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"no samples at {SAMPLES}")
    found, expected = read_mat(path, "arrays"), loadmat(path)
    numeric = [key for key, value in expected.items() if not key.startswith("__") and value.dtype != object]
    assert numeric
    for key in numeric:
        np.testing.assert_array_equal(found[key], expected[key])


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    savemat(path, VALUES)
    whole = path.read_bytes()
    for content, words in (
        (b"", "no file of level 5"),
        (b"x" * 300, "no file of level 5"),
        (whole[:-9], "cut short or damaged"),
        (whole[:128] + b"\x0f\0\0\0\x08\0\0\0abcdefgh", "cut short or damaged"),
        (b"\x89HDF" + whole, "v7.3"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"a\.mat but it cannot be read .*{words}"):
            read_mat(path, "arrays")
    savemat(path, {"a": np.ones(3)}, format="4")
    with pytest.raises(ValueError, match=r"no file of level 5\); save it with MATLAB's '-v7'"):
        read_mat(path, "arrays")
