"""Writing face csv files in the form of HRNet's face code.

Coordinates are the owners' numbers as they are (300W's count pixels from 1). The box follows from the landmarks: floor(min) to
ceil(max), centre in the middle, the longer side over 200 as scale; AFLW's from the owners' rectangle. Source: docs/protocols.md,
section 9.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def csv_bytes(
    images: Sequence[str],
    points: NDArray[np.float64],
    centres: NDArray[np.float64],
    scales: NDArray[np.float64],
    box_sizes: NDArray[np.float64] | None = None,
) -> bytes:
    """A face csv.

    Args:
        images: paths below the folder of pictures. points: (N, P, 2). centres: (N, 2) px. scales: (N,) in 200 px.
        box_sizes: (N,) px, AFLW's normaliser, in a column of its own.
    """
    header = ["image_name", "scale", *(["box_size"] if box_sizes is not None else []), "center_w", "center_h"]
    header += [f"original_{number}_{axis}" for number in range(points.shape[1]) for axis in "xy"]
    out = io.StringIO()
    out.write(",".join(header) + "\n")
    for row, image in enumerate(images):
        box = [scales[row], *([box_sizes[row]] if box_sizes is not None else []), *centres[row]]
        # repr holds every digit, so a reader gets the owners' numbers back.
        fields = [_quoted(image), *(repr(float(value)) for value in (*box, *points[row].ravel()))]
        out.write(",".join(fields) + "\n")
    return out.getvalue().encode()


def _quoted(name: str) -> str:
    return f'"{name}"' if "," in name else name


def same_table(one: bytes, other: bytes) -> bool:
    """Whether two csv texts hold the same fields: numbers to a millionth, lines in any order of their own."""
    tables = []
    for content in (one, other):
        try:
            lines = content.decode("utf-8").split()
        except UnicodeDecodeError:
            return False
        tables.append((lines[:1], sorted(lines[1:])))
    if tables[0][0] != tables[1][0] or len(tables[0][1]) != len(tables[1][1]):
        return False
    return all(_same_line(a, b) for a, b in zip(tables[0][1], tables[1][1], strict=True))


def _same_line(one: str, other: str) -> bool:
    first, second = one.split(","), other.split(",")
    if first[0] != second[0] or len(first) != len(second):
        return False
    try:
        return bool(np.allclose([float(v) for v in first[1:]], [float(v) for v in second[1:]], rtol=0, atol=1e-6))
    except ValueError:
        return False
