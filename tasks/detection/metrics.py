"""COCO's detection figures: pycocotools matches, per-image match lists are kept, every figure is made of them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from tasks.base import MetricInfo, Stats
from tasks.coco.matches import BOX_FIGURES, Figure, accumulate, curves
from tasks.coco.scored.scoring import object_matches
from tasks.detection.files.annotations import Instances
from tasks.detection.files.categories import COCO_NAMES, of_coco
from tasks.detection.files.results import Submission, read_submission
from tasks.direction import Direction

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
    names = stats.get("category_name", [COCO_NAMES.get(int(number), str(number)) for number in stats["category"]])
    return {
        f"AP/{names[row]}": {
            "value": float(100 * precision[row].mean()),
            "unit": "%",
            "higher_is_better": True,
            "decimals": 1,
            "n": int(truths[row]),
        }
        for row, category in enumerate(stats["category"])
        if truths[row] > 0
    }


def submission_stats(instances: Instances, submission: Submission) -> Stats:
    """Match lists of a submission's boxes and masks.

    Raises:
        ValueError: masks are to be scored and an object has none.
    """
    stats: Stats = {}
    if submission.masks is not None:
        stats |= object_matches(instances.objects, submission.masks, "segm", MASK_PREFIX)
    if submission.boxes is not None:
        stats |= object_matches(instances.objects, submission.boxes, "bbox")
    return stats | category_names(instances)


def category_names(instances: Instances) -> Stats:
    """`category_name` (K,) in order of id, where they are not COCO's own."""
    categories = instances.objects.categories
    if of_coco(categories):
        return {}
    return {"category_name": np.array(categories.names)}


def score_results(instances: Instances, path: Path) -> dict[str, float]:
    """The figures of a results file or folder, see :func:`tasks.detection.files.results.read_submission`."""
    return figures(submission_stats(instances, read_submission(path, instances)))
