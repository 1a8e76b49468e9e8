"""Scoring of COCO boxes: our matching beside pycocotools', with equal lists, and a bootstrap draw of AP.

python -m benchmarks.speed.bench scoring
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tasks.coco import matches
from tasks.coco.judge import evaluated
from tasks.coco.scored.matching import BOX_AREAS, Found, Truths, box_overlaps, match_lists

IMAGES, CATEGORIES, TRUTHS, FOUND = 5000, 80, 36_781, 180_000
"""COCO val2017, and what a detector finds there above its threshold."""
PART = 500
"""Images of the comparison with pycocotools, whose time grows with their number."""


def measure() -> None:
    """Prints seconds of both on `PART` images, and ours on all of them."""
    truth, found = boxes(PART)
    begin = time.process_time()
    right = matches.extract(judged(truth, found))
    theirs, begin = time.process_time() - begin, time.process_time()
    made = lists(PART, truth, found)
    ours = time.process_time() - begin
    names = [name for name in right if name != "image"]
    assert all(np.array_equal(made[name], right[name]) for name in names), "the match lists differ"
    print(f"scoring: {len(found[0]):,} boxes, {PART} images, CPU seconds: matching {ours:.2f}, pycocotools' {theirs:.2f}, "
          f"{theirs / ours:.0f}x, equal lists")  # fmt: skip
    truth, found = boxes(IMAGES)
    begin = time.process_time()
    made = lists(IMAGES, truth, found)
    print(f"  {len(found[0]):,} boxes, {IMAGES} images: matching {time.process_time() - begin:.2f} s")
    counts = np.random.default_rng(0).multinomial(IMAGES, np.full(IMAGES, 1 / IMAGES), size=21)
    spent = []
    for count in counts:
        begin = time.process_time()
        matches.accumulate(made, matches.BOX_FIGURES[:1], count)
        spent.append(1e3 * (time.process_time() - begin))
    spent = spent[1:]  # the first one sorts
    print(f"  a bootstrap draw of AP: {np.median(spent):.1f} ms ({min(spent):.1f} to {max(spent):.1f})")


Arrays = tuple[np.ndarray, ...]


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
