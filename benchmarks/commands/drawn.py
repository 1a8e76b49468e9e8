"""The files that ``predict`` writes: drawn pictures and videos, label maps, and predictions.json. Torch-free."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.store.record import without_nan
from tasks.files.writing import write_bytes
from tasks.predictor.video import VideoWriter, rate_of
from tasks.results.result import Result

OVERLAY = "_overlay"
"""Ends the name of a drawing where the picture's own name is its label map's."""


class DrawnFiles:
    """A folder of predictions.

    Args:
        folder: made where it lacks.

    Raises:
        ValueError: it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._taken: set[str] = set()
        self._plain: dict[str, Any] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(
                f"--out {folder}: expected a folder to write to, got {error.strerror or error}; name another folder."
            ) from error

    def picture(self, image: Path, result: Result) -> list[Path]:
        """Writes what was found in a picture: the drawing, and where there is one the label map.

        Raises:
            ValueError: a file cannot be written, or would take the picture's own place.
        """
        name = self._name(image)
        labels = result.label_png()
        written = {f"{name}{OVERLAY if labels else ''}.png": as_png(result.draw())}
        if labels is not None:
            written[f"{name}.png"] = labels
        for file, content in written.items():
            target = self.folder / file
            if target.resolve() == image.resolve():
                raise ValueError(f"{target}: would overwrite the picture itself; name another folder with --out.")
            _write(target, content)
        self._plain[str(image)] = result.to_plain()
        return [self.folder / file for file in sorted(written)]

    def video(self, image: Path, results: Iterable[Result]) -> list[Path]:
        """Writes a video with what was found drawn on every frame; label maps go into a folder of its name.

        Raises:
            ValueError: as for pictures.
        """
        name = self._name(image)
        target = self.folder / f"{name}.mp4"
        if target.resolve() == image.resolve():
            raise ValueError(f"{target}: would overwrite the video itself; name another folder with --out.")
        frames: list[Any] = []
        with VideoWriter(target, rate_of(image)) as writer:
            for number, result in enumerate(results):
                writer.add(result.draw())
                labels = result.label_png()
                if labels is not None:
                    (self.folder / name).mkdir(exist_ok=True)
                    _write(self.folder / name / f"{number:06d}.png", labels)
                plain = result.to_plain()
                frames += plain if isinstance(plain, list) else [{"frame": number, "time_s": result.time_s, **plain}]
        self._plain[str(image)] = frames
        return [target]

    def finish(self) -> Path:
        """Writes predictions.json: {picture or video: what was found}."""
        path = self.folder / "predictions.json"
        _write(path, (json.dumps(without_nan(self._plain), indent=1) + "\n").encode())
        return path

    def _name(self, image: Path) -> str:
        """The picture's stem, once in this folder."""
        name = image.stem
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name


def as_png(picture: NDArray[np.uint8]) -> bytes:
    """An RGB picture as a PNG file."""
    import cv2

    made, png = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))
    if not made:
        raise ValueError(f"A PNG of shape {picture.shape} could not be made; give a smaller picture.")
    return bytes(png.tobytes())


def _write(path: Path, content: bytes) -> None:
    """Raises ValueError where the disk refuses a file; half of one is not left behind."""
    try:
        write_bytes(path, content)
    except OSError as error:
        raise ValueError(
            f"{path}: could not be written ({error.strerror or error}); make room or name another folder with --out."
        ) from error
