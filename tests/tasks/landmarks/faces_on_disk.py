"""Face csv files that tests write."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def csv_line(name: str, points: np.ndarray, box: tuple[float, ...] = (1.0, 60.0, 70.0)) -> str:
    return ",".join([name, *map(str, box), *map(str, points.ravel())])


def header(count: int, box: str = "scale,center_w,center_h") -> str:
    return ",".join(["image_name", box, *(f"original_{k}_{axis}" for k in range(count) for axis in "xy")])


POINTS = np.arange(136, dtype=float).reshape(68, 2) + 10.5


def write_300w(root: Path, *lines: str) -> Path:
    path = root / "face_landmarks_300w_test.csv"
    path.write_text("\n".join([header(68), *lines]) + "\n")
    return path
