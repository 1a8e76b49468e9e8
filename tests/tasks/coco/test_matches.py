"""The figures from match lists equal COCOeval's own, for keypoints and for boxes of several classes."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tasks.coco import matches as coco_matches

NUM_IMAGES = 14


def scene(kind: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Random ground truth and detections with ties in score, crowds, empty images and misses."""
    rng = np.random.default_rng(5)
    annotations: list[dict[str, Any]] = []
    detections: list[dict[str, Any]] = []
    classes = [1] if kind == "keypoints" else [1, 2, 7]
    for image in range(1, NUM_IMAGES + 1):
        for _ in range(int(rng.integers(0, 6))):
            width, height = rng.uniform(15, 200, 2)
            box = [*rng.uniform(0, 300, 2), width, height]
            points = np.column_stack(
                [
                    rng.uniform(box[0], box[0] + width, 17),
                    rng.uniform(box[1], box[1] + height, 17),
                    rng.integers(0, 3, 17),
                ]
            )
            annotation = {
                "id": len(annotations) + 1,
                "image_id": image,
                "category_id": int(rng.choice(classes)),
                "bbox": box,
                "area": width * height * 0.6,
                "iscrowd": int(rng.random() < 0.1),
                "keypoints": points.ravel().tolist(),
                "num_keypoints": int((points[:, 2] > 0).sum()) if rng.random() < 0.9 else 0,
            }
            annotations.append(annotation)
            for _ in range(int(rng.integers(0, 3))):
                noise = rng.normal(0, rng.choice([0.01, 0.05, 0.1]), 51).reshape(17, 3) * [width, height, 0]
                detections.append(
                    {
                        "image_id": image,
                        "category_id": annotation["category_id"],
                        "bbox": (np.array(box) + rng.normal(0, 0.06, 4) * [width, height, width, height]).tolist(),
                        "keypoints": (points + noise).ravel().tolist(),
                        "score": float(np.round(rng.random(), 1)),
                    }
                )
    truth = {
        "images": [{"id": image, "width": 640, "height": 640} for image in range(1, NUM_IMAGES + 1)],
        "annotations": annotations,
        "categories": [{"id": c, "name": str(c), "keypoints": [], "skeleton": []} for c in classes],
    }
    return truth, detections


def evaluator(truth: dict[str, Any], detections: list[dict[str, Any]], kind: str) -> COCOeval:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        found = COCOeval(coco, coco.loadRes([dict(d) for d in detections]), kind)
        found.evaluate()
        found.accumulate()
        found.summarize()
    return found


@pytest.mark.parametrize(
    ("kind", "figures"), [("keypoints", coco_matches.KEYPOINT_FIGURES), ("bbox", coco_matches.BOX_FIGURES)]
)
def test_equals_cocoeval(kind: str, figures: tuple[coco_matches.Figure, ...]) -> None:
    reference = evaluator(*scene(kind), kind)
    found = coco_matches.accumulate(coco_matches.extract(reference), figures)
    assert list(found) == [figure.name for figure in figures]
    assert 1 < reference.stats[0] * 100 < 99
    np.testing.assert_allclose(list(found.values()), 100 * reference.stats, atol=1e-10)


@pytest.mark.parametrize("kind", ["keypoints", "bbox"])
def test_counts_select_images(kind: str) -> None:
    truth, detections = scene(kind)
    figures = coco_matches.KEYPOINT_FIGURES if kind == "keypoints" else coco_matches.BOX_FIGURES
    stats = coco_matches.extract(evaluator(truth, detections, kind))
    chosen = [3, 4, 5, 9, 11, 12]
    counts = np.isin(np.arange(1, NUM_IMAGES + 1), chosen).astype(int)
    part = {
        "images": [i for i in truth["images"] if i["id"] in chosen],
        "annotations": [a for a in truth["annotations"] if a["image_id"] in chosen],
        "categories": truth["categories"],
    }
    reference = evaluator(part, [d for d in detections if d["image_id"] in chosen], kind)
    found = coco_matches.accumulate(stats, figures, counts)
    expected = np.where(reference.stats == -1, np.nan, 100 * reference.stats)
    np.testing.assert_allclose(list(found.values()), expected, atol=1e-10)


def test_counting_twice_is_the_doubled_set() -> None:
    truth, detections = scene("keypoints")
    # Distinct scores: with ties the doubled set may be ordered differently.
    detections = [{**d, "score": 1 - k / 1000} for k, d in enumerate(detections)]
    counts = np.random.default_rng(0).integers(0, 4, NUM_IMAGES)
    stats = coco_matches.extract(evaluator(truth, detections, "keypoints"))
    doubled: dict[str, Any] = {"images": [], "annotations": [], "categories": truth["categories"]}
    copies: list[dict[str, Any]] = []
    for image, count in enumerate(counts, start=1):
        for copy in range(count):
            name = 100 * image + copy
            doubled["images"].append({"id": name, "width": 640, "height": 640})
            for annotation in truth["annotations"]:
                if annotation["image_id"] == image:
                    new = {**annotation, "image_id": name, "id": len(doubled["annotations"]) + 1}
                    doubled["annotations"].append(new)
            copies += [{**d, "image_id": name} for d in detections if d["image_id"] == image]
    reference = evaluator(doubled, copies, "keypoints")
    found = coco_matches.accumulate(stats, coco_matches.KEYPOINT_FIGURES, counts)
    np.testing.assert_allclose(list(found.values()), 100 * reference.stats, atol=1e-9)


def test_nothing_to_find_is_nan_and_unevaluated_is_refused() -> None:
    truth, detections = scene("bbox")
    reference = evaluator(truth, detections, "bbox")
    stats = coco_matches.extract(reference)
    found = coco_matches.accumulate(stats, coco_matches.BOX_FIGURES, np.zeros(NUM_IMAGES, dtype=int))
    assert all(np.isnan(value) for value in found.values())
    reference.evalImgs = []
    with pytest.raises(ValueError, match="call it first"):
        coco_matches.extract(reference)


def test_averages_are_those_of_the_curves() -> None:
    """What a bootstrap draws is looked up at true positives alone; the curves interpolate at every recall point."""
    stats = coco_matches.extract(evaluator(*scene("bbox"), "bbox"))
    rng = np.random.default_rng(3)
    draws = [None, *rng.integers(0, 3, (4, NUM_IMAGES)), np.eye(NUM_IMAGES, dtype=int)[0]]
    for area, most in (("all", 100), ("all", 1), ("small", 100), ("large", 10)):
        for counts in draws:
            precision, recall = coco_matches.curves(stats, area, most, counts)
            average, final = coco_matches._averages(stats, area, most, counts, "")
            np.testing.assert_allclose(average, precision.mean(-1), rtol=1e-13, atol=1e-15)
            np.testing.assert_array_equal(final, recall)
