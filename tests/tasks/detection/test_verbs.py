"""The verbs on embedded scenes: the papers' two steps by two commands, predict with a score, an existing results file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import tasks
from benchmarks.cli import entry
from benchmarks.synthetic.cache import ensure


def saved(path: Path, task: str, network: torch.nn.Module) -> str:
    """A network as our own checkpoint file."""
    build: dict[str, Any] = {"task": task, "model": "hrnet_micro_w8", "dataset": "coco"}
    build |= {"representation": network.representation_name, "changes": {}}
    torch.save({"format": "hrnet-benchmark", "version": 1, "build": build, "state_dict": network.state_dict()}, path)
    return str(path)


@pytest.fixture(scope="module")
def detector_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A detector that takes everything for a person: a smoke run's would find nobody."""
    torch.manual_seed(0)
    made = tasks.build_model("detection", "hrnet_micro_w8", "coco").eval()
    with torch.no_grad():
        made.box_head.cls.bias[1] += 8
    return saved(tmp_path_factory.mktemp("weights") / "detector.pt", "detection", made)


@pytest.fixture(scope="module")
def pose_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    made = tasks.build_model("pose", "hrnet_micro_w8", "coco").eval()
    return saved(tmp_path_factory.mktemp("weights") / "pose.pt", "pose", made)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("embedded")
    ensure("coco_detection", root / "smoke", "smoke")
    return root


@pytest.fixture(scope="module")
def boxes_file(detector_file: str, embedded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first of the READMEs' two commands writes."""
    made = tmp_path_factory.mktemp("boxes") / "boxes.json"
    words = ["eval", "--task", "detection", "--dataset", "coco", "--model", "hrnet_micro_w8", "--tier", "smoke"]
    words += ["--checkpoint", detector_file, "--embedded-root", str(embedded), "--out", str(made.parent / "out")]
    assert entry([*words, "--predictions", str(made)]) == 0
    return made


POSE = ["eval", "--task", "pose", "--dataset", "coco", "--model", "hrnet_micro_w8", "--tier", "smoke"]


def test_boxes_of_eval_feed_pose(boxes_file: Path, pose_file: str, embedded: Path, tmp_path: Path) -> None:
    words = [*POSE, "--checkpoint", pose_file, "--data-root", str(embedded / "smoke" / "coco_detection")]
    words += ["--out", str(tmp_path), "--json", str(tmp_path / "r.json")]
    assert entry([*words, "--protocol", "boxes=detector", f"boxes_file={boxes_file}"]) == 0
    record = json.loads((tmp_path / "r.json").read_text())
    persons = [b for b in json.loads(boxes_file.read_text()) if b["category_id"] == 1]
    assert record["n"]["samples"] == len(persons) > 6 and record["n"]["images"] == 6


def test_boxes_of_one_embedded_set_are_refused_by_the_other(
    boxes_file: Path, pose_file: str, embedded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*POSE, "--checkpoint", pose_file, "--embedded-root", str(embedded), "--out", str(tmp_path)]
    assert entry([*words, "--protocol", "boxes=detector", f"boxes_file={boxes_file}"]) == 2
    error = capsys.readouterr().err
    assert "expected a picture of val2017 but got image_id 40000" in error and len(error.strip().splitlines()) == 1


def test_predict_draws_above_the_score(detector_file: str, embedded: Path, tmp_path: Path) -> None:
    folder = embedded / "smoke" / "coco_detection" / "images" / "val2017"
    image = str(sorted(folder.iterdir())[0])
    words = ["predict", "--task", "detection", "--model", "hrnet_micro_w8", "--checkpoint", detector_file]
    for name, score in (("all", "0.05"), ("none", "1.0")):
        assert entry([*words, "--out", str(tmp_path / name), "--score", score, image]) == 0
    drawn = [next((tmp_path / name).glob("*.png")).read_bytes() for name in ("all", "none")]
    assert drawn[0] != drawn[1]
    lists = [json.loads((tmp_path / name / "predictions.json").read_text())[image] for name in ("all", "none")]
    assert lists[0] == lists[1] and len(lists[0]) > 0
