"""Reading COFW's .mat files, HDF5 as MATLAB's v7.3 writes it.

MATLAB stores column by column, so every array arrives transposed: phis (87, N) as 29 x, 29 y, 29 occlusion flags; colour pictures
(3, W, H) and grey ones (W, H), referred to from a cell array (1, N) or (N, 1). Source: docs/protocols.md, section 10.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.files.opening import read_bytes
from tasks.landmarks.files.faces import Faces, landmark_boxes

SUFFIXES = {"train": "Tr", "test": "T"}
ADVICE = "put COFW in its official layout (tasks/landmarks/README.md) or correct --data-root and --split"
HARDLY_OCCLUDED = 0.25  # a face with at most this share of hidden points


def mat_path(root: Path, split: str) -> Path:
    """The colour file of a split."""
    return root / f"COFW_{split}_color.mat"


@contextmanager
def open_mat(path: Path) -> Iterator[Any]:
    """A v7.3 file, open for reading.

    Raises:
        ValueError: no such file, an older .mat format, or one that is cut off or holds other things than its fields say.
    """
    import h5py

    read_bytes(path, "COFW's .mat file", ADVICE, first=1)  # HDF5's own opening would wait for a pipe
    if not h5py.is_hdf5(path):
        raise ValueError(
            f"Expected a MATLAB v7.3 file (HDF5) at {path} but it is none; fetch COFW_*_color.mat again, or save it with "
            "MATLAB's save(..., '-v7.3')"
        )
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (
        ValueError,
        OSError,
        RuntimeError,
        LookupError,
        TypeError,
        AttributeError,
        MemoryError,
        OverflowError,
    ) as error:
        if isinstance(error, ValueError) and str(path) in str(error):
            raise  # it says already what is wrong where
        reason = f" ({' '.join(str(error).split())[:120]})" if isinstance(error, OSError | RuntimeError) else ""
        raise ValueError(
            f"{path} cannot be read: it is cut off, damaged, or its fields are of another kind{reason}; fetch it again"
        ) from error


def read_cofw(root: Path, split: str, num_points: int) -> Faces:
    """The faces of a split, with their occlusion flags; boxes follow from the landmarks.

    Raises:
        ValueError: the file cannot be read, or a field is missing or has another shape.
    """
    path = mat_path(root, split)
    suffix = SUFFIXES[split]
    with open_mat(path) as file:
        wanted = [f"Is{suffix}", f"phis{suffix}"]
        missing = [name for name in wanted if name not in file]
        if missing:
            raise ValueError(
                f"Expected the field {missing[0]!r} in {path} but got {sorted(k for k in file if not k.startswith('#'))}; "
                "fetch the file again"
            )
        cells, phis = file[wanted[0]], np.asarray(file[wanted[1]], dtype=np.float64)
        count = cells.size
        if phis.shape != (3 * num_points, count):
            raise ValueError(
                f"Expected {wanted[1]} of shape ({3 * num_points}, {count}) in {path} but got {phis.shape}; MATLAB's "
                f"v7.3 files hold it transposed, one column per face"
            )
    if not np.isfinite(phis).all():
        record = int(np.argwhere(~np.isfinite(phis))[0][1])
        raise ValueError(f"{path}, {wanted[1]} of record {record + 1}: expected finite numbers; fetch the file again")
    points = np.stack([phis[:num_points].T, phis[num_points : 2 * num_points].T], -1)
    occluded = phis[2 * num_points :].T > 0.5
    centres, scales = landmark_boxes(points)
    much = occluded.mean(1) > HARDLY_OCCLUDED
    names = tuple(f"{split}/{index + 1:04d}" for index in range(count))
    records = tuple(f"record {index + 1}" for index in range(count))
    return Faces(
        root, path, names, records, points, centres, scales,
        occluded=occluded,
        subsets={"hardly_occluded": ~much, "occluded": much},
    )  # fmt: skip


class CofwPictures:
    """The pictures of one COFW file by face index, (H, W, 3) uint8, kept once read up to a number of bytes."""

    def __init__(self, path: Path, split: str, limit_mib: int = 512) -> None:
        self.path, self.field, self.limit = path, f"Is{SUFFIXES[split]}", limit_mib * 2**20
        self._kept: dict[int, NDArray[np.uint8]] = {}
        self._bytes = 0

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        if index in self._kept:
            return self._kept[index]
        with open_mat(self.path) as file:
            cells = file[self.field]
            stored = np.asarray(file[cells[np.unravel_index(index, cells.shape)]])
        picture = matlab_picture(stored, f"{self.path}, record {index + 1}")
        if self._bytes + picture.nbytes <= self.limit:
            picture.setflags(write=False)
            self._kept[index] = picture
            self._bytes += picture.nbytes
        return picture


def matlab_picture(stored: NDArray, where: str) -> NDArray[np.uint8]:
    """An array as HDF5 holds it, (3, W, H) or (W, H), -> (H, W, 3); grey is repeated.

    Raises:
        ValueError: another shape or type.
    """
    if stored.ndim == 2:
        stored = np.stack([stored] * 3)
    if stored.ndim != 3 or stored.shape[0] != 3 or stored.dtype != np.uint8:
        raise ValueError(
            f"{where}: expected a picture stored as (3, W, H) or (W, H) uint8 but got {stored.shape} {stored.dtype}"
        )
    return np.ascontiguousarray(stored.transpose(2, 1, 0))
