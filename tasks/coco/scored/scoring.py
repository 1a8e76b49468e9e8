"""Match lists of checked results against checked annotations: boxes, masks and keypoints.

`tasks.coco.judge` makes the same lists with pycocotools' own loop; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.coco.judge import Numbers, Record, require_masks
from tasks.coco.keypoints import Keypoints
from tasks.coco.matches import Stats
from tasks.coco.objects import Objects
from tasks.coco.pictures import Pictures
from tasks.coco.scored.matching import (
    BOX_AREAS,
    KEYPOINT_AREAS,
    Found,
    Integers,
    Overlaps,
    Truths,
    box_overlaps,
    keypoint_overlaps,
    match_lists,
)

MOST_OBJECTS, MOST_PERSONS = 100, 20
"""Detections of a picture and category that count."""


def keypoint_matches(truth: Keypoints, records: Sequence[Record], sigmas: NDArray[np.float64]) -> Stats:
    """Match lists of keypoint results {image_id, category_id, keypoints, score} of the person's category.

    Args:
        records: of pictures that the truth lists. sigmas: (J,) OKS tolerances.
    """
    numbers = Numbers(truth.pictures)
    records = [record for record in records if record["category_id"] == truth.person]
    areas, none = np.maximum(np.nan_to_num(truth.areas), 0.0), np.zeros(len(truth), np.int64)
    crowd = np.asarray(truth.crowd, bool)
    known = Truths(numbers.of_row[truth.image] - 1, none, areas, crowd, crowd | (np.asarray(truth.labelled) == 0))
    points = np.array([record["keypoints"] for record in records], np.float64).reshape(len(records), len(sigmas), 3)
    sides = np.ptp(points[..., :2], axis=1) if len(points) else np.zeros((0, 2))
    image = _images(records, truth.pictures, numbers)
    found = Found(image, np.zeros(len(image), np.int64), _scores(records), sides[:, 0] * sides[:, 1])
    own = np.asarray(truth.points, np.float64).reshape(len(truth), len(sigmas), 3)
    overlaps = keypoint_overlaps(points[..., :2], own, np.asarray(truth.boxes, np.float64), areas, sigmas)
    return match_lists(known, found, overlaps, numbers.names, [truth.person], KEYPOINT_AREAS, MOST_PERSONS)


def object_matches(truth: Objects, records: Sequence[Record], kind: str, prefix: str = "") -> Stats:
    """Match lists of results against objects.

    Args:
        records: {image_id, category_id, score} with bbox or segmentation, of pictures and categories that the truth lists.
        kind: "bbox" or "segm". prefix: of the lists' names.

    Raises:
        ValueError: masks are to be scored and an object has none.
    """
    numbers, crowd = Numbers(truth.pictures), np.asarray(truth.crowd, bool)
    ids, place = np.unique(np.array(truth.categories.ids, np.int64), return_inverse=True)
    image = numbers.of_row[truth.image] - 1
    known = Truths(image, place[truth.category], np.asarray(truth.areas, np.float64), crowd, crowd)
    categories = np.searchsorted(ids, np.array([record["category_id"] for record in records], np.int64))
    if kind == "segm":
        require_masks(truth)
        areas, overlaps = _masks(truth, records, crowd)
    else:
        boxes = np.array([record["bbox"] for record in records], np.float64).reshape(-1, 4)
        areas = boxes[:, 2] * boxes[:, 3]
        overlaps = box_overlaps(boxes, np.asarray(truth.boxes, np.float64), crowd)
    found = Found(_images(records, truth.pictures, numbers), categories, _scores(records), areas)
    return match_lists(known, found, overlaps, numbers.names, ids.tolist(), BOX_AREAS, MOST_OBJECTS, prefix)


def _images(records: Sequence[Record], pictures: Pictures, numbers: Numbers) -> Integers:
    rows = np.array(list(pictures.identities.rows(record["image_id"] for record in records)), np.int64)
    return numbers.of_row[rows] - 1


def _scores(records: Sequence[Record]) -> NDArray[np.float64]:
    return np.array([record["score"] for record in records], np.float64)


def _masks(truth: Objects, records: Sequence[Record], crowd: NDArray[np.bool_]) -> tuple[NDArray[np.float64], Overlaps]:
    """Areas of the results' masks, and their overlaps with the objects', by pycocotools' run lengths."""
    from pycocotools import mask as coded

    def encoded(shape: object, size_wh: NDArray[np.integer]) -> object:
        width, height = map(int, size_wh)
        if isinstance(shape, list):
            return coded.merge(coded.frPyObjects(shape, height, width))
        if isinstance(shape, dict) and isinstance(shape["counts"], list):
            return coded.frPyObjects(shape, height, width)
        return shape

    sizes = truth.pictures.sizes_wh
    own = [encoded(truth.shapes[row], sizes[truth.image[row]]) for row in range(len(truth))]
    rows = list(truth.pictures.identities.rows(record["image_id"] for record in records))
    made = [encoded(record["segmentation"], sizes[row]) for row, record in zip(rows, records)]
    areas = np.array([float(coded.area(shape)) for shape in made])

    def overlaps(found: Integers, beside: Integers) -> NDArray[np.float64]:
        result = np.zeros(beside.shape)
        same = np.flatnonzero(np.any(np.diff(beside, axis=0) != 0, axis=1)) + 1
        for part in np.split(np.arange(len(found)), same):
            columns = beside[part[0]][beside[part[0]] >= 0] if len(part) else beside[:0]
            if len(columns):
                flags = crowd[columns].astype(np.uint8).tolist()
                result[part, : len(columns)] = coded.iou(
                    [made[row] for row in found[part]], [own[row] for row in columns], flags
                )
        return result

    return areas, overlaps
