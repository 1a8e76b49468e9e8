"""The match lists that are made for all pictures at once, held against pycocotools' own: every list, every figure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coded

from tasks.coco import judge, matches
from tasks.coco.keypoints import read_keypoints
from tasks.coco.objects import read_objects
from tasks.coco.scored import scoring
from tasks.pose.skeletons.coco import COCO as PERSON_JOINTS

SIZE_WH = (200, 160)
JOINTS = list(PERSON_JOINTS.names)
RNG = np.random.default_rng


def objects(seed: int, pictures: int = 30) -> dict[str, Any]:
    """Objects of three categories from tiny to large; crowds; pictures without any; boxes that coincide."""
    rng, annotations = RNG(seed), list[dict[str, Any]]()
    for picture in range(pictures):
        for _ in range(int(rng.integers(0, 9))):
            w, h = np.minimum((4 * 40 ** rng.random(2)).round(), (150, 150))
            x, y = (rng.random(2) * (SIZE_WH - np.array([w, h]))).round()
            corners = [[x, y, x + w, y, x + w, y + h, x, y + h]]
            crowd = int(rng.random() < 0.15)
            shape: Any = corners
            if crowd:
                shape = coded.merge(coded.frPyObjects(corners, SIZE_WH[1], SIZE_WH[0]))
                shape = {"size": shape["size"], "counts": shape["counts"].decode()}
            annotations.append({
                "id": len(annotations) + 1, "image_id": picture + 1, "category_id": int(rng.choice([7, 3, 90])),
                "bbox": [x, y, w, h], "area": float(w * h * 0.8), "iscrowd": crowd, "segmentation": shape,
            })  # fmt: skip
    images = [
        {"id": i + 1, "file_name": f"{i}.png", "width": SIZE_WH[0], "height": SIZE_WH[1]} for i in range(pictures)
    ]
    categories = [{"id": i, "name": str(i)} for i in (90, 3, 7)]  # not in order
    return {"images": images, "annotations": annotations, "categories": categories}


def guesses(truth: dict[str, Any], seed: int, masks: bool) -> list[dict[str, Any]]:
    """Several boxes an object, shaken or exactly it, with few different scores; some where nothing is; one picture with many."""
    rng, found = RNG(seed), list[dict[str, Any]]()
    for annotation in [*truth["annotations"] * 3, *truth["annotations"][:1] * 120]:
        box = np.array(annotation["bbox"]) + (rng.normal(0, 4, 4) if rng.random() < 0.8 else 0)
        box[2:] = np.maximum(box[2:], 2)
        entry = {"image_id": annotation["image_id"], "score": float(rng.integers(1, 12)) / 12}
        entry["category_id"] = annotation["category_id"] if rng.random() < 0.9 else 3
        if masks:
            x, y, w, h = np.clip(box, 0, 150)
            shape = coded.frPyObjects([[x, y, x + w, y, x + w, y + h, x, y + h]], SIZE_WH[1], SIZE_WH[0])[0]
            entry["segmentation"] = {"size": shape["size"], "counts": shape["counts"].decode()}
        else:
            entry["bbox"] = box.tolist()
        found.append(entry)
    return [found[i] for i in rng.permutation(len(found))]


def persons(seed: int, pictures: int = 25) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Persons of 17 joints, some without a labelled one, some crowds; and results, more than 20 in a picture."""
    rng, annotations, found = RNG(seed), list[dict[str, Any]](), list[dict[str, Any]]()
    for picture in range(pictures):
        for _ in range(int(rng.integers(0, 6))):
            w, h = rng.integers(15, 120, 2)
            x, y = rng.integers(0, 60, 2)
            points = np.stack([x + rng.random(17) * w, y + rng.random(17) * h, rng.integers(0, 3, 17)], 1).round()
            if rng.random() < 0.2:
                points[:, 2] = 0
            points[points[:, 2] == 0] = 0
            annotations.append({
                "id": len(annotations) + 1, "image_id": picture + 1, "category_id": 1, "iscrowd": int(rng.random() < 0.1),
                "bbox": [int(x), int(y), int(w), int(h)], "area": float(w * h * 0.6),
                "num_keypoints": int((points[:, 2] > 0).sum()), "keypoints": points.ravel().tolist(),
            })  # fmt: skip
            for _ in range(int(rng.integers(1, 9))):
                shaken = points + rng.normal(0, 3 if rng.random() < 0.7 else 20, points.shape)
                shaken[:, 2] = 1
                found.append({"image_id": picture + 1, "category_id": 1, "keypoints": shaken.ravel().tolist()})
                found[-1]["score"] = float(rng.integers(1, 20)) / 20
    images = [
        {"id": i + 1, "file_name": f"{i}.png", "width": SIZE_WH[0], "height": SIZE_WH[1]} for i in range(pictures)
    ]
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person", "keypoints": JOINTS}],
    }, found


def equal(made: matches.Stats, right: matches.Stats, figures: tuple[matches.Figure, ...], prefix: str = "") -> None:
    assert set(made) == set(right)
    for name, values in right.items():
        assert made[name].dtype == values.dtype or name == "image"
        np.testing.assert_array_equal(made[name], values, err_msg=name)
    counts = RNG(0).integers(0, 3, len(right["image"]))
    for drawn in (None, counts):
        a, b = (matches.accumulate(stats, figures, drawn, prefix) for stats in (made, right))
        assert a == pytest.approx(b, rel=1e-12, abs=1e-12, nan_ok=True)
        assert any(0 < value < 100 for value in a.values())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_objects_are_matched_as_pycocotools_does(kind: str, seed: int, tmp_path: Path) -> None:
    truth = objects(seed)
    (tmp_path / "instances.json").write_text(json.dumps(truth))
    read = read_objects(tmp_path / "instances.json", "error", "")
    found = guesses(truth, seed, kind == "segm")
    right = judge.object_matches(read, found, kind, "x_")
    equal(scoring.object_matches(read, found, kind, "x_"), right, matches.BOX_FIGURES, "x_")
    assert right["x_all_rank"].max() == 99 and (right["x_small_ignored"] > 0).any() and read.crowd.any()


@pytest.mark.parametrize("sigmas", [np.full(17, 0.05), np.linspace(0.02, 0.12, 17)], ids=["equal", "custom"])
def test_keypoints_are_matched_as_pycocotools_does(sigmas: np.ndarray, tmp_path: Path) -> None:
    truth, found = persons(4)
    (tmp_path / "persons.json").write_text(json.dumps(truth))
    read = read_keypoints(tmp_path / "persons.json", JOINTS)
    right = judge.keypoint_matches(read, found, sigmas)
    equal(scoring.keypoint_matches(read, found, sigmas), right, matches.KEYPOINT_FIGURES)
    assert right["all_rank"].max() == 19 and (right["all_ignored"] > 0).any()


def test_no_detections_and_nothing_to_find(tmp_path: Path) -> None:
    truth = objects(0)
    (tmp_path / "instances.json").write_text(json.dumps(truth))
    read = read_objects(tmp_path / "instances.json", "error", "")
    made = scoring.object_matches(read, [], "bbox")
    assert matches.accumulate(made, matches.BOX_FIGURES[:1]) == {"AP": 0.0}
    right = judge.object_matches(read, [], "bbox")
    for name in ("all_truths", "all_start", "small_truths", "image"):
        np.testing.assert_array_equal(made[name], right[name])
