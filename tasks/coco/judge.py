"""pycocotools' own judgement of checked annotations, for tests: `tasks.coco.scored.scoring` makes the same lists faster.

It gets a renumbered copy: pictures and annotations 1, 2, ...

pycocotools takes an annotation id of 0 for "no match", keeps one of several annotations of one id, and orders pictures by
`numpy.unique`, which turns numbers beside text into text.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.coco import matches as coco_matches
from tasks.coco.annotations import Annotations
from tasks.coco.identities import in_order, texts_of
from tasks.coco.keypoints import Keypoints
from tasks.coco.objects import Objects
from tasks.coco.pictures import Pictures

Record = dict[str, Any]


class Numbers:
    """The numbers 1, 2, ... that pictures have in the copy: in pycocotools' order of their ids.

    Attributes:
        of_row: (pictures,) number of each row. names: the ids' text in order of number.
    """

    def __init__(self, pictures: Pictures) -> None:
        order = in_order(pictures.ids)
        self.of_row = np.empty(len(order), np.int64)
        self.of_row[order] = np.arange(1, len(order) + 1)
        texts = texts_of(pictures.ids)
        self.names = tuple(texts[row] for row in order)


def keypoint_matches(truth: Keypoints, records: Sequence[Record], sigmas: NDArray[np.float64]) -> coco_matches.Stats:
    """Match lists of keypoint results {image_id, category_id, keypoints, score} of the person's category.

    Args:
        records: of pictures that the truth lists. sigmas: (J,) OKS tolerances.
    """
    numbers = Numbers(truth.pictures)
    labelled, areas = truth.labelled, np.maximum(np.nan_to_num(truth.areas), 0.0)
    entries = (
        {
            **_entry(truth, row, numbers),
            "category_id": truth.person,
            "area": float(areas[row]),
            "keypoints": truth.points[row].reshape(-1).tolist(),
            "num_keypoints": int(labelled[row]),
        }
        for row in range(len(truth))
    )
    kept = ("keypoints", "score", "category_id")
    found = _renumbered(records, truth.pictures, numbers, kept)
    evaluator = evaluated(dataset(entries, numbers, [truth.person]), found, "keypoints", sigmas)
    return coco_matches.extract(evaluator, images=numbers.names)


def _entry(truth: Annotations, row: int, numbers: Numbers) -> Record:
    """What every kind of annotation has in the copy."""
    return {
        "id": row + 1,
        "image_id": int(numbers.of_row[truth.image[row]]),
        "category_id": truth.categories.ids[truth.category[row]],
        "bbox": truth.boxes[row].tolist(),
        "iscrowd": int(truth.crowd[row]),
    }


def dataset(entries: Iterable[Record], numbers: Numbers, categories: Iterable[int]) -> Record:
    """A dataset in pycocotools' form."""
    return {
        "images": [{"id": number} for number in range(1, len(numbers.names) + 1)],
        "annotations": list(entries),
        "categories": [{"id": number} for number in categories],
    }


def _renumbered(records: Sequence[Record], pictures: Pictures, numbers: Numbers, kept: Sequence[str]) -> list[Record]:
    """Results with the copy's picture numbers and the fields `kept` alone: pycocotools goes by what the first one has."""
    rows = pictures.identities.rows(record["image_id"] for record in records)
    return [
        {"image_id": int(numbers.of_row[row]), **{field: record[field] for field in kept}}
        for row, record in zip(rows, records)
    ]


def evaluated(truth: Record, records: list[Record], kind: str, sigmas: NDArray[np.float64] | None = None) -> Any:
    """pycocotools' evaluator after matching: "keypoints", "bbox" or "segm"."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        expected, found = COCO(), COCO()
        expected.dataset = truth
        expected.createIndex()
        if records:
            found = expected.loadRes(records)
        else:
            # loadRes cannot read an empty list: pictures without detections are legitimate.
            found.dataset = {**truth, "annotations": []}
            found.createIndex()
        evaluator = COCOeval(expected, found, kind)
        if sigmas is not None:
            evaluator.params.kpt_oks_sigmas = np.asarray(sigmas, np.float64)
        evaluator.evaluate()
    return evaluator


def object_matches(truth: Objects, records: Sequence[Record], kind: str, prefix: str = "") -> coco_matches.Stats:
    """Match lists of results against objects.

    Args:
        records: {image_id, category_id, score} with bbox or segmentation, of pictures and categories that the truth lists.
        kind: "bbox" or "segm". prefix: of the lists' names.

    Raises:
        ValueError: masks are to be scored and an object has none.
    """
    numbers = Numbers(truth.pictures)
    masks = kind == "segm"
    if masks:
        require_masks(truth)
    entries = (
        {
            **_entry(truth, row, numbers),
            "area": float(truth.areas[row]),
            **({"segmentation": truth.shapes[row]} if masks else {}),
        }
        for row in range(len(truth))
    )
    made = dataset(entries, numbers, truth.categories.ids)
    for row, (width, height) in enumerate(truth.pictures.sizes_wh.tolist()):
        made["images"][numbers.of_row[row] - 1] |= {"width": width, "height": height}
    found = _renumbered(records, truth.pictures, numbers, ("segmentation" if masks else "bbox", "score", "category_id"))
    return coco_matches.extract(evaluated(made, found, kind), prefix, numbers.names)


def require_masks(truth: Objects) -> None:
    """Raises ValueError where an object has no segmentation, so that masks cannot be scored."""
    lacking = np.flatnonzero(~truth.shapes.drawn)
    if len(lacking):
        raise ValueError(
            f"{truth.where(int(lacking[0]))}: expected a segmentation to score masks, got none ({len(lacking)} of {len(truth)} "
            "objects have none); score boxes alone, or complete the annotations"
        )
