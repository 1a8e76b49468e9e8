"""The pictures of faces, from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.images import PictureCache
from tasks.landmarks.files.faces import Faces


class FilePictures:
    """Pictures by face index from files, kept once read; an error names the face's record. Can be sent to loader processes."""

    def __init__(self, faces: Faces, folder: Path, limit_mib: int) -> None:
        self.faces, self.cache = faces, PictureCache(folder, "rgb", limit_mib)

    def __call__(self, index: int) -> NDArray[np.uint8]:
        try:
            return self.cache[self.faces.images[index]]
        except ValueError as error:
            raise ValueError(f"{self.faces.where(index)}: {error}") from error
