"""Reading pictures safely and the constants that normalise them. Torch-free.

Pictures are (H, W, 3) uint8 arrays. EXIF orientation is ignored, as the reference loaders do: annotations refer to the
stored pixels.
"""

from __future__ import annotations

import io
import os
import warnings
from collections import OrderedDict
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
COLOUR_ORDERS = ("rgb", "bgr")

_JPEG_START, _JPEG_SCAN, _JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"


def inside(root: str | os.PathLike[str], relative: str | os.PathLike[str]) -> Path:
    """The path of a file below `root`, whatever an annotation file says.

    The check is on the names alone: links that the owner of the data made below the root are followed.

    Raises:
        ValueError: `relative` is absolute, or its `..` leave the root.
    """
    name = os.fspath(relative).replace("\\", "/")
    normal = os.path.normpath(name)
    if not name or "\0" in name or Path(name).is_absolute() or normal == ".." or normal.startswith("../"):
        raise ValueError(
            f"Expected a picture path inside the data root {os.fspath(root)} but got {name!r}; "
            "correct the file name in the annotation file"
        )
    return Path(root) / normal


def read_image(root: str | os.PathLike[str], relative: str | os.PathLike[str], order: str = "rgb") -> NDArray[np.uint8]:
    """Read a picture below the data root as (H, W, 3) uint8, whatever its kind (grey, palette, RGBA, 16 bit).

    Args:
        root: the data root. relative: the picture's path below it.
        order: "rgb" or "bgr".

    Raises:
        ValueError: the path leaves the root, the file is missing, is no picture, or is cut short. The text names the
        file
            and what to do.
    """
    path = inside(root, relative)
    return decode_image(_read_bytes(path), path, order)


def decode_image(data: bytes, path: str | os.PathLike[str], order: str = "rgb") -> NDArray[np.uint8]:
    """Decode a picture's bytes as (H, W, 3) uint8; `path` only serves the error text.

    Raises:
        ValueError: no picture, or one cut short, or an unknown order.
    """
    if order not in COLOUR_ORDERS:
        raise ValueError(f"Expected a colour order of {list(COLOUR_ORDERS)} but got {order!r}")
    advice = "fetch the file again from the dataset's source"
    if not data:
        raise ValueError(f"Expected a picture but {path} is empty; {advice}")
    if data.startswith(_JPEG_START) and data.rfind(_JPEG_END) <= data.rfind(_JPEG_SCAN):
        # OpenCV fills the rest of a truncated jpeg with grey and only warns.
        reason = _reason_incomplete(data)
        if reason is not None:
            raise ValueError(
                f"Expected a whole jpeg but {path} is cut short after {len(data)} bytes ({reason}); {advice}"
            )
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ValueError(f"Expected a picture but {path} cannot be decoded ({error.err}); {advice}") from error
    if image is None:
        raise ValueError(f"Expected a picture but {path} ({len(data)} bytes) cannot be decoded; {advice}")
    if data.startswith(b"\x89PNG") and b"IEND" not in data[-64:]:
        raise ValueError(f"Expected a whole png but {path} is cut short after {len(data)} bytes; {advice}")
    picture = np.asarray(image, dtype=np.uint8)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8) if order == "rgb" else picture


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        folder = path.parent
        hint = (
            "the folder exists, so the picture is missing from it: complete the download"
            if folder.is_dir()
            else f"the folder {folder} is missing too: check --data-root and the dataset's layout"
        )
        raise ValueError(f"Expected the picture {path} but there is no such file; {hint}") from None
    except OSError as error:
        raise ValueError(f"Expected a readable picture at {path} but got: {error.strerror}; check the file") from error


def _reason_incomplete(data: bytes) -> str | None:
    """Why PIL, which is strict, cannot decode every row of a jpeg; None where it can."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as picture:
                picture.load()
    except (OSError, SyntaxError) as error:
        return str(error)
    return None


def normalise(
    image: ArrayLike, mean: tuple[float, float, float] = IMAGENET_MEAN, std: tuple[float, float, float] = IMAGENET_STD
) -> NDArray[np.float32]:
    """(..., H, W, 3) uint8 -> (..., 3, H, W) float32: /255, minus mean, over std, per channel.

    The three steps are separate float32 operations, as torchvision's, so that the bits agree.
    """
    scaled = np.asarray(image, dtype=np.float32) / np.float32(255)
    scaled -= np.asarray(mean, dtype=np.float32)
    scaled /= np.asarray(std, dtype=np.float32)
    return np.ascontiguousarray(np.moveaxis(scaled, -1, -3))


class PictureCache:
    """Keeps the pictures read last, up to a number of bytes: several persons share one, and small sets are read every epoch.

    Args:
        root: the data root. order: "rgb" or "bgr". limit_mib: how much to keep; one picture is always kept.
    """

    def __init__(self, root: str | os.PathLike[str], order: str = "rgb", limit_mib: int = 512) -> None:
        self.root, self.order, self.limit = root, order, limit_mib * 2**20
        self._kept: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()
        self._bytes = 0

    def __getitem__(self, relative: str) -> NDArray[np.uint8]:
        """`read_image` of a path below the root; the array is shared, so it must not be written to."""
        if relative in self._kept:
            self._kept.move_to_end(relative)
            return self._kept[relative]
        picture = read_image(self.root, relative, self.order)
        picture.setflags(write=False)
        self._kept[relative] = picture
        self._bytes += picture.nbytes
        while self._bytes > self.limit and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return picture
