"""Speed and memory of segmentation: scoring beside cityscapesscripts, and evaluation at full size.

python -m benchmarks.speed.bench_segmentation [--maps 500] [--full]
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.segmentation.files.class_tables.cityscapes import CITYSCAPES
from tasks.segmentation.files.classes import IGNORE
from tasks.segmentation.metrics import confusion_matrix, figures_from_confusion

SIZE_HW = (1024, 2048)
DISTINCT = 20


def scene(seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A label map of polygons in layers, 2048x1024 px label ids, and a prediction of it with shifted borders and blobs."""
    rng = np.random.default_rng([7, seed])
    height, width = SIZE_HW
    label = np.full(SIZE_HW, 23, np.uint8)
    cv2.rectangle(label, (0, height // 2), (width, height), 7, -1)
    for _ in range(120):
        value = int(rng.integers(0, 34))
        centre, radius = rng.uniform((0, 0), (width, height)), rng.uniform(10, 160)
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 24))))
        reach = radius * rng.uniform(0.5, 1, len(angles))
        points = np.stack([np.cos(angles) * reach, np.sin(angles) * reach], 1) + centre
        cv2.fillPoly(label, [points.astype(np.int32)], value)
    # Predictions are upsampled from stride 4, with whole regions mistaken.
    small = cv2.resize(
        np.roll(label, int(rng.integers(2, 6)), axis=1), (width // 4, height // 4), interpolation=cv2.INTER_NEAREST
    )
    classes = CITYSCAPES.decode_table()[small]
    wrong = (
        cv2.resize(rng.integers(0, 12, (32, 64)).astype(np.uint8), small.shape[::-1], interpolation=cv2.INTER_NEAREST)
        == 0
    )
    classes[wrong | (classes == IGNORE)] = int(rng.integers(0, 19))
    prediction = cv2.resize(classes.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return label, CITYSCAPES.encode_table()[prediction]


def scoring(count: int = 500) -> dict[str, float]:
    """Times both evaluations over ``count`` pairs of 2048x1024 maps, from memory and from pngs; prints and returns.

    In memory both are given arrays, so that counting is compared with counting; with pngs each reads its files its own way.
    They take turns over 20 distinct pairs; medians over the turns of CPU time are compared, so that other programs count little.

    Raises:
        ValueError: the figures differ.
    """
    from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as judge

    from tasks.segmentation.files.judge import pixel_level_evaluation

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    pairs = [scene(seed) for seed in range(min(count, DISTINCT))]
    turns = -(-count // len(pairs))
    decode = CITYSCAPES.decode_table().astype(np.uint8)
    maps = [(_mapped(a, decode), _mapped(b, decode)) for a, b in pairs]
    print(
        f"Scoring {turns * len(pairs)} pairs of label maps of 2048x1024 ({len(pairs)} distinct), CPU time of one thread"
    )
    opened = judge.Image
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for k, pair in enumerate(pairs):
            files.append([Path(folder) / f"{k}_{kind}.png" for kind in ("gtFine_labelIds", "prediction")])
            for path, values in zip(files[-1], pair, strict=True):
                cv2.imwrite(str(path), values)

        def ours_in_memory() -> NDArray[np.int64]:
            result: NDArray[np.int64] = np.stack(
                [confusion_matrix(label, prediction, 19) for label, prediction in maps]
            ).sum(axis=0)
            return result

        def theirs_in_memory() -> dict[str, Any]:
            try:
                # The judge opens files by name; names that are numbers stand for arrays in memory.
                judge.Image = _InMemory([array for pair in pairs for array in pair])
                names = [(Path(str(2 * k)), Path(str(2 * k + 1))) for k in range(len(pairs))]
                return pixel_level_evaluation([p for _, p in names], [t for t, _ in names])
            finally:
                judge.Image = opened

        def ours_from_files() -> NDArray[np.int64]:
            read = ((_mapped(_read(a), decode), _mapped(_read(b), decode)) for a, b in files)
            result: NDArray[np.int64] = np.stack(
                [confusion_matrix(label, prediction, 19) for label, prediction in read]
            ).sum(axis=0)
            return result

        def theirs_from_files() -> dict[str, Any]:
            return pixel_level_evaluation([p for _, p in files], [t for t, _ in files])

        made: dict[str, float] = {}
        for what, ours, theirs, rounds in (
            ("counting alone (maps in memory)", ours_in_memory, theirs_in_memory, turns),
            ("with reading both pngs", ours_from_files, theirs_from_files, min(turns, 5)),
        ):
            seconds: list[tuple[float, float]] = []
            for _ in range(rounds):
                ours_s, matrix = _timed(ours)
                theirs_s, verdict = _timed(theirs)
                figures = _compare(matrix, verdict)
                seconds.append((ours_s, theirs_s))
            ours_ms, theirs_ms = (1000 * float(np.median(column)) / len(pairs) for column in zip(*seconds))
            total_s = sum(ours_s for ours_s, _ in seconds)
            ratios = [theirs_s / ours_s for ours_s, theirs_s in seconds]
            spread = f"{min(ratios):.1f} to {max(ratios):.1f}"
            print(
                f"  {what}: ours {ours_ms:.2f} ms a map, cityscapesscripts {theirs_ms:.2f} ms a map, "
                f"{theirs_ms / ours_ms:.1f}x ({spread}; {rounds * len(pairs)} pairs, ours {total_s:.1f} s)"
            )
            made["counting_ratio" if ours is ours_in_memory else "files_ratio"] = theirs_ms / ours_ms
    cv2.setNumThreads(threads)
    print(f"  same figures: every count of the matrix equal, mIoU {figures['mIoU/present']:.4f} % both")
    return {**made, "mIoU": figures["mIoU/present"]}


def _read(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8)


def _mapped(values: NDArray[np.uint8], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.LUT(values, table), np.uint8)


class _InMemory:
    """Stands for PIL's Image module where the judge opens a file."""

    def __init__(self, arrays: list[NDArray[np.uint8]]) -> None:
        self.arrays = arrays

    def open(self, name: str) -> Any:
        array = self.arrays[int(name)]

        class Picture:
            size = array.shape[::-1]

            def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[np.uint8]:
                return array

        return Picture()


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this process (all its threads), and the result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def _compare(matrix: NDArray[np.int64], verdict: dict[str, Any]) -> dict[str, float]:
    ids = list(CITYSCAPES.file_ids)
    theirs = np.asarray(verdict["confMatrix"], dtype=np.int64)[np.ix_(ids, ids)]
    figures = figures_from_confusion(matrix, CITYSCAPES.names)
    same = (theirs == matrix).all() and abs(figures["mIoU/present"] - 100 * verdict["averageScoreClasses"]) < 1e-9
    if not same:
        raise ValueError("Expected cityscapesscripts' matrix and mIoU, got others: the metric is wrong.")
    return figures


def full_size(model: str = "hrnet_w48") -> dict[str, float]:
    """One 1024x2048 picture through a network and to its label map on the CPU; prints seconds and the process's peak memory."""
    import torch

    from tasks import build_model, get_task
    from tasks.segmentation.inference import label_maps

    task = get_task("segmentation")
    network = build_model("segmentation", model, "cityscapes").eval().to(memory_format=torch.channels_last)
    protocol = task.protocol("cityscapes", model=model)
    images = torch.randn(1, 3, *SIZE_HW).contiguous(memory_format=torch.channels_last)
    before = _peak_gib()
    whole_s, _ = _timed(lambda: label_maps(network, images, [SIZE_HW], protocol, CITYSCAPES.mirror()))
    with torch.inference_mode():
        logits = network(images)
    found_s, _ = _timed(lambda: label_maps(_given(logits), images, [SIZE_HW], protocol, CITYSCAPES.mirror()))
    peak = _peak_gib()
    print(
        f"{model} at 1024x2048, batch 1, {torch.get_num_threads()} thread(s): {whole_s:.1f} CPU s, of which logits to label map "
        f"{1000 * found_s:.0f} ms; peak memory of the process {peak:.2f} GiB ({before:.2f} GiB before)"
    )
    return {"seconds": whole_s, "peak_gib": peak, "labels_s": found_s}


def _peak_gib() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 2**30 if sys.platform == "darwin" else used / 2**20


def _given(logits: Any) -> Any:
    """A network that has already answered."""
    import torch

    class Given(torch.nn.Module):
        def forward(self, images: Any) -> Any:
            return logits

    return Given().eval()


def measure() -> None:
    """The comparison of scoring over as many maps as fit into a minute."""
    scoring(100)


def main(arguments: list[str] | None = None) -> None:
    """Prints the scoring comparison; with ``--full`` the memory of W48 at full size too."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--maps", type=int, default=500)
    parser.add_argument(
        "--full", action="store_true", help="also evaluate W48 at 1024x2048 (half a minute on two cores)"
    )
    chosen = parser.parse_args(arguments)
    print(f"{os.cpu_count()} cores")
    scoring(chosen.maps)
    if chosen.full:
        full_size()


if __name__ == "__main__":
    main()
