"""Data: pictures to the network's input beside the usual steps, with equal results, in one thread.

python -m benchmarks.speed.bench data
"""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.detection.geometry import keep_ratio, normalised, resize
from tasks.detection.protocol import DetectionProtocol
from tasks.images import IMAGENET_MEAN, IMAGENET_STD, normalise

Picture = NDArray[np.uint8]
ROUNDS, MIN_S = 7, 0.1


def measure() -> None:
    """Prints a row per step: milliseconds of both, the ratio of medians, and the lowest and highest ratio of a round."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        print("data: milliseconds a picture, one thread; ratio above 1: ours is faster (range over rounds)")
        for name, ours, other, same in rows():
            assert same
            print(side_by_side(name, ours, other))
    finally:
        cv2.setNumThreads(threads)


def rows() -> list[tuple[str, Callable[[], object], Callable[[], object], bool]]:
    """Name, ours, the other way, and whether both gave the same."""
    rng = np.random.default_rng(0)
    made: list[tuple[str, Callable[[], object], Callable[[], object], bool]] = []
    for height, width in ((256, 192), (512, 1024), (1024, 2048)):
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        same = bool((normalise(picture) == torchvision_steps(picture)).all())
        ours, other = (lambda p=picture: normalise(p)), (lambda p=picture: torchvision_steps(p))
        made.append((f"normalise {width}x{height} beside /255, -mean, /std", ours, other, same))
    photo, protocol = rng.integers(0, 256, (480, 640, 3), dtype=np.uint8), DetectionProtocol()
    near = bool(np.allclose(detection_input(photo, protocol), mmdet_steps(photo), atol=1e-4))
    made.append(
        ("detection 640x480 to 1067x800 beside mmdet's steps", lambda: detection_input(photo, protocol),
         lambda: mmdet_steps(photo), near)
    )  # fmt: skip
    return made


def detection_input(picture: Picture, protocol: DetectionProtocol) -> NDArray[np.float32]:
    """Resized and normalised as our loaders do."""
    return normalised(resize(picture, keep_ratio(picture.shape[:2], protocol.short_px, protocol.long_px)[1]), protocol)


def torchvision_steps(picture: Picture) -> NDArray[np.float32]:
    """The three float32 steps that the table stands for."""
    scaled = picture.astype(np.float32) / np.float32(255)
    scaled -= np.asarray(IMAGENET_MEAN, np.float32)
    scaled /= np.asarray(IMAGENET_STD, np.float32)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def mmdet_steps(picture: Picture) -> NDArray[np.float32]:
    """What mmdet 2.x's Resize, Normalize and DefaultFormatBundle do, in OpenCV."""
    scale = min(800 / min(picture.shape[:2]), 1333 / max(picture.shape[:2]))
    size_wh = (int(picture.shape[1] * scale + 0.5), int(picture.shape[0] * scale + 0.5))
    made = cv2.resize(picture, size_wh, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    cv2.subtract(made, np.float64(np.array(IMAGENET_MEAN) * 255).reshape(1, -1), made)
    cv2.multiply(made, 1 / np.float64(np.array(IMAGENET_STD) * 255).reshape(1, -1), made)
    return np.ascontiguousarray(made.transpose(2, 0, 1))


def side_by_side(name: str, ours: Callable[[], object], other: Callable[[], object]) -> str:
    """A row: both in turn, `ROUNDS` times."""
    times = np.array([[_seconds(ours), _seconds(other)] for _ in range(ROUNDS)])
    mine, its = np.median(times, axis=0) * 1e3
    ratios = times[:, 1] / times[:, 0]
    return f"  {name:52} {mine:8.3f} {its:8.3f}   {its / mine:5.2f}x ({ratios.min():.2f} to {ratios.max():.2f})"


def _seconds(call: Callable[[], object]) -> float:
    """CPU seconds of one call, averaged over about `MIN_S`."""
    begin, count = time.process_time(), 0
    while count < 2 or time.process_time() - begin < MIN_S:
        call()
        count += 1
    return (time.process_time() - begin) / count
