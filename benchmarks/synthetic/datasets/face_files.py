"""Files that the face datasets share: pictures in several modes, and the csv rows of HRNet's face code.

The csv (`image_name, scale, center_w, center_h, original_0_x, ...`) takes its box from the landmarks: from floor(min) to
ceil(max), centre in the middle, scale the longer side over 200. Coordinates are 1-based, as MATLAB tools left them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

ONE_BASED = 1.0


def landmark_box(points: np.ndarray) -> tuple[float, float, float]:
    """scale, center_w, center_h of the landmarks (N, 2) by the csv's rule."""
    low, high = np.floor(points.min(0)), np.ceil(points.max(0))
    centre = (low + high) / 2
    return float((high - low).max() / 200), float(centre[0]), float(centre[1])


def csv_row(name: str, points: np.ndarray, box: tuple[float, ...] | None = None) -> list[str]:
    """One csv line's fields for 1-based landmarks (N, 2); `box` replaces the columns between the name and the points."""
    points = np.round(points, 3)
    columns = landmark_box(points) if box is None else box
    return [name, *(repr(round(float(v), 4)) for v in columns), *(repr(float(v)) for v in points.ravel())]


def write_csv(
    path: Path,
    rows: Iterable[list[str]],
    num_points: int,
    box_columns: tuple[str, ...] = ("scale", "center_w", "center_h"),
) -> None:
    """Write rows of `csv_row` with the official header."""
    header = ["image_name", *box_columns]
    for k in range(num_points):
        header += [f"original_{k}_x", f"original_{k}_y"]
    lines = [",".join(header), *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def write_pts(path: Path, points: np.ndarray) -> None:
    """Write the raw 300W form: a header, one `x y` line per point, 1-based."""
    body = "\n".join(f"{x:.6f} {y:.6f}" for x, y in points)
    path.write_text(f"version: 1\nn_points:  {len(points)}\n{{\n{body}\n}}\n", encoding="ascii")


def write_picture(path: Path, image: np.ndarray, mode: str = "RGB") -> None:
    """Write RGB uint8 as jpeg or png; png also in mode `P` (palette), `L` (grey) or `RGBA`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if mode == "RGB":
        options = [cv2.IMWRITE_JPEG_QUALITY, 92] if path.suffix == ".jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 1]
        if not cv2.imwrite(str(path), image[..., ::-1], options):
            raise OSError(f"{path}: the picture could not be written; check the disk and the folder's permissions")
        return
    picture = Image.fromarray(image)
    if mode == "P":
        picture = picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
    else:
        picture = picture.convert(mode)
    picture.save(path, compress_level=1) if path.suffix == ".png" else picture.save(path, quality=92)
