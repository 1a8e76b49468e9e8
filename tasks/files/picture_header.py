"""What the first bytes of a picture tell: size, bits, channels, transparency, EXIF orientation.

JPEG and PNG, which datasets are made of, are read here; other formats by Pillow.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from tasks.files.opening import read_bytes

MANY_PIXELS, PIXELS_PER_BYTE = 2**26, 4000
"""A larger picture of fewer bytes per pixel is a damaged header: decoding it would take minutes and the whole memory."""

FIRST_BYTES = 2**14
"""Enough of most files; the whole of a file is read where its header is longer (colour profiles, thumbnails)."""

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = {0x01, *range(0xD0, 0xD8)}
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class PictureHeader:
    """What a picture's header says.

    Attributes:
        kind: "jpeg", "png", or Pillow's name of the format in small letters.
        size_wh: of the stored pixels, before any turn that EXIF asks for.
        bits: per channel. channels: stored ones; a palette counts as one.
        palette: whether pixels are numbers of a table of colours.
        alpha: whether there is a transparency channel, or a colour that stands for transparency.
        orientation: EXIF's, 1 (upright) where it says nothing.
        adobe: whether a jpeg carries Adobe's mark, which tells what the numbers of four inks mean.
    """

    kind: str
    size_wh: tuple[int, int]
    bits: int
    channels: int
    palette: bool = False
    alpha: bool = False
    orientation: int = 1
    adobe: bool = False


def read_header(path: str | os.PathLike[str]) -> PictureHeader:
    """The header of a picture file.

    Raises:
        ValueError: no such file, no regular file, or no picture; the text names the file.
    """
    data = read_bytes(path, "a picture", "complete the download", first=FIRST_BYTES)
    try:
        return parse_header(data, path)
    except ValueError:
        if len(data) < FIRST_BYTES:
            raise
    return parse_header(read_bytes(path, "a picture"), path)


def parse_header(data: bytes, path: str | os.PathLike[str]) -> PictureHeader:
    """The header of a picture's bytes; `path` only serves the error text.

    Raises:
        ValueError: empty, no picture, or cut short within the header.
    """
    if not data:
        raise ValueError(f"Expected a picture but {path} is empty; fetch the file again")
    try:
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        if data.startswith(_PNG_START):
            return _png(data)
        return _by_pillow(data)
    except (struct.error, IndexError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = "it is cut short" if isinstance(error, struct.error | IndexError) else str(error)
        reason = "it is of no known format" if isinstance(error, UnidentifiedImageError) else reason
        raise ValueError(
            f"Expected a picture but {path} cannot be decoded ({reason[:80]}); fetch the file again"
        ) from None


def check_plausible(header: PictureHeader, num_bytes: int, path: str | os.PathLike[str]) -> None:
    """Raises ValueError where a header states more pixels than the file's bytes can hold."""
    width, height = header.size_wh
    if width * height > max(MANY_PIXELS, PIXELS_PER_BYTE * num_bytes):
        raise ValueError(
            f"Expected a picture but {path} states {width}x{height} pixels in {num_bytes} bytes, so it is damaged; "
            "fetch the file again"
        )


def _jpeg(data: bytes) -> PictureHeader:
    """Walks the segments up to the frame header."""
    place, orientation, adobe = 2, 1, False
    while True:
        if data[place] != 0xFF:
            raise ValueError("its jpeg segments are damaged")
        code = data[place + 1]
        if code == 0xFF:  # a fill byte
            place += 1
            continue
        place += 2
        if code in _JPEG_BARE:
            continue
        if code in (0xD9, 0xDA):
            raise ValueError("a jpeg without a frame header")
        (length,) = struct.unpack_from(">H", data, place)
        if code == 0xE1 and data[place + 2 : place + 8] == b"Exif\0\0":
            orientation = exif_orientation(data[place + 8 : place + length])
        adobe |= code == 0xEE and data[place + 2 : place + 7] == b"Adobe"
        if code in _JPEG_FRAMES:
            bits, height, width, channels = struct.unpack_from(">BHHB", data, place + 2)
            return PictureHeader("jpeg", (width, height), bits, channels, orientation=orientation, adobe=adobe)
        place += max(length, 2)


def _png(data: bytes) -> PictureHeader:
    """Walks the chunks up to the pixels."""
    if data[12:16] != b"IHDR":
        raise ValueError("a png without its header")
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    if colour not in _PNG_CHANNELS:
        raise ValueError(f"a png of unknown colour type {colour}")
    place, alpha, orientation = 8, colour in (4, 6), 1
    while True:
        length, name = struct.unpack_from(">I4s", data, place)
        if name in (b"IDAT", b"IEND"):
            break
        alpha |= name == b"tRNS"
        if name == b"eXIf":
            orientation = exif_orientation(data[place + 8 : place + 8 + length])
        place += 12 + length
    return PictureHeader("png", (width, height), bits, _PNG_CHANNELS[colour], colour == 3, alpha, orientation)


def exif_orientation(data: bytes) -> int:
    """The orientation (1 to 8) in an EXIF block, which begins with TIFF's header; 1 where it has none or is damaged."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return 1
    try:
        (place,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, place)
        for row in range(count):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", data, place + 2 + 12 * row)
            if tag == _ORIENTATION:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1


def _by_pillow(data: bytes) -> PictureHeader:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data)) as picture:
            mode = picture.mode
            bits = 16 if mode.startswith("I;16") else 32 if mode in ("I", "F") else 1 if mode == "1" else 8
            return PictureHeader(
                kind=str(picture.format).lower(),
                size_wh=picture.size,
                bits=bits,
                channels=len(picture.getbands()),
                palette=mode in ("P", "PA"),
                alpha=mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info,
                orientation=int(picture.getexif().get(_ORIENTATION, 1) or 1),
            )
