"""What the verbs make of options and checkpoints: the head's conventions, sixty classes, labels found bad at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from seg_fixtures import Strided, save, write_cityscapes, write_pascal
from torch import nn

from benchmarks.cli import entry
from benchmarks.experiment.cell import make_cell
from tasks import build_model, get_task
from tasks.segmentation.datasets import SegmentationEvalData
from tasks.segmentation.entries import ENTRIES
from tasks.segmentation.protocol import SegmentationProtocol

TASK = get_task("segmentation")
CITY = SegmentationProtocol(19, view="tiles", crop_hw=(24, 48))


def saved(path: Path, dataset: str, **changes: Any) -> str:
    """A micro network as our own checkpoint."""
    torch.manual_seed(0)
    network = build_model("segmentation", "hrnet_micro_w8", dataset, **changes)
    build = {"task": "segmentation", "model": "hrnet_micro_w8", "dataset": dataset}
    build |= {"representation": network.representation_name, "changes": changes}
    torch.save({"format": "hrnet-benchmark", "version": 1, "build": build, "state_dict": network.state_dict()}, path)
    return str(path)


# -- align_corners -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("model", "family", "expected"),
    [
        ("hrnet_w48", None, False),
        ("hrnet_w48", "segmentation", False),
        ("hrnet_w48", "mmseg", False),
        ("hrnet_w48_ocr", None, True),
        ("hrnet_w48_ocr", "hrnet_benchmark", True),
        ("hrnet_w48_ocr", "segmentation_ocr", True),
        ("hrnet_w48", "segmentation_ocr", True),
        ("hrnet_w48_ocr", "mmseg_ocr", False),
        ("hrnet_w48", "mmseg_ocr", False),
        ("resnet50_ocr", None, False),
    ],
)
def test_align_corners_goes_by_the_family_then_by_the_head(model: str, family: str | None, expected: bool) -> None:
    assert TASK.protocol("cityscapes", model=model, family=family).align_corners is expected


def test_a_stated_head_counts_as_the_name_does() -> None:
    named = make_cell("segmentation", "pascal_context", "hrnet_w48_ocr")
    stated = make_cell("segmentation", "pascal_context", "hrnet_w48", head="ocr")
    assert (stated.protocol, stated.recipe, stated.representation) == (
        named.protocol,
        named.recipe,
        named.representation,
    )
    assert stated.protocol.align_corners and stated.protocol.first_short_px == 520
    assert not make_cell("segmentation", "lip", "hrnet_w48", head="ocr", align_corners=False).protocol.align_corners


@pytest.mark.parametrize("model", ["hrnet_micro_w8", "resnet_micro"])
@pytest.mark.parametrize("head", ["conv", "ocr"])
def test_protocol_and_network_agree(model: str, head: str) -> None:
    network = build_model("segmentation", model, "lip", head=head)
    assert (
        make_cell("segmentation", "lip", model, tier="smoke", head=head).protocol.align_corners == network.align_corners
    )


def test_a_protocol_that_contradicts_the_network_is_refused() -> None:
    network = build_model("segmentation", "hrnet_micro_w8", "cityscapes", head="ocr").eval()
    batch = {"images": torch.zeros(1, 3, 24, 48), "size_hw": [(24, 48)]}
    assert TASK.predict(network, batch, replace(CITY, align_corners=True))[0].shape == (24, 48)
    with pytest.raises(ValueError, match="align_corners=True, as the network enlarges its maps, got False"):
        TASK.predict(network, batch, CITY)


# -- what a checkpoint implies -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("dataset", "changes", "said"),
    [
        ("cityscapes", {"head": "ocr"}, "19 classes, whole picture, single scale, no flip, align_corners"),
        ("pascal_context", {"num_classes": 60}, "60 classes"),
    ],
)
def test_a_checkpoint_of_ours_sets_head_and_classes(
    dataset: str, changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    {"cityscapes": write_cityscapes, "pascal_context": write_pascal}[dataset](tmp_path / "data")
    words = ["eval", "--task", "segmentation", "--dataset", dataset, "--model", "hrnet_micro_w8", "--tier", "smoke"]
    words += ["--checkpoint", saved(tmp_path / "own.pt", dataset, **changes), "--data-root", str(tmp_path / "data")]
    assert entry([*words, "--out", str(tmp_path / "out"), "--json", str(tmp_path / "r.json")]) == 0
    header = json.loads((tmp_path / "r.json").read_text())["protocol_header"]
    for part in said.split(", "):
        assert part in header.replace("tiles of 128x256 where larger", "whole picture")


def test_outputs_beyond_the_classes_are_never_labels_and_count_as_wrong(tmp_path: Path) -> None:
    write_cityscapes(tmp_path / "data")
    weights, result = saved(tmp_path / "own.pt", "cityscapes", num_outputs=21), tmp_path / "r.json"
    words = [
        "eval",
        "--task",
        "segmentation",
        "--dataset",
        "cityscapes",
        "--model",
        "hrnet_micro_w8",
        "--tier",
        "smoke",
    ]
    words += ["--checkpoint", weights, "--data-root", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    words += ["--set", "model.num_outputs=21", "--json", str(result), "--predictions", str(tmp_path / "maps")]
    assert entry(words) == 0
    found = json.loads(result.read_text())
    assert any("21 outputs, Cityscapes 19 classes" in note and "counts as wrong" in note for note in found["notes"])
    # By hand: the best of all 21 outputs; a pixel that one of the last two wins is missed and belongs to no class.
    network = build_model("segmentation", "hrnet_micro_w8", "cityscapes", num_outputs=21).eval()
    network.load_state_dict(torch.load(weights, weights_only=True)["state_dict"])
    data = TASK.eval_data("cityscapes", tmp_path / "data", "val", TASK.protocol("cityscapes", tier="smoke"))
    hit, either = np.zeros(19), np.zeros(19)
    pixels = beyond = 0
    for index in range(len(data)):
        sample, label = data[index], data.label(index)  # type: ignore[attr-defined]
        with torch.inference_mode():
            logits = network(torch.as_tensor(sample["images"])[None])
        full = nn.functional.interpolate(logits, label.shape, mode="bilinear", align_corners=False)
        best = full[0].argmax(0).numpy()[label != 255]
        truth = label[label != 255]
        pixels, beyond = pixels + truth.size, beyond + int((best > 18).sum())
        for k in range(19):
            hit[k] += ((best == k) & (truth == k)).sum()
            either[k] += ((best == k) | (truth == k)).sum()
    assert 0 < beyond < pixels
    assert found["figures"]["mIoU"]["value"] == pytest.approx(100 * (hit / np.maximum(either, 1)).mean(), abs=1e-6)
    assert found["figures"]["pixel_acc"]["value"] == pytest.approx(100 * hit.sum() / pixels, abs=1e-6)
    drawn = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in (tmp_path / "maps").rglob("*.png")]
    assert sum(int((map_ == 255).sum()) for map_ in drawn) >= beyond
    # The maps scored back are the evaluation.
    words = ["score", *words[1:5], "--file", str(tmp_path / "maps"), "--data-root", str(tmp_path / "data")]
    assert entry([*words, "--json", str(result)]) == 0
    scored = json.loads(result.read_text())
    known = {name: one["value"] for name, one in found["figures"].items() if one["value"] is not None}
    assert {name: one["value"] for name, one in scored["figures"].items()} == pytest.approx(known)
    assert any(f"{100 * beyond / pixels:.2f} % of the labelled pixels" in note for note in scored["notes"])


def test_255_in_a_submission_is_a_miss_and_hides_no_train_ids(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_cityscapes(tmp_path / "data")
    words = ["score", "--task", "segmentation", "--dataset", "cityscapes", "--data-root", str(tmp_path / "data")]
    words += ["--json", str(tmp_path / "r.json"), "--file", str(tmp_path / "maps")]
    for path in labels_of(tmp_path / "data" / "gtFine" / "val"):
        values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert values is not None
        values[:8] = 255
        save(tmp_path / "maps" / path.name, values)
    assert entry(words) == 0
    figures = json.loads((tmp_path / "r.json").read_text())["figures"]
    assert 0 < figures["pixel_acc"]["value"] < 100
    for path in (tmp_path / "maps").iterdir():
        values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert values is not None
        save(path, np.where(values == 255, 255, values % 19).astype(np.uint8))
    capsys.readouterr()
    assert entry(words) == 2
    assert "which look like train ids" in capsys.readouterr().err


def test_a_protocol_of_another_table_than_the_networks_is_refused() -> None:
    network = Strided(60).eval()
    network.dataset, network.num_outputs = "pascal_context", 60  # type: ignore[assignment]
    batch = {"images": torch.zeros(1, 3, 32, 32), "size_hw": [(32, 32)]}
    protocol = SegmentationProtocol(59, view="square", crop_hw=(32, 32))
    with pytest.raises(ValueError, match=r"protocol's 59 classes, got 60; build it with model\.num_outputs=59"):
        TASK.predict(network, batch, protocol)


def test_predict_gives_back_the_pictures_that_protocol_took(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_cityscapes(tmp_path / "data")
    image = next((tmp_path / "data").rglob("*_leftImg8bit.png"))
    words = ["predict", "--task", "segmentation", "--model", "hrnet_micro_w8", "--out", str(tmp_path / "out")]
    words += ["--checkpoint", saved(tmp_path / "own.pt", "cityscapes")]
    assert entry([*words, "--protocol", "flip=true", str(image)]) == 0
    assert list((tmp_path / "out").glob("*.png"))
    capsys.readouterr()
    assert entry([*words, "--protocol", "flip=true"]) == 2
    assert "Expected one picture or more" in capsys.readouterr().err


# -- labels --------------------------------------------------------------------------------------------------------
class Counting(nn.Module):
    """Counts the pictures it is shown."""

    dataset = "cityscapes"

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.shown = Strided(19), 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.shown += len(images)
        return self.inner(images)


def evaluate(root: Path, workspace: Path) -> Counting:
    from benchmarks.engine import loops as engine

    network = Counting()
    try:
        engine.evaluate(
            network,
            TASK,
            TASK.eval_data("cityscapes", root, "val", SegmentationProtocol(19)),
            SegmentationProtocol(19),
            workspace=workspace,
            report=lambda progress: None,
            batch_size=1,
        )
    except ValueError as error:
        network.error = error  # type: ignore[assignment]
    return network


def labels_of(root: Path) -> list[Path]:
    return sorted(root.rglob("*_gtFine_labelIds.png"))


@pytest.mark.parametrize("fault", ["colours", "ids", "size"])
def test_a_bad_label_ends_the_evaluation_before_its_picture(fault: str, tmp_path: Path) -> None:
    write_cityscapes(tmp_path / "data", count=4)
    values = {
        "colours": np.zeros((32, 64, 3), np.uint8),
        "ids": np.full((32, 64), 99, np.uint8),
        "size": np.full((16, 32), 7, np.uint8),
    }[fault]
    save(labels_of(tmp_path / "data")[1], values)
    network = evaluate(tmp_path / "data", tmp_path / "work")
    # Headers tell size and colours when the data are opened; ids out of range show when the map is read.
    assert network.shown == (1 if fault == "ids" else 0) and "expected" in str(network.error)


def test_good_labels_are_scored_batch_by_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.segmentation.evaluation import SegmentationEvaluation

    write_cityscapes(tmp_path / "data", count=4)
    sizes: list[int] = []
    original = SegmentationEvaluation.add

    def add(self: Any, indices: Any, predictions: Any) -> None:
        sizes.append(len(predictions))
        original(self, indices, predictions)

    monkeypatch.setattr(SegmentationEvaluation, "add", add)
    assert evaluate(tmp_path / "data", tmp_path / "work").shown == 4
    assert sizes == [1, 1, 1, 1]


def test_a_label_of_another_size_is_refused_before_it_is_squashed(tmp_path: Path) -> None:
    write_cityscapes(tmp_path)
    save(labels_of(tmp_path)[0], np.full((16, 32), 7, np.uint8))
    squashed = replace(CITY, score_at="crop")
    with pytest.raises(ValueError, match="of the picture's size 64x32, got 32x16"):
        TASK.eval_data("cityscapes", tmp_path, "val", squashed)
    with pytest.raises(ValueError, match="of the picture's size 64x32, got 32x16"):
        SegmentationEvalData(ENTRIES["cityscapes"], tmp_path, "val", squashed)[0]


# -- representations -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("representation", ["FPN", "C"])
def test_representations_that_a_dense_head_cannot_read_are_refused(representation: str) -> None:
    with pytest.raises(ValueError, match=r"one high-resolution map.*Known: V1, V1h, V2"):
        build_model("segmentation", "hrnet_micro_w8", "lip", representation)
