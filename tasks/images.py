"""Reading pictures safely and the constants that normalise them.

Pictures are (H, W, 3) uint8 arrays. EXIF orientation is ignored, as the reference loaders do: annotations refer to the
stored pixels; `tasks.files.survey` says where it asks for a turn. What 8 bits cannot show without a guess (12 bits in a
16-bit file, transparency) is refused.
"""

from __future__ import annotations

import io
import os
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from tasks.files.names import as_posix, leaves_root
from tasks.files.opening import read_bytes
from tasks.files.picture_header import PictureHeader, check_plausible, parse_header

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
COLOUR_ORDERS = ("rgb", "bgr")
ADVICE = "fetch the file again from the dataset's source"

_JPEG_SCAN, _JPEG_END = b"\xff\xda", b"\xff\xd9"


def inside(root: str | os.PathLike[str], relative: str | os.PathLike[str]) -> Path:
    """The path of a file below `root`, whatever an annotation file says.

    The check is on the names alone: links that the owner of the data made below the root are followed.

    Raises:
        ValueError: `relative` is absolute, or its `..` leave the root.
    """
    name = os.fspath(relative)
    if leaves_root(name):
        raise ValueError(
            f"Expected a picture path inside the data root {os.fspath(root)} but got {name[:200]!r}; "
            "correct the file name in the annotation file"
        )
    return Path(root) / os.path.normpath(as_posix(name))


def read_image(
    root: str | os.PathLike[str],
    relative: str | os.PathLike[str],
    order: str = "rgb",
    size_wh: tuple[int, int] | None = None,
) -> NDArray[np.uint8]:
    """Read a picture below the data root as (H, W, 3) uint8: grey, palette, CMYK, opaque RGBA, full 16 bits.

    Args:
        root: the data root. relative: the picture's path below it.
        order: "rgb" or "bgr".
        size_wh: width and height that the annotations state; None checks nothing.

    Raises:
        ValueError: the path leaves the root, the file is missing, is no picture, is cut short, has transparent parts, less than
            16 bits in a 16-bit file, or another size. The text names the file and what to do.
    """
    path = inside(root, relative)
    folder = path.parent
    hint = (
        "the folder exists, so the picture is missing from it: complete the download"
        if folder.is_dir()
        else f"the folder {folder} is missing too: check --data-root and the dataset's layout"
    )
    data = read_bytes(path, "a picture", hint)
    picture = decode_image(data, path, order)
    if size_wh is not None:
        problem = size_problem((picture.shape[1], picture.shape[0]), size_wh, parse_header(data, path).orientation)
        if problem:
            raise ValueError(f"{path}: {problem}")
    return picture


def size_problem(found_wh: tuple[int, int], stated_wh: tuple[int, int], orientation: int = 1) -> str | None:
    """What is wrong where a picture has another size than its annotations state; None where it has not."""
    if found_wh == stated_wh:
        return None
    text = (
        f"expected a picture of the size that the annotation file states, {stated_wh[0]}x{stated_wh[1]} (width x height), "
        f"got {found_wh[0]}x{found_wh[1]}"
    )
    if found_wh == stated_wh[::-1]:
        cause = f"its EXIF orientation is {orientation}" if orientation > 4 else "the sides are exchanged"
        return f"{text}; {cause}: annotate the stored pixels, or store the picture turned and without orientation"
    return (
        f"{text}; the picture was resized, or it belongs to other annotations: put back the picture that was annotated"
    )


def decode_image(data: bytes, path: str | os.PathLike[str], order: str = "rgb") -> NDArray[np.uint8]:
    """Decode a picture's bytes as (H, W, 3) uint8; `path` only serves the error text.

    Raises:
        ValueError: no picture, one cut short, one that 8 opaque bits cannot show, or an unknown order.
    """
    if order not in COLOUR_ORDERS:
        raise ValueError(f"Expected a colour order of {list(COLOUR_ORDERS)} but got {order!r}")
    header = parse_header(data, path)
    check_plausible(header, len(data), path)
    if header.kind == "jpeg" and data.rfind(_JPEG_END) <= data.rfind(_JPEG_SCAN):
        # OpenCV fills the rest of a truncated jpeg with grey and only warns.
        reason = _reason_incomplete(data)
        if reason is not None:
            raise ValueError(
                f"Expected a whole jpeg but {path} is cut short after {len(data)} bytes ({reason}); {ADVICE}"
            )
    check_form(header, path)
    if header.alpha:
        _check_opaque(data, path)
    picture = _decoded(data, path)
    if header.kind == "png" and b"IEND" not in data[-64:]:
        raise ValueError(f"Expected a whole png but {path} is cut short after {len(data)} bytes; {ADVICE}")
    if header.bits == 16 and picture.max() < 128:
        # OpenCV keeps the upper 8 of 16 bits: of 12-bit values almost nothing would be left.
        raise ValueError(
            f"Expected a picture that uses its 16 bits but the values of {path} end below {256 * (int(picture.max()) + 1)} of "
            "65536 (12 bits in a 16-bit file?), so their white is unknown; convert it to 8 bits"
        )
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8) if order == "rgb" else picture


def _decoded(data: bytes, path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ValueError(f"Expected a picture but {path} cannot be decoded ({error.err}); {ADVICE}") from error
    if image is None:
        raise ValueError(f"Expected a picture but {path} ({len(data)} bytes) cannot be decoded; {ADVICE}")
    return np.asarray(image, dtype=np.uint8)


def check_form(header: PictureHeader, path: str | os.PathLike[str]) -> None:
    """Raises ValueError where a header alone tells that the picture cannot be shown in 8 bits without a guess."""
    if header.bits == 32 or (header.kind == "jpeg" and header.bits != 8):
        raise ValueError(
            f"Expected a picture of 8 or 16 bits but {path} has {header.bits} per channel; convert it to 8 bits"
        )
    if header.kind == "jpeg" and header.channels == 4 and not header.adobe:
        raise ValueError(
            f"Expected a jpeg of four inks with Adobe's mark but {path} has none: 255 may be full ink or none; convert it to RGB"
        )


def _check_opaque(data: bytes, path: str | os.PathLike[str]) -> None:
    """Raises ValueError where a picture has transparent parts: what colour they have is a matter of the background."""
    with _pillow(data, path) as picture:
        least = picture.convert("RGBA").getchannel("A").getextrema()[0]
    if least < 255:  # type: ignore[operator]
        raise ValueError(
            f"Expected an opaque picture but {path} has transparent parts, whose colours depend on the background; flatten it"
        )


@contextmanager
def _pillow(data: bytes, path: str | os.PathLike[str]) -> Iterator[Image.Image]:
    """A picture opened by Pillow, whose errors become ValueErrors that name the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as picture:
                yield picture
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"Expected a picture but {path} cannot be decoded ({str(error)[:80]}); {ADVICE}") from None


def _reason_incomplete(data: bytes) -> str | None:
    """Why PIL, which is strict, cannot decode every row of a jpeg; None where it can."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as picture:
                picture.load()
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        return str(error)
    return None


def normalise(
    image: ArrayLike, mean: tuple[float, float, float] = IMAGENET_MEAN, std: tuple[float, float, float] = IMAGENET_STD
) -> NDArray[np.float32]:
    """(..., H, W, 3) uint8 -> (..., 3, H, W) float32: /255, minus mean, over std, per channel.

    The three steps are separate float32 operations, as torchvision's, so that the bits agree; a byte has 256 values, so they
    are looked up.
    """
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8:
        return np.ascontiguousarray(np.moveaxis(_normalised(pixels, mean, std), -1, -3))
    return look_up(pixels, byte_values(tuple(mean), tuple(std)))


def _normalised(
    values: NDArray[Any], mean: tuple[float, float, float], std: tuple[float, float, float]
) -> NDArray[np.float32]:
    scaled = np.asarray(values, dtype=np.float32) / np.float32(255)
    scaled -= np.asarray(mean, dtype=np.float32)
    scaled /= np.asarray(std, dtype=np.float32)
    return scaled


@lru_cache(maxsize=16)
def byte_values(
    mean: tuple[float, float, float] = IMAGENET_MEAN, std: tuple[float, float, float] = IMAGENET_STD
) -> NDArray[np.float32]:
    """(3, 256): what `normalise` makes of each byte, per channel."""
    every = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    return np.ascontiguousarray(_normalised(every, mean, std).T)


def look_up(image: NDArray[np.uint8], table: NDArray[np.float32]) -> NDArray[np.float32]:
    """(..., H, W, 3) uint8 -> (..., 3, H, W) float32: each channel's value at its row of ``table`` (3, 256)."""
    made = np.empty((*image.shape[:-3], 3, *image.shape[-3:-1]), np.float32)
    if made.size:
        for where in np.ndindex(*image.shape[:-3]):
            for channel, plane in enumerate(cv2.split(image[where])):
                cv2.LUT(plane, table[channel][None], made[where][channel])
    return made


PASSING_MIB = 16
"""What is kept of a set that is too large to keep: the persons of a picture come one after the other in an evaluation."""


class PictureCache:
    """Keeps the pictures read last, up to a number of bytes: several persons share one, and small sets are read every epoch.

    Args:
        root: the data root. order: "rgb" or "bgr". limit_mib: how much to keep; one picture is always kept.
        sizes_wh: the size that annotations state of a picture, by its path; checked when it is read. Where all of them together
            are larger than the limit, few would be met again, and only the last pictures are kept (`PASSING_MIB`).
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        order: str = "rgb",
        limit_mib: int = 512,
        sizes_wh: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        self.root, self.order, self.limit = root, order, limit_mib * 2**20
        self.sizes_wh = sizes_wh or {}
        if 3 * sum(width * height for width, height in self.sizes_wh.values()) > self.limit:
            self.limit = min(self.limit, PASSING_MIB * 2**20)
        self._kept: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()
        self._bytes = 0

    def __getitem__(self, relative: str) -> NDArray[np.uint8]:
        """`read_image` of a path below the root; the array is shared, so it must not be written to."""
        if relative in self._kept:
            self._kept.move_to_end(relative)
            return self._kept[relative]
        picture = read_image(self.root, relative, self.order, self.sizes_wh.get(relative))
        picture.setflags(write=False)
        self._kept[relative] = picture
        self._bytes += picture.nbytes
        while self._bytes > self.limit and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return picture
