"""Scoring of COCO boxes and poses: our matching beside pycocotools', with equal lists, and a bootstrap draw of AP.

python -m benchmarks.speed.bench scoring
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tasks.coco import matches
from tasks.coco.judge import evaluated
from tasks.coco.scored.matching import (
    BOX_AREAS,
    KEYPOINT_AREAS,
    Found,
    Truths,
    box_overlaps,
    keypoint_overlaps,
    match_lists,
)
from tasks.pose.skeletons.coco import COCO

Arrays = tuple[np.ndarray, ...]
IMAGES, CATEGORIES, TRUTHS, FOUND = 5000, 80, 36_781, 180_000
"""COCO val2017, and what a detector finds there above its threshold."""
SIGMAS = COCO.sigmas()
PART = 500
"""Images of the comparison with pycocotools, whose time grows with their number."""


ROUNDS = 3
PERSONS, POSES = 11_004, 104_036
"""Persons of COCO val2017, and poses on the boxes that a detector of 56.4 AP finds there."""


def measure() -> None:
    """Prints seconds of both on `PART` images, and ours on all of them."""
    print("scoring, CPU seconds of matching; pycocotools' on a part, with equal lists")
    made = _beside("boxes", boxes, lists, judged)
    _beside("poses", poses, pose_lists, judged_poses)
    counts = np.random.default_rng(0).multinomial(IMAGES, np.full(IMAGES, 1 / IMAGES), size=21)
    spent = []
    for count in counts:
        begin = time.process_time()
        matches.accumulate(made, matches.BOX_FIGURES[:1], count)
        spent.append(1e3 * (time.process_time() - begin))
    spent = spent[1:]  # the first one sorts
    print(f"  a bootstrap draw of AP of all boxes: {np.median(spent):.1f} ms ({min(spent):.1f} to {max(spent):.1f})")


def _beside(
    name: str,
    simulated: Callable[[int], tuple[Arrays, Arrays]],
    ours: Callable[[int, Arrays, Arrays], matches.Stats],
    theirs: Callable[[Arrays, Arrays], Any],
) -> matches.Stats:
    """Prints a row, and returns our lists of all images."""
    truth, found = simulated(PART)
    spent = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        right = matches.extract(theirs(truth, found))
        their_s, begin = time.process_time() - begin, time.process_time()
        made = ours(PART, truth, found)
        spent.append((their_s, time.process_time() - begin))
        assert all(np.array_equal(made[field], right[field]) for field in right if field != "image"), "the lists differ"
    their_s, our_s = np.median(spent, axis=0)
    ratios = [one / other for one, other in spent]
    few = len(found[0])
    truth, found = simulated(IMAGES)
    begin = time.process_time()
    made = ours(IMAGES, truth, found)
    all_s = time.process_time() - begin
    print(f"  {few:,} {name} of {PART} images: ours {our_s:.2f}, pycocotools' {their_s:.2f}, {np.median(ratios):.0f}x "
          f"({min(ratios):.0f} to {max(ratios):.0f}); {len(found[0]):,} of {IMAGES}: ours {all_s:.2f}")  # fmt: skip
    return made


def boxes(images: int) -> tuple[Arrays, Arrays]:
    """(image, category, xywh) of truths and (image, category, xywh, score) of results, as many an image as COCO val has."""
    rng, share = np.random.default_rng(0), images / IMAGES
    weights = 1 / np.arange(1, CATEGORIES + 1)
    image = np.sort(rng.integers(0, images, int(TRUTHS * share)))
    category = rng.choice(CATEGORIES, len(image), p=weights / weights.sum())
    box = np.concatenate([rng.random((len(image), 2)) * 400, 4 * 60 ** rng.random((len(image), 2))], axis=1)
    chosen = rng.integers(0, len(image), int(FOUND * share))
    sides = box[chosen][:, 2:].repeat(2, axis=1)
    shaken = box[chosen] + rng.normal(0, 0.1, sides.shape) * sides * rng.choice([0.3, 1, 6], (len(chosen), 1))
    shaken[:, 2:] = np.maximum(shaken[:, 2:], 1)
    return (image, category, box), (image[chosen], category[chosen], shaken, rng.random(len(chosen)))


def lists(images: int, truth: Arrays, found: Arrays) -> matches.Stats:
    """Ours."""
    none = np.zeros(len(truth[0]), bool)
    known = Truths(truth[0], truth[1], truth[2][:, 2] * truth[2][:, 3], none, none)
    made = Found(found[0], found[1], found[3], found[2][:, 2] * found[2][:, 3])
    names = [str(number) for number in range(images)]
    return match_lists(
        known, made, box_overlaps(found[2], truth[2], none), names, range(CATEGORIES), BOX_AREAS, 100
    )  # fmt: skip


def judged(truth: Arrays, found: Arrays) -> Any:
    """pycocotools' evaluator after matching."""
    annotations = [
        {"id": row + 1, "image_id": int(image) + 1, "category_id": int(category), "bbox": box.tolist(), "iscrowd": 0,
         "area": float(box[2] * box[3])}
        for row, (image, category, box) in enumerate(zip(*truth))
    ]  # fmt: skip
    records = [
        {"image_id": int(image) + 1, "category_id": int(category), "bbox": box.tolist(), "score": float(score)}
        for image, category, box, score in zip(*found)
    ]
    numbers = [{"id": number} for number in range(1, PART + 1)]
    whole = {"images": numbers, "annotations": annotations, "categories": [{"id": k} for k in range(CATEGORIES)]}
    return evaluated(whole, records, "bbox")


def poses(images: int) -> tuple[Arrays, Arrays]:
    """(image, points (N, 17, 3)) of persons and (image, points, score) of results, as many an image as COCO val has."""
    rng, share = np.random.default_rng(1), images / IMAGES
    image = np.sort(rng.integers(0, images, int(PERSONS * share)))
    sides = 30 * 10 ** rng.random((len(image), 1, 2))
    places = rng.random((len(image), 1, 2)) * 400 + rng.random((len(image), 17, 2)) * sides
    points = np.concatenate([places, rng.integers(0, 3, (len(image), 17, 1))], axis=2)
    chosen = rng.integers(0, len(image), int(POSES * share))
    shift = rng.normal(0, 0.05, (len(chosen), 17, 2)) * sides[chosen] * rng.choice([0.3, 1, 6], (len(chosen), 1, 1))
    shaken = np.concatenate([points[chosen, :, :2] + shift, np.ones((len(chosen), 17, 1))], axis=2)
    return (image, points), (image[chosen], shaken, rng.random(len(chosen)))


def _boxes_of(points: np.ndarray) -> np.ndarray:
    low, high = points[..., :2].min(axis=1), points[..., :2].max(axis=1)
    return np.concatenate([low, high - low], axis=1)


def pose_lists(images: int, truth: Arrays, found: Arrays) -> matches.Stats:
    """Ours."""
    none, box, sides = np.zeros(len(truth[0]), np.int64), _boxes_of(truth[1]), _boxes_of(found[1])[:, 2:]
    areas, hidden = box[:, 2] * box[:, 3], np.asarray((truth[1][..., 2] == 0).all(axis=1))
    known = Truths(truth[0], none, areas, none.astype(bool), hidden)
    made = Found(found[0], np.zeros(len(found[0]), np.int64), found[2], sides[:, 0] * sides[:, 1])
    overlaps = keypoint_overlaps(found[1][..., :2], truth[1], box, areas, SIGMAS)
    return match_lists(known, made, overlaps, [str(n) for n in range(images)], [1], KEYPOINT_AREAS, 20)


def judged_poses(truth: Arrays, found: Arrays) -> Any:
    """pycocotools' evaluator after matching."""
    annotations = [
        {"id": row + 1, "image_id": int(image) + 1, "category_id": 1, "bbox": box.tolist(), "iscrowd": 0,
         "area": float(box[2] * box[3]), "keypoints": points.reshape(-1).tolist(),
         "num_keypoints": int((points[:, 2] > 0).sum())}
        for row, (image, points, box) in enumerate(zip(*truth, _boxes_of(truth[1])))
    ]  # fmt: skip
    records = [
        {"image_id": int(image) + 1, "category_id": 1, "keypoints": points.reshape(-1).tolist(), "score": float(score)}
        for image, points, score in zip(*found)
    ]
    numbers = [{"id": number} for number in range(1, PART + 1)]
    return evaluated(
        {"images": numbers, "annotations": annotations, "categories": [{"id": 1}]}, records, "keypoints", SIGMAS
    )
