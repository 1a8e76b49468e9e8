"""Collects the detections of an evaluation: match lists, results files, ranking and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tasks.base import Evaluation, Stats
from tasks.coco.matches import curves
from tasks.coco.scored.scoring import object_matches
from tasks.detection.datasets import DetectionEvalData
from tasks.detection.drawing import SHOWN_SCORE, draw
from tasks.detection.files.results import Prediction, predicted_boxes, predicted_masks, write_results
from tasks.detection.metrics import MASK_PREFIX, category_names
from tasks.detection.protocol import DetectionProtocol
from tasks.files.archive import write_zip
from tasks.files.rle import decode


class DetectionEvaluation(Evaluation):
    """One prediction per picture (:data:`tasks.detection.files.results.Prediction`)."""

    data: DetectionEvalData
    per_sample = ("predictions",)

    def __init__(self, data: DetectionEvalData, protocol: DetectionProtocol) -> None:
        super().__init__(data, protocol)
        self.predictions: dict[int, Prediction] = {}
        self._stats: Stats | None = None

    def add(self, indices: Sequence[int], predictions: Sequence[Prediction]) -> None:
        for index, prediction in zip(indices, predictions, strict=True):
            if not 0 <= index < len(self.data):
                raise ValueError(
                    f"Expected samples 0 to {len(self.data) - 1}, got {index}; use the data it was made for"
                )
            self.predictions[index] = prediction
        self._stats = None

    def complete(self) -> list[Prediction]:
        """Predictions in order; raises ValueError if some are missing."""
        missing = [i for i in range(len(self.data)) if i not in self.predictions]
        if missing:
            raise ValueError(
                f"Expected detections for all {len(self.data)} pictures, {len(missing)} are missing (first: picture "
                f"{self.data.image_ids()[missing[0]]}); predict the rest first"
            )
        return [self.predictions[i] for i in range(len(self.data))]

    def stats(self) -> Stats:
        if self._stats is None and not self.data.truth:
            self._stats = {"image": np.array(self.data.image_ids())}
        if self._stats is None:
            objects = self.data.instances.objects
            boxes, masks = self.records()
            listed = set(objects.categories.ids)
            scored = [record for record in boxes if record["category_id"] in listed]
            self._stats = object_matches(objects, scored, "bbox") | category_names(self.data.instances)
            if masks is not None and objects.shapes.drawn.all():
                scored = [record for record in masks if record["category_id"] in listed]
                self._stats |= object_matches(objects, scored, "segm", MASK_PREFIX)
            elif masks is not None:
                lacking = int((~objects.shapes.drawn).sum())
                self.data.add_note(
                    f"{objects.path.name}: {lacking} of {len(objects)} objects have no segmentation, so masks are not scored"
                )
        return self._stats

    def records(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]] | None]:
        """Results of boxes, and of masks where every prediction has some, in COCO's form."""
        predictions = self.complete()
        ids, category_of = self.data.instances.objects.pictures.ids, self.data.category_of
        masks = predicted_masks(predictions, ids, category_of) if all("masks" in p for p in predictions) else None
        return predicted_boxes(predictions, ids, category_of), masks

    def write_predictions(self, path: Path) -> None:
        write_results(Path(path), *self.records(), self.data.person)

    def write_submission(self, folder: Path) -> str:
        """The archives that COCO's server takes: boxes, and masks where there are some."""
        if self.data.truth:
            return ""
        made = []
        for kind, source in (("bbox", "bbox.json"), ("segm", "segm.json")):
            name = f"detections_{self.data.split}_{kind}_results"
            if (folder / source).exists():
                made.append(write_zip(folder / f"{name}.zip", {f"{name}.json": folder / source}).name)
        return f"{self.data.split}: the truth is the server's; upload {' or '.join(made)} of the predictions to COCO's evaluation"

    def sample_scores(self) -> np.ndarray:
        """F1 at IoU 0.5 of what is drawn (score 0.3 and more); NaN for pictures with neither objects nor detections."""
        if not self.data.truth:
            return np.full(len(self.data), np.nan)
        stats = self.stats()
        row_of = {name: row for row, name in enumerate(stats["image"])}
        start, shown = stats["all_start"], stats["all_score"] >= SHOWN_SCORE
        matched = (stats["all_matched"] & 1).astype(bool) & ~(stats["all_ignored"] & 1).astype(bool) & shown
        counted = shown & ~(stats["all_ignored"] & 1).astype(bool)
        truths = stats["all_truths"].sum(axis=1)
        scores = np.full(len(self.data), np.nan)
        for index, name in enumerate(self.data.image_ids()):
            row = row_of[name]
            part = slice(start[row], start[row + 1])
            total = truths[row] + counted[part].sum()
            if total:
                scores[index] = 2 * matched[part].sum() / total
        return scores

    def picture(self, index: int, what: Literal["truth", "prediction"]) -> np.ndarray:
        instances, picture = self.data.instances, self.data.picture(index)
        if self.protocol.bgr:
            picture = picture[..., ::-1]
        if what == "truth":
            boxes, labels = instances.boxes(index)
            crowds = list(instances.crowd_boxes(index))
            return draw(picture, boxes, labels, None, instances.masks(index), instances.classes.name_of, crowds=crowds)
        prediction = self.predictions[index]
        shown = np.asarray(prediction["scores"]) >= SHOWN_SCORE
        masks: Any = None
        if "masks" in prediction:
            kept = [decode(m, *m["size"]) for m, s in zip(prediction["masks"], shown) if s]
            masks = np.stack(kept) if kept else None
        boxes, labels = np.asarray(prediction["boxes"])[shown], np.asarray(prediction["labels"])[shown]
        name_of = self.data.classes.name_of
        return draw(picture, boxes, labels, np.asarray(prediction["scores"])[shown], masks, name_of)

    def curves(self) -> dict[str, list[list[float]]]:
        """Precision over recall at IoU 0.50 and 0.75, averaged over the categories that have objects."""
        if not self.data.truth:
            return {}
        precision, _ = curves(self.stats())
        known = ~np.isnan(precision[:, 0, 0])
        if not known.any():
            return {}
        recalls = np.linspace(0.0, 1.0, precision.shape[-1])
        return {
            f"precision over recall at IoU {threshold}": [
                [float(x), float(y)] for x, y in zip(recalls, precision[known, row].mean(0))
            ]
            for threshold, row in (("0.50", 0), ("0.75", 5))
        }
