"""Frames of a video, decoded one by one, and videos written frame by frame; by PyAV. Torch-free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

VIDEO_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg")
USUAL_RATE = Fraction(25)
CODECS = ("libx264", "mpeg4")
"""What a video is written with: the first that PyAV's build has."""


@dataclass(frozen=True)
class Frame:
    """A frame (H, W, 3) uint8 RGB, its number from 0, and when it is shown in seconds (None where the file does not say)."""

    picture: NDArray[np.uint8]
    number: int
    time_s: float | None


def _library() -> Any:
    try:
        import av
    except ImportError:
        raise ValueError("Reading and writing videos needs PyAV: pip install 'hrnet-benchmark[video]'") from None
    return av


def _opened(path: Path) -> Any:
    av = _library()
    if not path.is_file():
        raise ValueError(f"{path}: expected a video there, found {'no file' if path.exists() else 'nothing'}")
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        raise ValueError(f"{path}: expected a video, got a file that cannot be opened as one ({_why(error)})") from None
    if not container.streams.video:
        container.close()
        raise ValueError(f"{path}: expected a video, got a file without pictures (sound alone?)")
    return container


def frames_of(path: Path) -> Iterator[Frame]:
    """The frames of a video, decoded as they are asked for; the file is opened at the call.

    Raises:
        ValueError: PyAV is missing, no such file, no video, or (when asked for) a frame that cannot be decoded.
    """
    return _decoded(path, _opened(path))


def _decoded(path: Path, container: Any) -> Iterator[Frame]:
    av = _library()
    number = 0
    with container:
        frames = container.decode(video=0)
        while True:
            try:
                frame = next(frames)
            except StopIteration:
                break
            except av.error.FFmpegError as error:
                raise ValueError(
                    f"{path}: frame {number} cannot be decoded ({_why(error)}); the file is cut short or damaged"
                ) from None
            yield Frame(frame.to_ndarray(format="rgb24"), number, None if frame.time is None else float(frame.time))
            number += 1
    if number == 0:
        raise ValueError(f"{path}: expected a video with frames, got none")


def rate_of(path: Path) -> Fraction:
    """Frames per second as the file states them; 25 where it states none."""
    with _opened(path) as container:
        rate = container.streams.video[0].average_rate
        return Fraction(rate) if rate else USUAL_RATE


class VideoWriter:
    """Writes frames of one size to a video; a context manager. An unfinished file is removed.

    Args:
        path: of the file, ``.mp4``. rate: frames per second.
    """

    def __init__(self, path: Path, rate: Fraction) -> None:
        self.path, self.rate = path, rate
        self._part = path.with_name(f".{path.name}.part")
        self._container: Any = None
        self._stream: Any = None
        self._size_wh = (0, 0)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._container is None:
            return
        try:
            if kind is None:
                self._container.mux(self._stream.encode())
        finally:
            self._container.close()
            if kind is not None:
                self._part.unlink(missing_ok=True)
        if kind is None:
            self._part.replace(self.path)

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Writes a frame (H, W, 3) uint8 RGB; odd sides lose their last row or column, which the codec cannot have."""
        av = _library()
        height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
        if self._container is None:
            self._open(av, (width, height))
        if (width, height) != self._size_wh:
            raise ValueError(f"{self.path}: expected frames of {self._size_wh}, got {(width, height)}")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
        self._container.mux(self._stream.encode(frame))

    def _open(self, av: Any, size_wh: tuple[int, int]) -> None:
        try:
            self._container = av.open(str(self._part), "w", format="mp4")
        except (av.error.FFmpegError, OSError) as error:
            raise ValueError(f"{self.path}: could not be written ({_why(error)}); name another folder") from None
        codec = next((name for name in CODECS if name in av.codecs_available), CODECS[-1])
        self._stream = self._container.add_stream(codec, rate=self.rate)
        self._stream.width, self._stream.height = self._size_wh = size_wh
        self._stream.pix_fmt = "yuv420p"


def _why(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error)[:120]
