"""Small COCO files for the tests, and pycocotools' own judgement of clean ones: the right value, computed without our reading."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pycocotools import mask as coded
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tasks.pose.skeletons.coco import COCO as PERSON_JOINTS

Json = Any
SIZE_WH = (200, 160)


def right(truth: Json, results: Json, kind: str) -> float:
    """AP in per cent of results against a clean truth."""
    with contextlib.redirect_stdout(io.StringIO()):
        expected = COCO()
        expected.dataset = copy.deepcopy(truth)
        expected.createIndex()
        judge = COCOeval(expected, expected.loadRes(copy.deepcopy(results)), kind)
        judge.evaluate(), judge.accumulate(), judge.summarize()
    return 100 * float(judge.stats[0])


def images(count: int) -> list[Json]:
    return [
        {"id": i + 1, "file_name": f"{i + 1:06d}.png", "width": SIZE_WH[0], "height": SIZE_WH[1]} for i in range(count)
    ]


def persons(pictures: int = 4, each: int = 3) -> Json:
    """A keypoint file: persons of 17 joints, some of them not labelled."""
    rng = np.random.default_rng(0)
    annotations = []
    for picture in range(pictures):
        for _ in range(each):
            w, h = rng.integers(40, 90), rng.integers(60, 120)
            x, y = rng.integers(0, SIZE_WH[0] - w), rng.integers(0, SIZE_WH[1] - h)
            points = np.stack([x + rng.random(17) * w, y + rng.random(17) * h, rng.random(17) < 0.7], 1).round()
            points[points[:, 2] == 0] = 0
            points[0, 2] = 2
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": picture + 1,
                    "category_id": 1,
                    "iscrowd": 0,
                    "bbox": [int(x), int(y), int(w), int(h)],
                    "area": float(w * h * 0.6),
                    "num_keypoints": int((points[:, 2] > 0).sum()),
                    "keypoints": points.ravel().tolist(),
                }
            )
    # One whose joints nobody labelled: pycocotools passes over it, whatever the other fields say.
    annotations[1] |= {"keypoints": [0] * 51, "num_keypoints": 0}
    joints = {"id": 1, "name": "person", "keypoints": list(PERSON_JOINTS.names)}
    return {"images": images(pictures), "annotations": annotations, "categories": [joints]}


def poses(truth: Json, noise: float = 0.06) -> list[Json]:
    """Results for every labelled person, shaken."""
    rng = np.random.default_rng(1)
    found = []
    for number, annotation in enumerate(truth["annotations"]):
        points = np.array(annotation["keypoints"], float).reshape(-1, 3)
        points[:, :2] += rng.normal(0, noise * np.sqrt(annotation["area"]), (17, 2))
        points[:, 2] = 1
        keypoints = points.ravel().round(2).tolist()
        score = 1 - 0.01 * number
        found.append({"image_id": annotation["image_id"], "category_id": 1, "keypoints": keypoints, "score": score})
    return found


def things(
    pictures: int = 4, categories: tuple[tuple[int, str], ...] = ((1, "person"), (2, "bicycle"), (3, "car"))
) -> Json:
    """An instance file: triangles in boxes."""
    rng = np.random.default_rng(2)
    annotations = []
    for picture in range(pictures):
        for number, _ in categories:
            for _ in range(2):
                w, h = (int(v) for v in rng.integers(20, 90, 2))
                x, y = int(rng.integers(0, SIZE_WH[0] - w)), int(rng.integers(0, SIZE_WH[1] - h))
                polygon = [x, y, x + w, y, x, y + h]
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": picture + 1,
                        "category_id": number,
                        "iscrowd": 0,
                        "bbox": [x, y, w, h],
                        "segmentation": [polygon],
                        "area": float(coded.area(runs([polygon]))),
                    }
                )
    listed = [{"id": number, "name": name} for number, name in categories]
    return {"images": images(pictures), "annotations": annotations, "categories": listed}


def runs(polygons: list[list[float]], dx: int = 0) -> Json:
    """Compressed run lengths of polygons, moved by dx pixels."""
    moved = [[v + dx * (i % 2 == 0) for i, v in enumerate(polygon)] for polygon in polygons]
    made = coded.merge(coded.frPyObjects(moved, SIZE_WH[1], SIZE_WH[0]))
    return {"size": list(made["size"]), "counts": made["counts"].decode()}


def detections(truth: Json, masks: bool = False, noise: float = 4.0) -> list[Json]:
    """Results for every object, shaken: boxes, or masks."""
    rng = np.random.default_rng(3)
    found = []
    for annotation in truth["annotations"]:
        x, y, w, h = (float(v) for v in np.array(annotation["bbox"]) + rng.normal(0, noise, 4))
        record = {k: annotation[k] for k in ("image_id", "category_id")} | {"score": float(rng.uniform(0.3, 1))}
        if masks:
            record["segmentation"] = runs(annotation["segmentation"], int(rng.integers(-6, 7)))
        else:
            record["bbox"] = [x, y, max(w, 1), max(h, 1)]
        found.append(record)
    return found


def lay(root: Path, truth: Json, name: str) -> Path:
    """Writes an annotation file, and grey pictures for it; returns the dataset's folder."""
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    (root / "annotations" / f"{name}_val2017.json").write_text(json.dumps(truth))
    folder = root / "images" / "val2017"
    folder.mkdir(parents=True, exist_ok=True)
    for entry in truth["images"]:
        Image.new("RGB", SIZE_WH, (90, 90, 90)).save(folder / Path(str(entry["file_name"]).replace("\\", "/")).name)
    return root


def each(**fields: Any) -> Callable[[Json], None]:
    """A change of every annotation: values, or functions of index and annotation; `None` is null, `...` takes the field away."""

    def change(truth: Json) -> None:
        for index, annotation in enumerate(truth["annotations"]):
            for field, value in fields.items():
                made = value(index, annotation) if callable(value) else value
                if made is ...:
                    annotation.pop(field, None)
                else:
                    annotation[field] = made

    return change
