"""``predict`` and ``eval`` on weights of our own: they bring their dataset and the protocol that they were trained for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.cli import entry
from hrnet import identify_checkpoint
from tasks import build_model, get_task
from tasks.images import read_image

MODEL = "hrnet_micro_w8"


@dataclass(frozen=True)
class Trained:
    """A smoke cell trained by the command line: its weights, record and data root."""

    weights: Path
    record: dict[str, Any]
    data_root: Path

    @property
    def figures(self) -> dict[str, float]:
        return {name: figure["value"] for name, figure in self.record["figures"].items()}

    def picture(self) -> Path:
        return sorted((self.data_root / "300w" / "images").rglob("*.png"))[0]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    root = tmp_path_factory.mktemp("trained")
    words = ["train", "--task", "landmarks", "--dataset", "300w", "--model", MODEL, "--tier", "smoke"]
    words += ["--embedded-root", str(root / "data"), "--out", str(root / "out"), "--json", str(root / "r.json")]
    assert entry([*words, "--protocol", "decoder=quarter"]) == 0
    (weights,) = (root / "out").rglob("weights.pt")
    return Trained(weights, json.loads((root / "r.json").read_text()), root / "data" / "smoke")


def without_protocol(weights: Path, path: Path) -> Path:
    """The same weights as files of ours were before they held their protocol."""
    payload = torch.load(weights, weights_only=True)
    del payload["build"]["protocol"], payload["build"]["tier"]
    torch.save(payload, path)
    return path


def test_weights_hold_their_protocol(trained: Trained) -> None:
    found = identify_checkpoint(trained.weights)
    assert found.tier == "smoke" and found.dataset == "300w"
    assert found.protocol == trained.record["cell"]["protocol"] and found.protocol["decoder"] == "quarter"


def test_evaluation_on_real_data_takes_the_protocol_of_the_training(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["eval", "--task", "landmarks", "--dataset", "300w", "--model", MODEL, "--checkpoint", str(trained.weights)]
    words += ["--data-root", str(trained.data_root), "--out", str(tmp_path), "--json", str(tmp_path / "e.json")]
    assert entry(words) == 0
    record = json.loads((tmp_path / "e.json").read_text())
    assert {name: figure["value"] for name, figure in record["figures"].items()} == trained.figures
    said = capsys.readouterr().err
    assert "input_wh=64,64" in said and "decoder=quarter" in said
    # The caller's word counts, field by field.
    assert entry([*words, "--protocol", "decoder=argmax"]) == 0
    protocol = json.loads((tmp_path / "e.json").read_text())["cell"]["protocol"]
    assert protocol == trained.record["cell"]["protocol"] | {"decoder": "argmax"}
    # Another tier, named, brings its own.
    assert entry([*words, "--tier", "embedded"]) == 0
    protocol = json.loads((tmp_path / "e.json").read_text())["cell"]["protocol"]
    assert protocol["decoder"] == "dark"


def test_evaluation_on_embedded_data_takes_the_tier_too(trained: Trained, tmp_path: Path) -> None:
    words = ["eval", "--task", "landmarks", "--dataset", "300w", "--model", MODEL, "--checkpoint", str(trained.weights)]
    words += [
        "--embedded-root",
        str(trained.data_root.parent),
        "--out",
        str(tmp_path),
        "--json",
        str(tmp_path / "e.json"),
    ]
    assert entry(words) == 0
    record = json.loads((tmp_path / "e.json").read_text())
    assert record["cell"]["tier"] == "smoke"
    assert {name: figure["value"] for name, figure in record["figures"].items()} == trained.figures


def test_predict_takes_dataset_and_protocol_from_the_weights(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = trained.picture()
    words = ["predict", "--task", "landmarks", "--model", MODEL, "--checkpoint", str(trained.weights), str(image)]
    assert entry([*words, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "--dataset 300w" in said.err and "input_wh=64,64" in said.err
    assert (tmp_path / f"{image.stem}.png").is_file() and str(tmp_path / "predictions.json") in said.out
    found = json.loads((tmp_path / "predictions.json").read_text())[str(image)]
    network = build_model("landmarks", MODEL, "300w")
    network.load_state_dict(torch.load(trained.weights, weights_only=True)["state_dict"])
    task = get_task("landmarks")
    protocol = task.protocol_with(task.protocol("300w", tier="smoke"), {"decoder": "quarter"})
    picture = read_image(image.parent, image.name)
    source = task.box_source("300w", [image], None, False)
    boxes = source.of(image, (picture.shape[1], picture.shape[0])).xyxy_px
    with torch.inference_mode():
        (expected,) = task.predict_pictures(network.eval(), "300w", [picture], protocol, [boxes])
    np.testing.assert_allclose(found["faces"][0]["points"], expected.keypoints_px[0] + 1, atol=1e-2)
    assert found["boxes_from"].endswith("face_landmarks_300w_test.csv") and found["names"][67] == "point_67"
    assert found["faces"][0]["category_id"] == 1


def test_what_cannot_be_written_is_one_line(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = trained.picture()
    words = ["predict", "--task", "landmarks", "--model", MODEL, "--checkpoint", str(trained.weights), str(image)]

    def refused(out: Path) -> str:
        assert entry([*words, "--out", str(out)]) == 2
        said = capsys.readouterr()
        assert ".png" not in said.out and "predictions.json" not in said.out
        return said.err.strip().splitlines()[-1]

    (tmp_path / "file").touch()
    assert f"--out {tmp_path / 'file'}: expected a folder to write to" in refused(tmp_path / "file")
    # A folder has the picture's name.
    target = tmp_path / "taken" / f"{image.stem}.png"
    target.mkdir(parents=True)
    assert f"{target}: could not be written (Is a directory)" in refused(tmp_path / "taken")

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("benchmarks.commands.drawn.write_bytes", full)
    line = refused(tmp_path / "full")
    assert f"{tmp_path / 'full' / target.name}: could not be written (No space left on device); make room" in line
    assert list((tmp_path / "full").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--score", "0.3", "--boxes", "whole"], "--score: the boxes of --boxes whole have no scores"),
        (["--boxes", "whole", "--detector", "WEIGHTS"], "Expected --boxes or --detector, got both"),
        (["--embedded-root", "data"], "unrecognized arguments: --embedded-root"),
        (["--tensorboard"], "unrecognized arguments: --tensorboard"),
        (["--score", "7"], "--score: expected a number from 0 to 1, got 7.0"),
        (["--detector", "WEIGHTS"], "does not fit the detection coco"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], text: str
) -> None:
    given = [str(trained.weights) if word == "WEIGHTS" else word for word in words]
    call = ["predict", "--checkpoint", str(trained.weights), str(trained.picture()), "--out", str(tmp_path), *given]
    assert entry(call) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert re.search(text, line), line
    assert not (tmp_path / "predictions.json").exists()


def test_a_picture_without_boxes_is_refused_with_the_ways(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lone = tmp_path / "somebody.png"
    lone.write_bytes(trained.picture().read_bytes())
    call = ["predict", "--checkpoint", str(trained.weights), str(lone), "--out", str(tmp_path / "out")]
    assert entry(call) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    for way in ("--detector WEIGHTS", "--boxes FILE", "--boxes truth", "--boxes whole"):
        assert way in line
    assert entry([*call, "--boxes", "truth"]) == 2
    assert "lies in no dataset with annotated boxes" in capsys.readouterr().err
    assert entry([*call, "--boxes", "whole"]) == 0
    (found,) = json.loads((tmp_path / "out" / "predictions.json").read_text()).values()
    assert found["boxes_from"] == "the whole picture" and len(found["faces"]) == 1
    with Image.open(lone) as source, Image.open(tmp_path / "out" / "somebody.png") as drawn:
        assert drawn.size == source.size


def test_folders_and_patterns(trained: Trained, tmp_path: Path) -> None:
    folder = trained.picture().parent
    count = len(list(folder.glob("*.png")))
    call = ["predict", "--checkpoint", str(trained.weights), "--boxes", "truth"]
    assert entry([*call, str(folder), "--out", str(tmp_path / "a")]) == 0
    assert entry([*call, str(folder / "*.png"), "--out", str(tmp_path / "b")]) == 0
    assert len(list((tmp_path / "a").glob("*.png"))) == count
    assert (tmp_path / "a" / "predictions.json").read_bytes() == (tmp_path / "b" / "predictions.json").read_bytes()


def test_older_weights_warn_and_take_a_tier(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = without_protocol(trained.weights, tmp_path / "old.pt")
    words = ["predict", "--task", "landmarks", "--model", MODEL, "--checkpoint", str(old), str(trained.picture())]
    words += ["--out", str(tmp_path)]
    assert entry(words) == 0
    assert "--tier embedded" in capsys.readouterr().err
    assert entry([*words, "--tier", "smoke", "--protocol", "decoder=quarter"]) == 0
    assert "--tier" not in capsys.readouterr().err
    old_points = json.loads((tmp_path / "predictions.json").read_text())[str(trained.picture())]["faces"]
    assert entry([*words[:6], str(trained.weights), *words[7:]]) == 0
    assert json.loads((tmp_path / "predictions.json").read_text())[str(trained.picture())]["faces"] == old_points


def test_a_dataset_is_known_by_its_outputs(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not the task's first one: MPII has 16 joints, whatever family the file is of."""
    network = build_model("pose", MODEL, "mpii")
    released = {
        name.removeprefix("body.").replace("head.predict", "final_layer"): value
        for name, value in network.state_dict().items()
    }
    torch.save(released, tmp_path / "mpii.pth")
    words = ["predict", "--task", "pose", "--model", MODEL, "--checkpoint", str(tmp_path / "mpii.pth")]
    assert entry([*words, str(trained.picture()), "--out", str(tmp_path), "--boxes", "whole"]) == 0
    assert "--dataset mpii" in capsys.readouterr().err
    (persons,) = json.loads((tmp_path / "predictions.json").read_text()).values()
    assert len(persons["persons"][0]["keypoints"]) == 16
