"""COCO's detector boxes and PoseTrack from files in their owners' forms to what the loader reads; failures included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.cli import entry
from tasks import get_task


def _run(dataset: str, raw: Path, root: Path, *words: str) -> int:
    return entry(["prepare", dataset, "--from", str(raw), "--data-root", str(root), *words])


def _picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((120, 160, 3), 90, np.uint8))


def _raw_coco(raw: Path) -> None:
    from tasks.pose.skeletons.coco import COCO

    keypoints = [value for joint in range(17) for value in (30 + joint, 40 + joint, 2)]
    person = {"id": 5, "image_id": 3, "category_id": 1, "bbox": [20, 30, 60, 70], "area": 2000.0, "iscrowd": 0}
    images = [{"id": 3, "file_name": "000000000003.jpg", "width": 160, "height": 120}]
    categories = [{"id": 1, "name": "person", "keypoints": list(COCO.names)}]
    content = {
        "images": images,
        "annotations": [{**person, "keypoints": keypoints, "num_keypoints": 17}],
        "categories": categories,
    }
    (raw / "annotations").mkdir(parents=True)
    (raw / "annotations/person_keypoints_val2017.json").write_text(json.dumps(content))
    _picture(raw / "val2017/000000000003.jpg")


def _boxes(number: int) -> list[dict[str, Any]]:
    return [
        {"image_id": 3, "category_id": category, "bbox": [10.5, 20, 30, 40], "score": 0.5}
        for category in (1, 18, 1)[:number]
    ]


def test_persons_are_picked_out_of_a_detectors_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw, root = tmp_path / "raw", tmp_path / "data"
    _raw_coco(raw)
    (raw / "mine_val2017.bbox.json").write_text(json.dumps(_boxes(3)))
    assert _run("coco", raw, root) == 0
    assert "2 persons of 3 boxes" in capsys.readouterr().out
    task = get_task("pose")
    protocol = task.protocol_with(task.protocol("coco"), {"boxes": "detector"})
    data = task.eval_data("coco", root / "coco", "val2017", protocol)
    assert len(data) == 2
    assert len(task.eval_data("coco", root / "coco", "val2017", task.protocol("coco"))) == 1
    assert _run("coco", raw, root) == 0
    (raw / "mine_val2017.bbox.json").write_text(json.dumps(_boxes(1)))
    assert _run("coco", raw, root) == 2
    assert "says something else" in capsys.readouterr().err


def test_hrnets_boxes_are_placed_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw, root = tmp_path / "raw", tmp_path / "data"
    _raw_coco(raw)
    (raw / "deep").mkdir()
    name = "COCO_val2017_detections_AP_H_56_person.json"
    (raw / "deep" / name).write_text(json.dumps(_boxes(1)))
    assert _run("coco", raw, root) == 0
    assert "! boxes of val2017: 1, but the official set has 104,125" in capsys.readouterr().out
    assert (root / "coco/person_detection_results" / name).read_text() == json.dumps(_boxes(1))


def test_boxes_alone_are_prepared_and_what_lacks_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "val2017.bbox.json").write_text(json.dumps(_boxes(3)))
    assert _run("coco", raw, tmp_path / "data") == 0
    told = capsys.readouterr().out
    assert "-  val2017: not complete yet, there is no" in told and "person_keypoints_val2017.json" in told


def test_nothing_of_coco_or_no_person_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    assert _run("coco", raw, tmp_path / "data") == 2
    assert "expected COCO's annotations, pictures or a detector's boxes" in capsys.readouterr().err
    (raw / "val2017.bbox.json").write_text(json.dumps(_boxes(2)[1:]))
    assert _run("coco", raw, tmp_path / "data") == 2
    assert "expected boxes of category 1 (person), got 1 of others" in capsys.readouterr().err


def _video_2017() -> dict[str, Any]:
    point = [{"id": [0], "x": [50.0], "y": [60.0]}, {"id": [13], "x": [52.0], "y": [30.0]}]
    rect = {"x1": [40], "y1": [20], "x2": [60], "y2": [50], "track_id": [0], "annopoints": [{"point": point}]}
    image = [{"name": "images/bonn/000001_bonn/00000001.jpg"}]
    return {"annolist": [{"image": image, "annorect": [rect], "imgnum": [1], "is_labeled": [1]}]}


def test_posetrack_is_linked_and_its_form_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw, root = tmp_path / "raw" / "posetrack_data", tmp_path / "data"
    for split in ("train", "val"):
        (raw / "annotations" / split).mkdir(parents=True)
        (raw / "annotations" / split / "000001_bonn_relpath_5sec_trainsub.json").write_text(json.dumps(_video_2017()))
    _picture(raw / "images/bonn/000001_bonn/00000001.jpg")
    assert _run("posetrack18", tmp_path / "raw", root) == 2
    assert "expected the form of 2018, got that of 2017; prepare posetrack17" in capsys.readouterr().err
    assert _run("posetrack17", tmp_path / "raw", root) == 0
    told = capsys.readouterr().out
    assert "! sequences of val: 1, but the official set has 50" in told and "ok val: 1 samples" in told
    assert _run("posetrack17", tmp_path / "raw", root) == 0
    assert _run("posetrack17", tmp_path / "raw" / "posetrack_data" / "images", tmp_path / "other") == 2
    assert "expected annotations/train and annotations/val" in capsys.readouterr().err


def test_bad_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry(["prepare"]) == 0
    assert "mpii_human_pose_v1_u12_1.mat" in capsys.readouterr().out
    for words, text in (
        (["mpi"], "'mpii'"),
        (["mpii"], "--from is needed: mpii is made from mpii_human_pose_v1_u12_2.zip"),
        (["mpii", "--from", str(tmp_path)], "--data-root is needed"),
        (["mpii", "--from", str(tmp_path / "no"), "--data-root", str(tmp_path)], "expected a folder with the owners'"),
    ):
        assert entry(["prepare", *words]) == 2
        assert text in capsys.readouterr().err
