"""Reading COCO and MPII: what is kept, what samples look like, and what bad input is told."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tasks import get_task
from tasks.pose.crops.augment import PoseAugment
from tasks.pose.datasets import PoseEvalData, PoseTrainData
from tasks.pose.entries import ENTRIES
from tasks.pose.files import coco, mpii
from tasks.pose.protocol import CocoProtocol, MpiiProtocol
from tasks.pose.submissions import coco_stats
from tasks.pose.targets import pose_targets

SIZE = (96, 128)


def annotation(number: int, **changes: Any) -> dict[str, Any]:
    points = np.column_stack([np.linspace(30, 90, 17), np.linspace(20, 110, 17), np.full(17, 2)])
    return {
        "id": number,
        "image_id": 7,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [20, 10, 80, 105],
        "area": 4000.0,
        "num_keypoints": 17,
        "keypoints": points.ravel().tolist(),
    } | changes


@pytest.fixture
def coco_root(tmp_path: Path) -> Path:
    root = tmp_path / "coco"
    write_coco(root, [annotation(1), annotation(2, bbox=[60, 40, 100, 100])])
    picture = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    for folder in ("train2017", "val2017"):
        (root / "images" / folder).mkdir(parents=True)
        Image.fromarray(picture).save(root / "images" / folder / "000000000007.jpg")
    (root / "person_detection_results").mkdir()
    write_boxes(root, [{"image_id": 7, "category_id": 1, "bbox": [20, 10, 80, 105], "score": 0.9}])
    return root


def write_coco(root: Path, annotations: list[dict[str, Any]], name: str = "000000000007.jpg") -> None:
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    content = {
        "images": [{"id": 7, "file_name": name, "width": 160, "height": 120}],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person"}],
    }
    for split in ("train2017", "val2017"):
        (root / "annotations" / f"person_keypoints_{split}.json").write_text(json.dumps(content))


def write_boxes(root: Path, boxes: list[dict[str, Any]]) -> None:
    path = root / "person_detection_results" / "COCO_val2017_detections_AP_H_56_person.json"
    path.write_text(json.dumps(boxes))


def open_coco(root: Path, **changes: Any) -> PoseEvalData:
    return PoseEvalData(ENTRIES["coco"], root, "val2017", CocoProtocol(input_wh=SIZE, **changes))


# -- what is kept ------------------------------------------------------------------------------------------------


def test_ground_truth_box_loses_a_pixel_and_is_clipped() -> None:
    boxes = np.array([[20.0, 10, 80, 105], [-10, 100, 300, 50], [500, 10, 20, 20], [20, 10, 80, 105]])
    points = np.ones((4, 17, 3)) * np.array([1, 1, 1, 0])[:, None, None]
    made, kept = coco.kept_boxes(boxes, points, np.array([[160, 120]] * 4))
    np.testing.assert_allclose(made[:2], [[20, 10, 79, 104], [0, 100, 159, 19]])
    assert kept.tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    "changes",
    [{"iscrowd": 1}, {"area": 0.0}, {"keypoints": [0] * 51}, {"bbox": [500, 10, 20, 20]}, {"category_id": 3}],
    ids=["crowd", "no area", "no keypoints", "outside", "no person"],
)
def test_instances_that_are_skipped(coco_root: Path, changes: dict[str, Any]) -> None:
    write_coco(coco_root, [annotation(1), annotation(2, **changes)])
    assert open_coco(coco_root).persons.record == (1,)


def test_detector_boxes_are_neither_clipped_nor_shrunk(coco_root: Path) -> None:
    boxes = [{"image_id": 7, "category_id": 1, "bbox": [-50, 10, 80, 105], "score": s} for s in (0.9, 0.2)]
    write_boxes(coco_root, [*boxes, {**boxes[0], "category_id": 2}])
    data = open_coco(coco_root, boxes="detector")
    np.testing.assert_allclose(data.persons.centres[0], [-10, 62.5])
    np.testing.assert_allclose(data.persons.scores, [0.9, 0.2])
    assert len(open_coco(coco_root, boxes="detector", box_threshold=0.5)) == 1


def test_layout_without_the_images_level(coco_root: Path) -> None:
    (coco_root / "images" / "val2017").rename(coco_root / "val2017")
    assert open_coco(coco_root)[0]["images"].shape == (3, 128, 96)


# -- samples -----------------------------------------------------------------------------------------------------


def test_scales_and_colours(coco_root: Path) -> None:
    plain = open_coco(coco_root)[0]["images"]
    several = open_coco(coco_root, scales=(0.8, 1.0))[0]["images"]
    assert several.shape == (2, 3, 128, 96)
    np.testing.assert_array_equal(several[1], plain)
    blue = open_coco(coco_root, colour="bgr")[0]["images"]
    mean, std = np.array((0.485, 0.456, 0.406)), np.array((0.229, 0.224, 0.225))
    back = plain * std[:, None, None] + mean[:, None, None]
    np.testing.assert_allclose((blue * std[:, None, None] + mean[:, None, None])[::-1], back, atol=1e-5)


def test_training_sample_is_addressed_by_epoch_and_index(coco_root: Path) -> None:
    augment = PoseAugment(scale_factor=0.3, rotation_factor=40)
    one, two = (
        PoseTrainData(ENTRIES["coco"], coco_root, "train2017", CocoProtocol(input_wh=SIZE), augment, 3)
        for _ in range(2)
    )
    two[(5, 1)]  # what was read before must not matter
    for name in ("images", "target", "weight"):
        np.testing.assert_array_equal(one[(2, 0)][name], two[(2, 0)][name])
    assert not np.array_equal(one[(2, 0)]["images"], one[(3, 0)]["images"])
    assert one[(2, 0)]["target"].shape == (17, 32, 24)


def test_mirrored_sample_is_the_mirrored_picture(coco_root: Path) -> None:
    """With the mirror certain, crop and targets are those of the plain sample turned round."""
    still = PoseAugment(flip_prob=0.0)
    turned = PoseAugment(flip_prob=1.0)
    protocol = CocoProtocol(input_wh=SIZE)
    plain = PoseTrainData(ENTRIES["coco"], coco_root, "train2017", protocol, still, 0)[(0, 0)]
    mirror = PoseTrainData(ENTRIES["coco"], coco_root, "train2017", protocol, turned, 0)[(0, 0)]
    # The crop is centred between pixels, the mirror about one: columns differ by one.
    np.testing.assert_allclose(mirror["images"][:, :, 1:], plain["images"][:, :, :0:-1], atol=0.06)
    found = [np.unravel_index(m.argmax(), m.shape) for m in mirror["target"]]
    true = [np.unravel_index(m.argmax(), m.shape) for m in plain["target"]]
    for left, right in ((1, 2), (15, 16)):
        assert found[left][0] == true[right][0]
        assert abs(found[left][1] - (23 - true[right][1])) <= 1


@pytest.mark.parametrize(("input_wh", "cells"), [((192, 256), 13), ((288, 384), 19), ((384, 384), 19)])
def test_targets_widen_with_the_input(input_wh: tuple[int, int], cells: int) -> None:
    """A sigma of 2 cells reaches 13, one of 3 reaches 19 (docs/protocols.md 3)."""
    maps, weights = pose_targets(
        [[100.0, 120.0]], [1], input_wh, (input_wh[0] // 4, input_wh[1] // 4), PoseAugment().sigma_for(input_wh)
    )
    assert weights[0] == 1 and (maps[0] > 0).any(0).sum() == cells


def test_hourglass_targets_stand_at_the_truncated_cell() -> None:
    """Also near the border, where a corner truncated from the point itself would move them one further on."""
    points = [[4 * cell, 40.0] for cell in (0.2, 1.3, 2.4, 2.9, 3.4, 10.7)]
    maps, _ = pose_targets(points, [1] * 6, (256, 256), (64, 64), 1.0, "hourglass")
    assert [int(one.max(0).argmax()) for one in maps] == [0, 1, 2, 2, 3, 10]


def test_targets_sit_on_the_joints_of_the_crop(mpii_root: Path) -> None:
    data = PoseTrainData(
        ENTRIES["mpii"], mpii_root, "train", MpiiProtocol(input_wh=(128, 128)), PoseAugment(flip_prob=0), 0
    )
    sample = data[(0, 0)]
    persons = data.persons
    expected = (persons.joints[0] - persons.centres[0]) * 128 / 200 / persons.scales[0] + 64
    for joint in range(16):
        y, x = np.unravel_index(sample["target"][joint].argmax(), (32, 32))
        np.testing.assert_allclose((x, y), np.trunc(expected[joint] / 4 + 0.5))


# -- bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bbox": [20, 10, 0, 0]}, r"person_keypoints_val2017\.json, annotation 2: expected a box with a size"),
        ({"bbox": [20, 10, math.nan, 20]}, r"person_keypoints_val2017\.json, annotation 2: expected bbox .*NaN"),
        ({"keypoints": [1.0] * 48}, r"annotation 2: expected keypoints of 51 numbers but got 48"),
        ({"keypoints": ["x"] * 51}, r"annotation 2, keypoints, entry 0: expected a number, got 'x'"),
        ({"image_id": 8}, r"annotation 2: expected the id of a listed picture"),
        ({"image_id": [7]}, r"annotation 2: expected the id of a listed picture"),
        ({"area": "big"}, r"person_keypoints_val2017\.json, annotation 2: expected area as a number, got 'big'"),
    ],
)
def test_bad_annotation_is_named(coco_root: Path, changes: dict[str, Any], message: str) -> None:
    write_coco(coco_root, [annotation(1), annotation(2, **changes)])
    with pytest.raises(ValueError, match=message):
        open_coco(coco_root)


@pytest.mark.parametrize(
    ("field", "entry", "message"),
    [
        (
            "images",
            "000000000007.jpg",
            r"val2017\.json, images\[0\]: expected an object .*, got '000000000007\.jpg'",
        ),
        (
            "images",
            {"id": 7, "file_name": "a.jpg", "width": "wide", "height": 3},
            r"images\[0\] \(id 7\): expected width",
        ),
        ("images", {"id": [7], "file_name": "a.jpg", "width": 4, "height": 3}, r"images\[0\].*: expected an id"),
        ("annotations", 5, r"val2017\.json, annotations\[0\]: expected an object"),
    ],
)
def test_entries_that_are_no_records_are_named(coco_root: Path, field: str, entry: Any, message: str) -> None:
    path = coco.annotation_path(coco_root, "val2017")
    content = json.loads(path.read_text())
    content[field][0] = entry
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=message):
        open_coco(coco_root)


@pytest.mark.parametrize("categories", [None, 1, [], [{"id": 2, "name": "bicycle"}], ["person"]])
def test_an_annotation_file_without_the_person_category_is_refused_when_opened(
    coco_root: Path, categories: Any
) -> None:
    path = coco.annotation_path(coco_root, "val2017")
    content = json.loads(path.read_text())
    del content["categories"]
    path.write_text(json.dumps(content if categories is None else content | {"categories": categories}))
    said = r"person_keypoints_val2017\.json( with the person among its categories|, categories.*: expected an? (list|object))"
    for boxes in ("gt", "detector"):
        with pytest.raises(ValueError, match=said):
            open_coco(coco_root, boxes=boxes)
    with pytest.raises(ValueError, match=said):
        coco_stats(coco_root, "val2017", path)


def test_instances_file_is_recognised(coco_root: Path) -> None:
    entry = annotation(1)
    del entry["keypoints"]
    write_coco(coco_root, [entry])
    with pytest.raises(ValueError, match="instances file"):
        open_coco(coco_root)


def test_files_of_another_dataset(coco_root: Path, mpii_root: Path) -> None:
    path = coco.annotation_path(coco_root, "val2017")
    other = mpii.annotation_path(mpii_root, "valid")
    coco_text, mpii_text = path.read_text(), other.read_text()
    path.write_text(mpii_text)
    other.write_text(coco_text)
    with pytest.raises(ValueError, match="COCO's form"):
        open_coco(coco_root)
    with pytest.raises(ValueError, match="list of persons"):
        mpii.read_persons(mpii_root, "valid")
    for broken in ("{", "[" * 100_000):
        path.write_text(broken)
        with pytest.raises(
            ValueError,
            match=r"person_keypoints_val2017\.json: expected .*(no valid json|got something else|nested too deep)",
        ):
            open_coco(coco_root)
    path.unlink()
    with pytest.raises(ValueError, match="--data-root"):
        open_coco(coco_root)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ({"bbox": [1, 2, 0, 5]}, "entry 0: expected a box with a size"),
        ({"bbox": [1, 2, 3]}, "entry 0: expected bbox as four numbers"),
        ({"image_id": 9}, "entry 0: expected a picture of val2017"),
        ({"score": math.nan}, "person.json, entry 0: expected a finite score, got NaN"),
        ({"score": "high"}, "person.json, entry 0: expected a finite score, got 'high'"),
        ({"image_id": {}}, "entry 0: expected the id of a listed picture, got {}"),
    ],
)
def test_bad_detection_is_named(coco_root: Path, box: dict[str, Any], message: str) -> None:
    write_boxes(coco_root, [{"image_id": 7, "category_id": 1, "bbox": [20, 10, 80, 105], "score": 0.9} | box])
    with pytest.raises(ValueError, match=message):
        open_coco(coco_root, boxes="detector")


def test_a_detection_that_is_no_record_is_named(coco_root: Path) -> None:
    write_boxes(coco_root, [[7, 1, 2, 3]])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"entry 0: expected an object \{\.\.\.\}, got \[7, 1, 2, 3\]"):
        open_coco(coco_root, boxes="detector")


def test_detector_file_missing_or_ambiguous(coco_root: Path) -> None:
    folder = coco_root / "person_detection_results"
    (folder / "COCO_val2017_detections_mine_person.json").write_text("[]")
    with pytest.raises(ValueError, match="boxes_file=FILE"):
        open_coco(coco_root, boxes="detector")
    named = "person_detection_results/COCO_val2017_detections_AP_H_56_person.json"
    assert len(open_coco(coco_root, boxes="detector", boxes_file=named)) == 1
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(ValueError, match="boxes=gt"):
        open_coco(coco_root, boxes="detector")


def test_picture_missing_truncated_or_outside(coco_root: Path) -> None:
    path = coco_root / "images" / "val2017" / "000000000007.jpg"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match="cut short"):
        open_coco(coco_root)[0]
    path.unlink()
    with pytest.raises(ValueError, match="no such file"):
        open_coco(coco_root)[0]
    write_coco(coco_root, [annotation(1)], name="../../../secret.jpg")
    with pytest.raises(ValueError, match="inside the data root"):
        open_coco(coco_root)[0]
    path.parent.rmdir()
    with pytest.raises(ValueError, match="no such folder"):
        open_coco(coco_root)


@pytest.mark.parametrize("changes", [{"input_wh": (95, 128)}, {"scales": ()}, {"crop": "corners"}])
def test_impossible_protocol_is_refused(coco_root: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        PoseEvalData(ENTRIES["coco"], coco_root, "val2017", CocoProtocol(**{"input_wh": SIZE, **changes}))


def test_a_picture_of_another_size_is_refused_when_opened_and_when_read(coco_root: Path) -> None:
    """The json says 160x120: a copy of half the size would put every joint at twice its place."""
    Image.new("RGB", (80, 60)).save(coco_root / "images/val2017/000000000007.jpg")
    with pytest.raises(ValueError, match=r"000000000007\.jpg: .*160x120.*got 80x60"):
        get_task("pose").eval_data("coco", coco_root, "val2017", CocoProtocol(boxes="gt"))
    data = PoseTrainData(ENTRIES["coco"], coco_root, "val2017", CocoProtocol(), PoseAugment(), 0)
    with pytest.raises(ValueError, match=r"000000000007\.jpg: .*160x120.*got 80x60"):
        data[(0, 0)]
