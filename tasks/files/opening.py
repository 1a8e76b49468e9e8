"""Bytes and text of files from outside: regular files alone, whatever their text encoding."""

from __future__ import annotations

import codecs
import os
import stat
import zlib
from pathlib import Path

LIMIT_GIB = 8
"""Larger annotation files are refused: none of the benchmarks' reaches a tenth of it."""

GZIP = b"\x1f\x8b"
"""How a compressed file begins."""
_MARKS = (
    # UTF-32 first: its little-endian mark begins with UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


def read_bytes(
    path: str | os.PathLike[str], what: str, advice: str = "", limit_gib: float = LIMIT_GIB, first: int = -1
) -> bytes:
    """The content of a regular file, or its `first` bytes.

    Args:
        what: what it should hold, with its article if any ("COCO keypoint annotations"). advice: what to do where it is missing.
        limit_gib: a larger file is refused unread.

    Raises:
        ValueError: no such file, a folder, a pipe or a device (which might never end), not readable, or too large.
    """
    path = Path(path)
    try:
        # Without waiting for a pipe's other end.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"Expected {what} at {path} but there is no such file; {advice or 'check the name'}") from None
    except OSError as error:
        raise ValueError(f"Expected {what} at {path} but it cannot be opened ({error.strerror}); check it") from None
    except ValueError:
        raise ValueError(f"Expected {what} at {str(path)!r} but no file has such a name; check the name") from None
    try:
        return _content(handle, path, what, limit_gib, first)
    finally:
        os.close(handle)


def _content(handle: int, path: Path, what: str, limit_gib: float, first: int) -> bytes:
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
        raise ValueError(f"Expected {what} at {path} but it is {kind}; name a regular file")
    if found.st_size > limit_gib * 2**30:
        size = f"{found.st_size / 2**30:.1f} GiB"
        raise ValueError(f"Expected {what} at {path} of at most {limit_gib:g} GiB but it has {size}; split the file")
    try:
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(first)
    except (OSError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or "it does not fit into memory"
        raise ValueError(f"Expected {what} at {path} but it cannot be read ({reason}); check the file") from None


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether a regular file is there; no, too, for names that no file system takes."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def as_utf8(data: bytes, path: str | os.PathLike[str]) -> bytes:
    """UTF-8 text without a byte order mark, from UTF-8, UTF-16 or UTF-32, also where gzip has compressed it; UTF-8 itself is not
    checked here.

    Args:
        path: for the error text.

    Raises:
        ValueError: the text is not what its byte order mark says, or gzip's file is broken.
    """
    if data.startswith(GZIP):
        data = _unpacked(data, path)
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None) or _unmarked(data[:4])
    if encoding is None:
        return data
    if encoding == "utf-8-sig":
        return data[len(codecs.BOM_UTF8) :]
    try:
        return data.decode(encoding).encode("utf-8")
    except UnicodeError as error:
        place = getattr(error, "start", 0)
        raise ValueError(
            f"{path}: expected {encoding.upper()} text, got other bytes at {place}; save it as UTF-8"
        ) from None


def _unpacked(data: bytes, path: str | os.PathLike[str], limit_gib: float = LIMIT_GIB) -> bytes:
    """What gzip has compressed, in one part or several."""
    texts, left = [], int(limit_gib * 2**30)
    while data:
        part = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            texts.append(part.decompress(data, left + 1))
        except zlib.error as error:
            raise ValueError(
                f"{path}: expected text that gzip has compressed, got a broken file ({error}); fetch or write it again"
            ) from None
        left -= len(texts[-1])
        if left < 0:
            raise ValueError(
                f"{path}: expected at most {limit_gib:g} GiB once it is unpacked, got more; split the file"
            )
        if not part.eof:
            raise ValueError(
                f"{path}: expected text that gzip has compressed, got a file cut short; fetch or write it again"
            )
        data = part.unused_data
    return texts[0] if len(texts) == 1 else b"".join(texts)


def compressed_or_plain(path: Path) -> Path:
    """`path`, or where there is none its compressed form, whose name ends with .gz; `path` where there is neither."""
    packed = path.with_name(f"{path.name}.gz")
    return packed if not path.exists() and packed.exists() else path


def _unmarked(start: bytes) -> str | None:
    """UTF-16 without a mark: text that begins with a character of ASCII has every other byte 0."""
    if len(start) >= 2 and start[0] and not start[1]:
        return "utf-16-le" if start[2:4] != b"\0\0" else "utf-32-le"
    if len(start) >= 2 and not start[0] and start[1]:
        return "utf-16-be"
    return None


def read_text(path: str | os.PathLike[str], what: str, advice: str = "", limit_gib: float = LIMIT_GIB) -> str:
    """The text of a regular file in UTF-8 (with or without a mark), UTF-16 or UTF-32.

    Raises:
        ValueError: as `read_bytes`, or text in another encoding; the text names the line.
    """
    data = as_utf8(read_bytes(path, what, advice, limit_gib), path)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}, line {line}: expected UTF-8 text, got the byte 0x{data[error.start]:02x} (Latin-1, or no text at all); "
            "save it as UTF-8"
        ) from None
