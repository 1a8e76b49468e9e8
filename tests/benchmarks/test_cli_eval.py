"""``eval`` on splits without public truth, and which split it takes where none is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import loadmat
from torch import Tensor

from benchmarks.cli import entry
from tasks import build_model

MODEL = "hrnet_micro_w8"


def call(dataset: str, folder: Path, *words: str, task: str = "pose", model: str = MODEL) -> list[str]:
    """The words of ``eval`` on a network of random weights."""
    torch.manual_seed(0)
    path = folder / f"{dataset}.pt"
    torch.save({"state_dict": build_model(task, model, dataset).state_dict()}, path)
    start = ["eval", "--task", task, "--dataset", dataset, "--model", model, "--checkpoint", str(path)]
    return [*start, "--out", str(folder / "out"), *words]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the embedded data, with MPII's smoke tier."""
    root = tmp_path_factory.mktemp("embedded")
    assert entry([*call("mpii", root, "--tier", "smoke"), "--embedded-root", str(root / "data")]) == 0
    return root / "data"


def test_mpii_test_gives_predictions(embedded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = call("mpii", tmp_path, "--tier", "smoke", "--split", "test", "--embedded-root", str(embedded))
    assert entry([*words, "--predictions", str(tmp_path / "pred.mat"), "--json", str(tmp_path / "r.json")]) == 0
    assert f"no public truth: predictions written to {tmp_path / 'pred.mat'}" in capsys.readouterr().out
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["figures"] == {}
    assert loadmat(str(tmp_path / "pred.mat"))["preds"].shape == (record["n"]["samples"], 16, 2)
    # Without --predictions, the store's own copy is named.
    assert entry(words) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("no public truth"))
    assert Path(line.removeprefix("no public truth: predictions written to ")).is_file()


def test_coco_test_dev_gives_predictions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "data" / "coco"
    for folder in ("annotations", "images/test2017", "person_detection_results"):
        (root / folder).mkdir(parents=True)
    picture = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    Image.fromarray(picture).save(root / "images/test2017/000000000007.jpg")
    images = [{"id": 7, "file_name": "000000000007.jpg", "width": 160, "height": 120}]
    (root / "annotations/image_info_test-dev2017.json").write_text(json.dumps({"images": images}))
    boxes = [{"image_id": 7, "category_id": 1, "bbox": [20, 10, 80, 105], "score": 0.9}]
    (root / "person_detection_results/COCO_test-dev2017_detections_AP_H_609_person.json").write_text(json.dumps(boxes))
    words = call("coco", tmp_path, "--data-root", str(tmp_path / "data"), "--split", "test-dev2017")
    words += ["--protocol", "boxes=detector", "--predictions", str(tmp_path / "p.json")]
    assert entry(words) == 0
    assert f"no public truth: predictions written to {tmp_path / 'p.json'}" in capsys.readouterr().out
    assert [result["image_id"] for result in json.loads((tmp_path / "p.json").read_text())] == [7]


def test_the_training_split_has_to_be_asked_for(
    embedded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data" / "mpii"
    shutil.copytree(embedded / "smoke" / "mpii", root)
    for name in ("valid", "test"):
        (root / "annot" / f"{name}.json").unlink()
    words = call("mpii", tmp_path, "--data-root", str(tmp_path / "data"))
    assert entry(words) == 2
    captured = capsys.readouterr()
    assert "valid.json" in captured.err and "evaluating train" not in captured.err
    assert entry([*words, "--split", "train"]) == 0
    # Another split than the benchmark's own is taken where it is the one that is there.
    shutil.copyfile(root / "annot" / "train.json", root / "annot" / "test.json")
    assert entry(words) == 0
    assert "evaluating test, which is" in capsys.readouterr().err


def figures(path: Path) -> dict[str, float]:
    return {name: figure["value"] for name, figure in json.loads(path.read_text())["figures"].items()}


def test_a_runtime_gives_the_tasks_own_metric(
    embedded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    words = call("mpii", tmp_path, "--tier", "smoke", "--embedded-root", str(embedded), model="resnet_micro")
    assert entry([*words, "--json", str(tmp_path / "eager.json")]) == 0
    assert "onnxruntime" not in capsys.readouterr().out
    assert entry([*words, "--runtime", "onnxruntime", "--json", str(tmp_path / "other.json")]) == 0
    assert "onnxruntime" in capsys.readouterr().out
    eager, other = figures(tmp_path / "eager.json"), figures(tmp_path / "other.json")
    assert eager["PCKh@0.5"] > 0 and other == pytest.approx(eager, abs=1)


def test_compile_evaluates_by_torch_compile_and_takes_no_other_runtime(
    embedded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []

    def compiled(call: Callable[..., Tensor], dynamic: bool) -> Callable[..., Tensor]:
        def run(images: Tensor) -> Tensor:
            batches.append(len(images))
            return call(images)

        return run

    monkeypatch.setattr(torch, "compile", compiled)
    words = call("mpii", tmp_path, "--tier", "smoke", "--embedded-root", str(embedded), model="resnet_micro")
    assert entry([*words, "--json", str(tmp_path / "eager.json")]) == 0 and not batches
    assert entry([*words, "--compile", "--json", str(tmp_path / "other.json")]) == 0
    assert sum(batches) > 0 and figures(tmp_path / "other.json") == figures(tmp_path / "eager.json")
    assert "compiled" in capsys.readouterr().out
    assert entry([*words, "--compile", "--runtime", "openvino"]) == 2
    assert "expected no --runtime beside it, got openvino" in capsys.readouterr().err
