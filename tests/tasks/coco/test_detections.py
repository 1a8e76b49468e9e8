"""Detector boxes: corners and boxes outside their pictures are said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.coco.boxes import look_like_corners
from tasks.coco.detections import read_detections
from tasks.coco.pictures import Pictures

PICTURES = Pictures(Path("f"), (7, "b"), ("7.jpg", "b.jpg"), np.array([[200, 160], [100, 100]], np.int32))
BOXES = [[10, 10, 50, 60], [100, 80, 90, 70], [120, 20, 60, 100], [30, 90, 100, 60]]


def entries(boxes: Any, **fields: Any) -> list[dict[str, Any]]:
    return [{"image_id": 7, "category_id": 1, "bbox": box, "score": 0.5} | fields for box in boxes]


def read(path: Path, content: Any, **options: Any) -> Any:
    path.write_text(json.dumps(content))
    return read_detections(path, PICTURES, 1, "val2017", **options)


def test_boxes_are_read_in_order(tmp_path: Path) -> None:
    found = read(
        tmp_path / "d.json",
        [*entries(BOXES), *entries(BOXES[:1], category_id=3), *entries([[1, 2, 3, 4]], image_id="b")],
    )
    assert found.boxes.tolist() == [*BOXES, [1, 2, 3, 4]] and found.image.tolist() == [0, 0, 0, 0, 1]
    assert found.entry.tolist() == [0, 1, 2, 3, 5]
    assert found.notes == ("d.json: 1 boxes of other categories than 1 are left out",)
    assert len(read(tmp_path / "d.json", entries(BOXES), least_score=0.6).boxes) == 0


def test_corners_are_refused(tmp_path: Path) -> None:
    corners = [[x, y, x + w, y + h] for x, y, w, h in BOXES]
    with pytest.raises(ValueError, match=r"d\.json: expected bbox as x, y, width, height, got what looks like corners"):
        read(tmp_path / "d.json", entries(corners))
    sizes = np.array([[200, 160]] * 4)
    assert look_like_corners(np.array(corners, float), sizes) and not look_like_corners(np.array(BOXES, float), sizes)


def test_boxes_outside_are_counted(tmp_path: Path) -> None:
    found = read(tmp_path / "d.json", entries([*BOXES, [-50, 10, 80, 100], [150, 20, 90, 20]]))
    assert found.notes == ("d.json: 2 of 6 boxes leave their pictures, entry 4 by 50 px; they are used as they are",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (entries([[0, 0, 1e30, 5]]), r"entry 0: expected a box in a picture of 200x160 but got \[0\.0, 0\.0, 1e\+30, 5\.0\]"),
        (entries([[0, 0, 0, 5]]), "entry 0: expected a box with a size"),
        (entries(BOXES, category_id=0), "entry 0: expected boxes of category 1 .* got none among 4 .*category 0"),
        (entries(BOXES, image_id=8), "entry 0: expected a picture of val2017 but got image_id 8"),
        (entries(BOXES, score=None), "entry 0: expected the field 'score'"),
        ({"images": []}, "expected a list"),
    ],
)  # fmt: skip
def test_broken_boxes_are_named(content: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"d\.json.*{words}"):
        read(tmp_path / "d.json", content)
