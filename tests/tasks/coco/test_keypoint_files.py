"""Keypoint files as exporters write them: the figures of pycocotools on the clean file, or one line that says why not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import judged
import numpy as np
import pytest
from judged import each

from tasks import get_task
from tasks.coco.keypoints import read_keypoints
from tasks.pose.crops.augment import PoseAugment
from tasks.pose.datasets import PoseEvalData, PoseTrainData
from tasks.pose.entries import ENTRIES
from tasks.pose.protocol import CocoProtocol
from tasks.pose.skeletons.coco import COCO
from tasks.pose.submissions import coco_stats

PROTOCOL = CocoProtocol(input_wh=(96, 128))


def scored(root: Path, truth: Any, results: Any) -> tuple[float, str]:
    """(AP, notes) of `score` on files of this content."""
    judged.lay(root, truth, "person_keypoints")
    (root / "results.json").write_text(json.dumps(results))
    stats, notes = coco_stats(root, "val2017", root / "results.json")
    return get_task("pose").figures("coco", stats, {})["AP"], " ".join(notes)


def renamed_pictures(names: dict[int, Any]) -> Any:
    def change(truth: Any) -> None:
        for image in truth["images"]:
            image["id"] = names[image["id"]]
        for annotation in truth["annotations"]:
            annotation["image_id"] = names[annotation["image_id"]]

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (each(id=lambda i, a: i), ""),
        (each(id=lambda i, a: -1 - i), ""),
        (each(id=lambda i, a: i % 3 + 1), ""),
        (each(id=...), ""),
        (each(id=None), ""),
        (each(id=lambda i, a: f"ann-{i}"), ""),
        (each(id=lambda i, a: f"{i}" if i % 2 else i), ""),
        (each(num_keypoints=...), ""),
        (each(num_keypoints=None), ""),
        (each(num_keypoints=17), "num_keypoints"),
        (each(num_keypoints=0), "num_keypoints"),
        (each(iscrowd=...), ""),
        (each(iscrowd=None), ""),
        (each(iscrowd="0"), ""),
        (each(iscrowd=False), ""),
        (each(category_id="1"), ""),
        (each(category_id=...), ""),
        (each(image_id=lambda i, a: str(a["image_id"])), ""),
        (each(keypoints=lambda i, a: ... if i == 1 else a["keypoints"]), ""),
        (each(keypoints=lambda i, a: None if i == 1 else a["keypoints"]), ""),
        (lambda t: t["annotations"].append({**t["annotations"][0], "category_id": 7}), "other categories"),
        (lambda t: t["categories"].append({"id": 2, "name": "dog"}), ""),
        (lambda t: t["categories"][0].pop("keypoints"), ""),
        (lambda t: t["categories"][0].update(keypoints=[n.replace("_", " ").upper() for n in COCO.names]), ""),
    ],
)  # fmt: skip
def test_derivable_fields_change_no_figure(change: Any, said: str, tmp_path: Path) -> None:
    clean = judged.persons()
    results = judged.poses(clean)
    expected = judged.right(clean, results, "keypoints")
    assert 20 < expected < 95
    truth = copy.deepcopy(clean)
    change(truth)
    found, notes = scored(tmp_path, truth, results)
    assert found == pytest.approx(expected)
    assert said in notes and bool(notes) == bool(said)


@pytest.mark.parametrize(
    "names", [{1: "a", 2: "b", 3: "c", 4: "d"}, {1: "x", 2: 2, 3: "03", 4: 44}, {1: 0, 2: -5, 3: 7, 4: 2**40}]
)
def test_any_picture_ids(names: dict[int, Any], tmp_path: Path) -> None:
    clean = judged.persons()
    results = judged.poses(clean)
    expected = judged.right(clean, results, "keypoints")
    renamed_pictures(names)(clean)
    found, _ = scored(tmp_path, clean, [{**r, "image_id": names[r["image_id"]]} for r in results])
    assert found == pytest.approx(expected)


def test_results_name_pictures_by_text_or_float(tmp_path: Path) -> None:
    clean = judged.persons()
    results = judged.poses(clean)
    expected = judged.right(clean, results, "keypoints")
    for number, kind in enumerate((str, float)):
        found, _ = scored(tmp_path / str(number), clean, [{**r, "image_id": kind(r["image_id"])} for r in results])
        assert found == pytest.approx(expected)


def test_the_truth_against_itself_is_perfect(tmp_path: Path) -> None:
    clean = judged.persons()
    each(id=lambda i, a: i)(clean)
    perfect = [
        {**{k: a[k] for k in ("image_id", "category_id", "keypoints")}, "score": 0.5}
        for a in clean["annotations"]
        if any(a["keypoints"])
    ]
    assert scored(tmp_path, clean, perfect)[0] == pytest.approx(100)


@pytest.mark.parametrize("area", [0, None, ..., -3])
def test_some_areas_lack_is_said_and_all_refused(area: Any, tmp_path: Path) -> None:
    clean = judged.persons()
    results = judged.poses(clean)
    truth = copy.deepcopy(clean)
    each(area=lambda i, a: area if i == 2 else a["area"])(truth)
    # pycocotools' own answer to an area of 0: no pose matches.
    zero = copy.deepcopy(clean)
    zero["annotations"][2]["area"] = 0
    found, notes = scored(tmp_path, truth, results)
    assert found == pytest.approx(judged.right(zero, results, "keypoints"))
    assert "1 of 11 persons have no area" in notes and "annotation 3" in notes
    each(area=area)(truth)
    with pytest.raises(ValueError, match=r"person_keypoints_val2017\.json: expected the persons' area, got none of 11"):
        scored(tmp_path, truth, results)
    with pytest.raises(ValueError, match="expected the persons' area"):
        PoseEvalData(ENTRIES["coco"], tmp_path, "val2017", PROTOCOL)


def test_training_needs_no_area(tmp_path: Path) -> None:
    truth = judged.persons()
    each(area=...)(truth)
    judged.lay(tmp_path, truth, "person_keypoints")
    assert len(PoseTrainData(ENTRIES["coco"], tmp_path, "val2017", PROTOCOL, PoseAugment(), 0)) == 11


def test_nobody_to_show_a_network_is_said(tmp_path: Path) -> None:
    truth = judged.persons()
    each(keypoints=[0] * 51)(truth)
    judged.lay(tmp_path, truth, "person_keypoints")
    with pytest.raises(ValueError, match=r"expected persons with labelled joints .* got none among 12 annotations"):
        PoseEvalData(ENTRIES["coco"], tmp_path, "val2017", PROTOCOL)
    judged.lay(tmp_path, truth | {"annotations": []}, "person_keypoints")
    with pytest.raises(ValueError, match=r"expected persons with labelled joints .* got none among 0 annotations"):
        PoseEvalData(ENTRIES["coco"], tmp_path, "val2017", PROTOCOL)
    (tmp_path / "boxes.json").write_text("[]")
    protocol = CocoProtocol(input_wh=(96, 128), boxes="detector", boxes_file=str(tmp_path / "boxes.json"))
    data = PoseEvalData(ENTRIES["coco"], tmp_path, "val2017", protocol)
    assert len(data) == 0 and "boxes.json has no box above box_threshold=0" in data.notes[-1]


@pytest.mark.parametrize("box", [None, ...])
def test_a_missing_box_is_the_extent_of_the_joints(box: Any, tmp_path: Path) -> None:
    truth = judged.persons()
    each(bbox=lambda i, a: box if i == 0 else a["bbox"])(truth)
    judged.lay(tmp_path, truth, "person_keypoints")
    read = read_keypoints(tmp_path / "annotations" / "person_keypoints_val2017.json", COCO.names)
    points = np.array(truth["annotations"][0]["keypoints"]).reshape(-1, 3)
    seen = points[points[:, 2] > 0, :2]
    np.testing.assert_allclose(read.boxes[0], [*seen.min(0), *(seen.max(0) - seen.min(0) + 1)])
    assert "1 boxes are missing" in read.notes[0]
    assert len(PoseEvalData(ENTRIES["coco"], tmp_path, "val2017", PROTOCOL)) == 11


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t["categories"][0].update(name="antelope", keypoints=[f"part_{i}" for i in range(17)]), "joint 0 is 'part_0'"),
        (lambda t: t["categories"][0].update(keypoints=list(COCO.names[::-1])), "skeleton of this dataset"),
        (lambda t: t["categories"][0].update(keypoints=list(COCO.names[:16])), "got 16 others"),
        (each(iscrowd="maybe"), "annotation 1: expected iscrowd as 0 or 1, got 'maybe'"),
        (each(iscrowd=2), "annotation 1: expected iscrowd as 0 or 1, got 2"),
        (each(keypoints=lambda i, a: a["keypoints"][:48]), "annotation 1: expected keypoints of 51 numbers but got 48"),
        (each(keypoints=...), "annotation 1: expected keypoints but no record has any; is this an instances file"),
        (each(keypoints=lambda i, a: [1e30, *a["keypoints"][1:]]), "got joint 0 at 1e\\+30"),
        (each(keypoints=lambda i, a: [10**400, *a["keypoints"][1:]]), "too many digits"),
        (each(bbox=[1, 2, 3]), "annotation 1: expected bbox as four numbers"),
        (lambda t: t["images"][1].update(id=1), "a second picture of this id"),
        (lambda t: t["images"][1].update(width=20.5), "images\\[1\\] .*expected width"),
        (lambda t: t.update(images=[]), "got an empty list"),
    ],
)  # fmt: skip
def test_what_cannot_be_derived_is_refused_by_every_verb(change: Any, words: str, tmp_path: Path) -> None:
    truth = judged.persons()
    results = judged.poses(truth)
    change(truth)
    with pytest.raises(ValueError, match=words) as caught:
        scored(tmp_path, truth, results)
    assert "person_keypoints_val2017.json" in str(caught.value) and "\n" not in str(caught.value)
    for opened in (
        lambda: PoseEvalData(ENTRIES["coco"], tmp_path, "val2017", PROTOCOL),
        lambda: PoseTrainData(ENTRIES["coco"], tmp_path, "val2017", PROTOCOL, PoseAugment(), 0),
    ):
        with pytest.raises(ValueError, match=words):
            opened()


def test_the_person_may_have_another_id(tmp_path: Path) -> None:
    clean = judged.persons()
    results = judged.poses(clean)
    expected = judged.right(clean, results, "keypoints")
    clean["categories"] = [{"id": 4, "name": "dog"}, {"id": 0, "name": "person", "keypoints": list(COCO.names)}]
    each(category_id=0)(clean)
    found, notes = scored(tmp_path, clean, [{**r, "category_id": 0} for r in results])
    assert found == pytest.approx(expected) and not notes
    with pytest.raises(ValueError, match=r"results\.json, entry 0: expected a listed category, got category_id 1"):
        scored(tmp_path, clean, results)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r[0].update(bbox=[0, 0, 9, 9]), None),
        (lambda r: r[0].update(segmentation=[], caption="x"), None),
        (lambda r: r[3].update(category_id=0), r"results\.json, entry 3: expected a listed category, got category_id 0"),
        (lambda r: [x.update(category_id=0) for x in r], "listed category, got category_id 0"),
        (lambda r: r[3].pop("score"), r"entry 3: expected the field 'score'"),
        (lambda r: r[3].pop("keypoints"), r"entry 3: expected the field 'keypoints'"),
        (lambda r: r[3].update(keypoints=[1] * 48), r"entry 3: expected keypoints as 51"),
        (lambda r: r[3].update(keypoints=["a"] * 51), r"entry 3: expected keypoints as 51"),
        (lambda r: r[3].update(keypoints=[1e30] * 51), r"entry 3: expected pixels of a picture of 200x160"),
        (lambda r: r[3].update(image_id=99), r"for the 4 pictures of the ground truth, got results for 1 others \(image_id 99"),
        (lambda r: r[3].update(image_id=[1]), r"entry 3: expected the id of a listed picture"),
    ],
)  # fmt: skip
def test_results_are_right_or_refused(change: Any, words: str | None, tmp_path: Path) -> None:
    clean = judged.persons()
    results = judged.poses(clean)
    expected = judged.right(clean, results, "keypoints")
    change(results)
    if words is None:
        assert scored(tmp_path, clean, results)[0] == pytest.approx(expected)
        return
    with pytest.raises(ValueError, match=words):
        scored(tmp_path, clean, results)


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    truth = judged.persons()
    for image in truth["images"]:
        image |= {"width": 2 * image["width"], "height": 2 * image["height"]}
    judged.lay(tmp_path, truth, "person_keypoints")
    said = r"000001\.png: .*the annotation file states, 400x320 .*got 200x160"
    with pytest.raises(ValueError, match=said):
        PoseEvalData(ENTRIES["coco"], tmp_path, "val2017", PROTOCOL)[0]
    with pytest.raises(ValueError, match=said):
        PoseTrainData(ENTRIES["coco"], tmp_path, "val2017", PROTOCOL, PoseAugment(), 0)[(0, 0)]


def test_backslashes_in_file_names(tmp_path: Path) -> None:
    truth = judged.persons()
    truth["images"][0]["file_name"] = ".\\000001.png"
    judged.lay(tmp_path, truth, "person_keypoints")
    assert PoseEvalData(ENTRIES["coco"], tmp_path, "val2017", PROTOCOL)[0]["images"].shape == (3, 128, 96)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings_are_read(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "person_keypoints.json"
    path.write_text(json.dumps(judged.persons()), encoding=encoding)
    assert len(read_keypoints(path, COCO.names)) == 12
