"""COCO's test-dev: no truth here, no figures, and the archive that the server takes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cli import entry
from benchmarks.speed.made_up_data import coco_instances
from tasks import get_task


@pytest.fixture()
def test_dev(tmp_path: Path) -> Path:
    coco_instances(tmp_path, "test2017", 3, 5)
    annotations = tmp_path / "coco" / "annotations"
    listed = json.loads((annotations / "instances_test2017.json").read_text())
    listed.pop("annotations")
    (annotations / "image_info_test-dev2017.json").write_text(json.dumps(listed))
    (annotations / "instances_test2017.json").unlink()
    return tmp_path


def test_predictions_become_an_archive(test_dev: Path, tmp_path: Path) -> None:
    task = get_task("detection")
    protocol = task.protocol("coco")
    data = task.eval_data("coco", test_dev / "coco", "test-dev2017", protocol)
    evaluation = task.evaluation(data, protocol)
    found = {
        "boxes": np.array([[1.0, 2.0, 30.0, 40.0]], np.float32),
        "scores": np.array([0.5], np.float32),
        "labels": np.array([1]),
    }
    evaluation.add(range(3), [found] * 3)
    stats = evaluation.stats()
    assert list(stats["image"]) == ["1", "2", "3"] and task.figures("coco", stats, {}) == {}
    assert np.isnan(evaluation.sample_scores()).all()
    for place in ("one", "two"):
        folder = tmp_path / place
        folder.mkdir()
        evaluation.write_predictions(folder)
        assert "detections_test-dev2017_bbox_results.zip" in evaluation.write_submission(folder)
    archive = tmp_path / "one" / "detections_test-dev2017_bbox_results.zip"
    with zipfile.ZipFile(archive) as opened:
        [name] = opened.namelist()
        records = json.loads(opened.read(name))
    assert name == "detections_test-dev2017_bbox_results.json"
    assert [record["image_id"] for record in records] == [1, 2, 3] and records[0]["bbox"] == [1, 2, 30, 40]
    assert archive.read_bytes() == (tmp_path / "two" / archive.name).read_bytes()  # no dates


def test_a_split_with_truth_has_no_archive(tmp_path: Path) -> None:
    coco_instances(tmp_path, "val2017", 2, 4)
    task = get_task("detection")
    data = task.eval_data("coco", tmp_path / "coco", "val2017", task.protocol("coco"))
    assert task.evaluation(data, task.protocol("coco")).write_submission(tmp_path) == ""


def test_eval_says_what_to_upload(test_dev: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    import tasks

    torch.save(tasks.build_model("detection", "resnet_micro", "coco").state_dict(), tmp_path / "weights.pth")
    words = ["eval", "--task", "detection", "--dataset", "coco", "--model", "resnet_micro", "--split", "test-dev2017"]
    words += [
        "--checkpoint",
        str(tmp_path / "weights.pth"),
        "--data-root",
        str(test_dev),
        "--out",
        str(tmp_path / "out"),
    ]
    assert entry([*words, "--protocol", "short_px=64", "long_px=96"]) == 0
    assert "upload detections_test-dev2017_bbox_results.zip" in capsys.readouterr().out
    assert list((tmp_path / "out").rglob("detections_test-dev2017_bbox_results.zip"))
