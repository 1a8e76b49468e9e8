"""The verb `export`: what it prints, what it writes, what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import tasks
from benchmarks.cli import entry
from benchmarks.engine.runtimes import files


@pytest.fixture()
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = tasks.build_model("classification", "resnet_micro_w10", "imagenet")
    path = tmp_path / "weights.pth"
    torch.save(network.state_dict(), path)
    return path


def words(weights: Path, out: Path, *more: str) -> list[str]:
    named = ["--task", "classification", "--dataset", "imagenet", "--model", "resnet_micro_w10"]
    return ["export", *named, "--checkpoint", str(weights), "--to", "torch", "--out", str(out), *more]


def test_file_and_parity(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry(words(weights, tmp_path / "net.pt2", "--size", "64x96")) == 0
    printed = capsys.readouterr().out
    assert "1 x 64x96: largest difference" in printed and "3 x 96x160: largest difference" in printed
    assert "0.485, 0.456, 0.406" in printed and "multiples of 32" in printed
    assert (tmp_path / "net.pt2").stat().st_size > 1000


def test_a_file_that_differs_is_not_called_good(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LIMIT", -1.0)
    assert entry(words(weights, tmp_path / "net.pt2", "--size", "64x64")) == 1
    assert "do not use this file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (["--out", "net.onnx"], "ends in .pt2"),
        (["--out", "nowhere/net.pt2"], "make it first"),
        (["--size", "64"], "HEIGHTxWIDTH"),
        (["--checkpoint", "none.pth"], "none.pth"),
    ],
)
def test_refusals(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: list[str], said: str
) -> None:
    assert entry(words(weights, tmp_path / "net.pt2", *change)) == 2
    assert said in capsys.readouterr().err
