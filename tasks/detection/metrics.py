"""COCO's detection figures: pycocotools matches, per-image match lists are kept, every figure is made of them. Torch-free."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.base import MetricInfo, Stats
from tasks.coco_matches import BOX_FIGURES, Figure, accumulate, curves, extract
from tasks.detection.files.annotations import Instances
from tasks.detection.files.categories import COCO_NAMES
from tasks.detection.files.results import read_results
from tasks.direction import Direction
from tasks.rle import check_run_lengths

MASK_PREFIX = "mask_"
_TEXT = {
    "AP": "average precision over IoU 0.50 to 0.95",
    "AP50": "average precision at IoU 0.50",
    "AP75": "average precision at IoU 0.75",
    "APS": "average precision of objects below 32² px",
    "APM": "average precision of objects of 32² to 96² px",
    "APL": "average precision of objects above 96² px",
    "AR@1": "average recall with one detection per picture and category",
    "AR@10": "average recall with ten detections",
    "AR@100": "average recall with a hundred detections",
    "ARS": "average recall of objects below 32² px",
    "ARM": "average recall of objects of 32² to 96² px",
    "ARL": "average recall of objects above 96² px",
}

METRICS: dict[str, MetricInfo] = {
    prefix + figure.name: MetricInfo(
        prefix + figure.name,
        "%",
        Direction.HIGHER,
        1,
        (0.0, 100.0),
        _TEXT[figure.name] + (" (masks)" if prefix else " (boxes)"),
    )
    for prefix in ("", MASK_PREFIX)
    for figure in BOX_FIGURES
}


def ground_truth(instances: Instances) -> Any:
    """The split as pycocotools' ``COCO``; records without ``iscrowd`` or ``area`` get 0 and the box's area."""
    from pycocotools.coco import COCO

    truth = COCO()
    entries = [{"iscrowd": 0, "area": float(a["bbox"][2] * a["bbox"][3]), **a} for a in instances.data["annotations"]]
    truth.dataset = {**instances.data, "annotations": entries}
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
    return truth


def match_lists(truth: Any, records: Sequence[Mapping[str, Any]], kind: str, prefix: str = "") -> Stats:
    """Match lists of results ("bbox" or "segm") against the truth, see :func:`tasks.coco_matches.extract`."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        if records:
            found = truth.loadRes([dict(r) for r in records])
        else:
            # loadRes cannot read an empty list: a picture set without detections is legitimate.
            found = COCO()
            found.dataset = {**truth.dataset, "annotations": []}
            found.createIndex()
        evaluator = COCOeval(truth, found, kind)
        evaluator.evaluate()
    return extract(evaluator, prefix)


def figures(stats: Stats, counts: np.ndarray | None = None, wanted: Collection[str] | None = None) -> dict[str, float]:
    """All twelve box figures in per cent, and those of the masks where there are match lists of masks; or those ``wanted``."""

    def chosen(prefix: str) -> list[Figure]:
        return [figure for figure in BOX_FIGURES if wanted is None or prefix + figure.name in wanted]

    result = accumulate(stats, chosen(""), counts) if "category" in stats else {}
    if f"{MASK_PREFIX}category" in stats:
        masks = accumulate(stats, chosen(MASK_PREFIX), counts, MASK_PREFIX)
        result |= {MASK_PREFIX + name: value for name, value in masks.items()}
    return result


def class_figures(stats: Stats) -> dict[str, dict[str, Any]]:
    """Average precision of every category that has objects, in per cent: "AP/<category>" -> value, unit, n (objects), ...

    Not among a cell's figures, whose mean over categories AP is: made when asked for, in order of category id.
    """
    precision, _ = curves(stats)
    truths = stats["all_truths"].sum(axis=0)
    return {
        f"AP/{COCO_NAMES.get(int(category), str(category))}": {
            "value": float(100 * precision[row].mean()),
            "unit": "%",
            "higher_is_better": True,
            "decimals": 1,
            "n": int(truths[row]),
        }
        for row, category in enumerate(stats["category"])
        if truths[row] > 0
    }


def results_stats(instances: Instances, boxes: Path | None = None, masks: Path | None = None) -> Stats:
    """Match lists of results files made here or elsewhere.

    Raises:
        ValueError: results for other pictures, see :func:`tasks.detection.files.results.read_results`.
    """
    truth = ground_truth(instances)
    ids = [entry["id"] for entry in instances.images]
    stats: Stats = {}
    for path, kind, prefix in ((masks, "segm", MASK_PREFIX), (boxes, "bbox", "")):
        if path is not None:
            records = read_results(path, ids, instances.categories, kind)
            if kind == "segm":
                _check_masks(records, instances, path)
            stats |= match_lists(truth, records, kind, prefix)
    return stats


def _check_masks(records: Sequence[Mapping[str, Any]], instances: Instances, path: Path) -> None:
    sizes = {entry["id"]: (int(entry["height"]), int(entry["width"])) for entry in instances.images}
    for row, record in enumerate(records):
        try:
            check_run_lengths(record["segmentation"], *sizes[record["image_id"]])
        except ValueError as error:
            raise ValueError(f"{path}, entry {row}: {error}") from None


def score_results(instances: Instances, boxes: Path | None = None, masks: Path | None = None) -> dict[str, float]:
    """The figures of results files, see :func:`results_stats`."""
    return figures(results_stats(instances, boxes, masks))
