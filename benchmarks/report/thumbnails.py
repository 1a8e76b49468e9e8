"""Small copies of pictures beside the page; the originals stay where the cell's result is, and are linked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SIDE_PX = 240
"""Longest side of a small copy."""
QUALITY = 78
FOLDER = "thumbnails"


def make(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Writes a small copy (second of each pair) of every picture that has none or a newer original; in parallel.

    What cannot be read as a picture gets none.
    """
    due = [(source, target) for source, target in pairs if _due(source, target)]
    if not due:
        return
    for folder in {target.parent for _, target in due}:
        folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        list(pool.map(_shrink, due))


def prune(out: Path, keep: Iterable[str]) -> None:
    """Removes the small copies of cells that no page shows any more."""
    import shutil

    root, kept = out / FOLDER, set(keep)
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.is_dir() and not folder.is_symlink() and folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _due(source: Path, target: Path) -> bool:
    """A copy carries its original's time."""
    try:
        return target.stat().st_mtime_ns != source.stat().st_mtime_ns
    except FileNotFoundError:
        return True


def _shrink(pair: tuple[Path, Path]) -> None:
    import cv2

    source, target = pair
    picture = cv2.imread(str(source), cv2.IMREAD_COLOR)
    if picture is None:
        target.unlink(missing_ok=True)
        return
    height, width = picture.shape[:2]
    scale = min(1.0, SIDE_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if scale < 1 else picture
    done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done
    target.unlink(missing_ok=True)  # a link is not followed
    target.write_bytes(data.tobytes())
    times = source.stat()
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
