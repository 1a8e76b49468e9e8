"""The suite of one's own datasets: a cell for every declared dataset and body, a table for every dataset."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import tasks
from benchmarks.cli import entry
from benchmarks.suites import load_suite


@pytest.fixture
def flowers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tasks, "_DECLARED", {})
    for folder in ("train/lily", "train/rose", "val/lily", "val/rose"):
        (tmp_path / "own_flowers" / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "own_flowers" / folder / "0.png"), np.zeros((8, 8, 3), np.uint8))
    text = 'name = "own_flowers"\ntask = "classification"\nlayout = "class-folders"\n'
    text += '[splits.train]\nimages = "train"\n[splits.val]\nimages = "val"\n[recipe]\nepochs = 3\n'
    (tmp_path / "own_flowers" / "dataset.toml").write_text(text)
    return tmp_path


def test_bodies_on_declared_datasets(flowers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=r"found none\. `run_all\.py describe FOLDER` writes one"):
        load_suite("own")
    words = ["plan", "--suite", "own", "--data-root", str(flowers), "--models", "hrnet_w18,resnet50"]
    assert entry([*words, "--out", str(flowers / "out")]) == 0
    assert "classification/own_flowers/resnet50" in capsys.readouterr().out
    suite = load_suite("own", models="hrnet_w18, resnet50", tier="full")
    assert [cell.model for cell in suite.cells] == ["hrnet_w18", "resnet50"]
    assert all(cell.recipe is not None and cell.recipe.epochs == 3 for cell in suite.cells)
    [table] = suite.tables
    assert table.name == "own_own_flowers" and table.cells == tuple(cell.id for cell in suite.cells)
    assert [cell.model for cell in load_suite("own").cells] == ["hrnet_w18", "resnet50"]
