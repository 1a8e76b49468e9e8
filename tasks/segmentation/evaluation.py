"""Collects label maps of one evaluation: confusion matrices, submission pngs, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.base import Evaluation, Stats
from tasks.files.archive import write_zip
from tasks.segmentation.datasets import SegmentationEvalData
from tasks.segmentation.drawing import overlay
from tasks.segmentation.files.classes import IGNORE
from tasks.segmentation.metrics import confusion_and_others, from_pairs, image_scores, stats_of
from tasks.segmentation.protocol import SegmentationProtocol
from tasks.segmentation.targets import check_sizes


class SegmentationEvaluation(Evaluation):
    """Keeps a confusion matrix per sample, and the predicted map as a png in memory (a few 10 kB for a full frame).

    Where the data say that predictions are not kept (`Samples.keeps`), the matrices alone.
    """

    data: SegmentationEvalData
    per_sample = ("confusion", "others", "maps")

    def __init__(self, data: SegmentationEvalData, protocol: SegmentationProtocol) -> None:
        super().__init__(data, protocol)
        classes = len(data.table)
        self.confusion = np.zeros((len(data), classes, classes), np.int64)
        self.others = np.zeros((len(data), classes), np.int64)
        self.maps: dict[int, bytes] = {}

    def add(self, indices: Sequence[int], predictions: Sequence[Any]) -> None:
        """Takes (H, W) uint8 class maps at the size of scoring, 255 where a network's best output is of no class; or pairs
        (256, 256) of bytes that were counted already and such a map or None (`inference.Counted`)."""
        for index, prediction in zip(indices, predictions, strict=True):
            where, classes = self.data.layout.samples[index].where, len(self.data.table)
            if isinstance(prediction, tuple):
                pairs, prediction = prediction
                self.confusion[index], self.others[index] = from_pairs(pairs, classes, where)
            elif (label := self.data.label(index)) is not None:
                check_sizes(prediction.shape, label.shape, where)
                found = confusion_and_others(label, prediction, classes, where)
                self.confusion[index], self.others[index] = found
            self.maps[index] = _png(prediction) if self.data.keeps else b""

    def prediction(self, index: int) -> NDArray[np.uint8]:
        """(H, W) predicted classes of a sample."""
        return np.asarray(cv2.imdecode(np.frombuffer(self.maps[index], np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)

    def _check_complete(self) -> None:
        missing = len(self.data) - len(self.maps)
        if missing:
            raise ValueError(
                f"Expected predictions of {len(self.data)} samples, got {len(self.maps)} ({missing} missing)."
            )

    def stats(self) -> Stats:
        self._check_complete()
        return stats_of(self.data.image_ids(), self.confusion, self.others)

    def write_predictions(self, path: Path) -> None:
        """Writes one png per sample into the folder ``path``, holding the dataset's own ids (Cityscapes: labelIds)."""
        self._check_complete()
        path.mkdir(parents=True, exist_ok=True)
        lookup = np.full(256, IGNORE, np.uint8)  # what is of no class stays so
        lookup[: len(self.data.table)] = self.data.table.encode_table()
        for index in range(len(self.data)):
            values = np.asarray(cv2.LUT(self.prediction(index), lookup), np.uint8)
            target = path / self.data.layout.submission_name(index)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not cv2.imwrite(str(target), values):
                raise OSError(f"{target}: the png could not be written; check the disk's room and the folder's rights.")

    def write_submission(self, folder: Path) -> str:
        """The archive of label maps, every name in one folder, as Cityscapes' and LIP's servers take them."""
        if any(self.data.label(index) is not None for index in range(min(1, len(self.data)))):
            return ""
        names = [self.data.layout.submission_name(index) for index in range(len(self.data))]
        write_zip(folder / "submission.zip", {name: folder / name for name in names})
        return "the truth of this split is the server's; upload submission.zip, which lies with the predictions"

    def sample_scores(self) -> NDArray[np.float64]:
        """(N,) mean IoU (0 to 1) of each image over its own classes."""
        return image_scores(stats_of(self.data.image_ids(), self.confusion, self.others))

    def picture(self, index: int, what: Literal["truth", "prediction"]) -> NDArray[np.uint8]:
        picture = self.data.picture(index)
        classes: Any = self.data.label(index) if what == "truth" else self.prediction(index)
        if classes is None:
            classes = np.full(picture.shape[:2], IGNORE, np.uint8)
        if classes.shape != picture.shape[:2]:
            size_wh = (classes.shape[1], classes.shape[0])
            picture = np.asarray(cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
        return overlay(picture, classes, self.data.table)


def _png(classes: NDArray[np.uint8]) -> bytes:
    encoded, png = cv2.imencode(".png", classes, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert encoded
    return png.tobytes()
