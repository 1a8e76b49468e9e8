"""Embedded COFW: much occluded parametric faces in `COFW_{train,test}_color.mat`, HDF5 as MATLAB's v7.3 writes it.

MATLAB stores column by column, so a reader of HDF5 sees every array transposed: `phis` (87, N), pictures (3, W, H) or,
for the grey ones, (W, H), and the cell array of pictures as (1, N) references into `#refs#`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from benchmarks.synthetic.datasets.face_files import ONE_BASED
from benchmarks.synthetic.faces.scene import Difficulty, render

VERSION = 1
NUM_POINTS = 29
SIZES = {"smoke": {"train": 12, "test": 8}, "embedded": {"train": 340, "test": 100}}
GREY_EVERY = 9
_DATASET = 29
_SPLITS = (("train", "Tr"), ("test", "T"))
_OCCLUDED = Difficulty(chances=(0.06, 0.15, 0.1, 0.12, 0.65, 0.08), yaw_deg=17.0, turned_deg=(35.0, 50.0))
_USERBLOCK = 512


def write_mat(path: Path, suffix: str, images: list[np.ndarray], phis: np.ndarray, boxes: np.ndarray) -> None:
    """Write one COFW file: `images` (H, W, 3) or (H, W) uint8, `phis` (N, 87), `boxes` (N, 4) as MATLAB would see them."""
    with h5py.File(path, "w", userblock_size=_USERBLOCK) as file:
        cells = file.create_dataset(f"Is{suffix}", (1, len(images)), h5py.ref_dtype)
        cells.attrs["MATLAB_class"] = np.bytes_("cell")
        refs = file.create_group("#refs#")
        for index, image in enumerate(images):
            item = _array(refs, f"i{index:05d}", image, "uint8")
            cells[0, index] = item.ref
        _array(file, f"phis{suffix}", phis, "double")
        _array(file, f"bboxes{suffix}", boxes, "double")
    text = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created by hrnet-benchmark HDF5 schema 1.00 ."
    with path.open("r+b") as raw:
        raw.write(text.ljust(116, b" ") + bytes(8) + b"\x00\x02IM")


def _array(group: Any, name: str, values: np.ndarray, matlab_class: str) -> Any:
    data = np.ascontiguousarray(values.T)
    item = group.create_dataset(name, data=data)
    item.attrs["MATLAB_class"] = np.bytes_(matlab_class)
    return item


def write(root: Path, sizes: dict[str, int], seed: int) -> None:
    """Write the dataset below `root`; `sizes` counts the pictures of train and test."""
    for split_id, (split, suffix) in enumerate(_SPLITS):
        images, phis, boxes = [], [], []
        for index in range(sizes.get(split, 0)):
            picture = render(np.random.default_rng([seed, _DATASET, split_id, index]), _OCCLUDED, ("cofw",))
            points = picture.points["cofw"] + ONE_BASED
            image = picture.image
            if index % GREY_EVERY == 4:
                image = np.round(image @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
            images.append(image)
            phis.append(np.concatenate([points[:, 0], points[:, 1], picture.occluded["cofw"]]))
            x0, y0, x1, y1 = picture.rect + ONE_BASED
            boxes.append(np.round([x0, y0, x1 - x0, y1 - y0]))
        write_mat(
            root / f"COFW_{split}_color.mat",
            suffix,
            images,
            np.reshape(phis, (-1, 3 * NUM_POINTS)),
            np.reshape(boxes, (-1, 4)),
        )
