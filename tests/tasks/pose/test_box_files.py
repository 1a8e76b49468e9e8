"""Person boxes of pictures named on a command line: found by path ends and ids, and an empty answer says why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.pose.files.box_files import BoxFile
from tasks.pose.predict import PersonBoxes

BOX = {"image_id": 7, "category_id": 1, "bbox": [1, 2, 30, 40], "score": 0.9}
SIZE = (100, 90)


def source(tmp_path: Path, content: Any, *images: str) -> PersonBoxes:
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(content))
    return PersonBoxes(path, [tmp_path / image for image in images])


def listed(*names: str, **fields: Any) -> dict[str, Any]:
    """An annotation file with a box for each picture; the x of a box is the picture's row."""
    images = [{"id": row, "file_name": name} | fields for row, name in enumerate(names)]
    boxes = [{"image_id": row, "category_id": 1, "bbox": [row, 2, 30, 40]} for row in range(len(names))]
    return {"images": images, "annotations": boxes}


def found(tmp_path: Path, content: Any, image: str) -> tuple[list[float], str]:
    given = source(tmp_path, content, image).of(tmp_path / image, SIZE, 0.3)
    assert given is not None
    return given.xyxy_px[:, 0].tolist(), given.why


@pytest.mark.parametrize(
    ("content", "image"),
    [
        (listed("a/1.jpg", "b/1.jpg"), "b/1.jpg"),
        (listed("1.jpg", "b/1.jpg"), "b/1.jpg"),
        (listed("2.jpg", "b\\1.jpg"), "b/1.jpg"),
        (listed("2.jpg", "1.jpg"), "deep/er/1.jpg"),
        ([BOX | {"bbox": [1, 2, 30, 40]}], "000000000007.jpg"),
        ([BOX], "COCO_val2014_000000000007.jpg"),
        ([BOX | {"image_id": "b/x"}, BOX | {"image_id": "a/x", "bbox": [5, 2, 30, 40]}], "b/x.jpg"),
        ([BOX | {"image_id": "x.jpg"}], "b/x.jpg"),
        ([BOX | {"image_id": 7.0}], "7.jpg"),
    ],
)
def test_pictures_are_found_by_path_ends_and_ids(content: Any, image: str, tmp_path: Path) -> None:
    assert found(tmp_path, content, image) == ([1.0], "")


@pytest.mark.parametrize(
    ("content", "image"),
    [
        (listed("a/1.jpg"), "b/1.jpg"),
        (listed("a/1.jpg"), "1.jpg"),
        ([BOX | {"image_id": "a/x"}], "b/x.jpg"),
        ([BOX | {"image_id": 8}], "000000000007.jpg"),
        ([], "000000000007.jpg"),
        ({"images": [], "annotations": [BOX]}, "000000000007.jpg"),
    ],
)
def test_a_base_name_alone_is_no_match(content: Any, image: str, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=rf"Expected person boxes of {Path(image).name} in .*boxes\.json but it names none"
    ):
        found(tmp_path, content, image)


def test_two_pictures_of_one_name_are_not_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected one picture for '1\.jpg', got .*a/1\.jpg and .*b/1\.jpg"):
        source(tmp_path, listed("1.jpg"), "a/1.jpg", "b/1.jpg")
    with pytest.raises(ValueError, match=r"expected one picture for '7', got"):
        source(tmp_path, [BOX], "a/7.jpg", "b/0007.jpg")
    source(tmp_path, listed("a/1.jpg", "b/1.jpg"), "a/1.jpg", "b/1.jpg")


def test_another_picture_of_the_name_has_another_size(tmp_path: Path) -> None:
    assert found(tmp_path, listed("1.jpg", width=100, height=90), "1.jpg")[0] == [0.0]
    with pytest.raises(ValueError, match=r"boxes\.json, image 0 \(1\.jpg\): expected .* of 640x480 pixels, got 100x90"):
        found(tmp_path, listed("1.jpg", width=640, height=480), "1.jpg")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"images": [{"id": 7, "file_name": "7.jpg"}], "annotations": []}, "knows 7.jpg but has no box of it"),
        ([BOX | {"score": 0.1}], "its 1 boxes have scores below 0.3"),
        ([BOX | {"category_id": 3}], "none of its 1 boxes is of category 1 (person)"),
        ([BOX | {"bbox": [1, 1, 1, 0.5]}], "its 1 boxes are not larger than a pixel"),
    ],
)
def test_an_empty_answer_says_why(content: Any, why: str, tmp_path: Path) -> None:
    boxes, said = found(tmp_path, content, "7.jpg")
    assert boxes == [] and why in said and "boxes.json" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([BOX, BOX | {"score": "high"}], "entry 1: expected a finite score, got 'high'"),
        ([BOX, BOX | {"image_id": []}], "entry 1: expected the id of a listed picture"),
        ([BOX, {"image_id": 7}], "entry 1: expected the field 'bbox'"),
        ([BOX | {"bbox": [1e30, 1, 5, 5]}], r"entry 0: expected a box in 7\.jpg of 100x90 pixels, got \[1e\+30"),
        ([BOX | {"bbox": [60, 50, 99, 80]}] * 3, "looks like corners"),
        (5, r"boxes\.json: expected"),
        (listed("7.jpg", "7.jpg"), "expected one entry for"),
    ],
)
def test_broken_files_are_named(content: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        found(tmp_path, content, "7.jpg")


def test_boxes_that_leave_the_picture_are_said(tmp_path: Path) -> None:
    boxes, why = found(tmp_path, [BOX | {"bbox": [80, 10, 60, 20]}], "7.jpg")
    assert boxes == [80.0] and "1 boxes leave 7.jpg, by up to 40 px" in why


def test_the_person_may_have_another_id(tmp_path: Path) -> None:
    content = listed("7.jpg") | {"categories": [{"id": 0, "name": "Person"}]}
    content["annotations"][0]["category_id"] = 0
    (tmp_path / "b.json").write_text(json.dumps(content))
    file = BoxFile(tmp_path / "b.json")
    answer = file.of_picture(tmp_path / "7.jpg", SIZE)
    assert answer is not None and len(answer.boxes) == 1


def test_boxes_of_the_dataset_that_a_picture_lies_in(tmp_path: Path) -> None:
    """COCO's layout: the annotations first, then detections; a copy elsewhere is in no dataset."""
    image = tmp_path / "coco" / "images" / "val2017" / "000000000007.jpg"
    image.parent.mkdir(parents=True)
    assert PersonBoxes(None, [image]).of(image, SIZE) is None
    detections = tmp_path / "coco" / "person_detection_results" / "COCO_val2017_detections_AP_H_56_person.json"
    detections.parent.mkdir()
    detections.write_text(json.dumps([BOX]))
    found = PersonBoxes(None, [image]).of(image, SIZE, 0.3)
    assert found is not None and found.xyxy_px.tolist() == [[1, 2, 31, 42]] and found.origin == str(detections)
    assert PersonBoxes(None, [image], annotated_only=True).of(image, SIZE) is None
    annotations = tmp_path / "coco" / "annotations" / "person_keypoints_val2017.json"
    annotations.parent.mkdir()
    annotations.write_text(json.dumps(listed("000000000007.jpg")))
    found = PersonBoxes(None, [image]).of(image, SIZE, 0.3)
    assert found is not None and found.xyxy_px.tolist() == [[0, 2, 30, 42]] and found.origin == str(annotations)
    copy = tmp_path / "elsewhere" / image.name
    assert PersonBoxes(None, [copy]).of(copy, SIZE) is None


def test_persons_of_a_dataset_of_ones_own(tmp_path: Path) -> None:
    """A dataset.toml above the picture says which file holds its boxes."""
    (tmp_path / "images").mkdir()
    (tmp_path / "val.json").write_text(
        json.dumps(
            {
                "images": [{"id": 7, "file_name": "m1.png", "width": 90, "height": 80}],
                "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [5, 6, 40, 50]}],
                "categories": [{"id": 3, "name": "mouse"}],
            }
        )
    )
    (tmp_path / "dataset.toml").write_text(
        'name = "mice"\ntask = "pose"\nlayout = "coco-keypoints"\n[splits.val]\nannotations = "val.json"\nimages = "images"\n'
    )
    image = tmp_path / "images" / "m1.png"
    found = PersonBoxes(None, [image]).of(image, (90, 80))
    assert found is not None and found.xyxy_px.tolist() == [[5, 6, 45, 56]]
