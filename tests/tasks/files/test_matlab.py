"""MATLAB files do not depend on when they are written."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from tasks.files.matlab import write_mat


def test_the_same_content_gives_the_same_bytes_at_another_time(tmp_path: Path) -> None:
    points = np.arange(12.0).reshape(3, 2, 2)
    write_mat(tmp_path / "a.mat", {"preds": points})
    time.sleep(1.1)  # SciPy's own header counts seconds
    write_mat(tmp_path / "b.mat", {"preds": points})
    assert (tmp_path / "a.mat").read_bytes() == (tmp_path / "b.mat").read_bytes()
    np.testing.assert_array_equal(loadmat(tmp_path / "b.mat")["preds"], points)
