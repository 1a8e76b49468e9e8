"""What a cell lacks is told once, with the file and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.experiment.cell import make_cell
from benchmarks.experiment.paths import Places
from benchmarks.experiment.resolve import resolve


def test_a_cell_without_data_root_lacks_its_folder(tmp_path: Path) -> None:
    resolved = resolve(make_cell("pose", "coco", "hrnet_w32", checkpoint="a.pth"), Places(out=tmp_path))
    assert [lack.kind for lack in resolved.lacks] == ["root", "weights"]
    assert resolved.root is None and resolved.weights is None and resolved.train_split is None
    with pytest.raises(FileNotFoundError, match="--data-root"):
        resolved.require_root()
    with pytest.raises(FileNotFoundError, match=r"a\.pth"):
        resolved.require("weights")


def test_missing_annotations_are_listed_by_split(tmp_path: Path) -> None:
    (tmp_path / "coco").mkdir()
    cell = make_cell("pose", "coco", "hrnet_w32", train_split="train2017", recipe={"init_from": "none"})
    resolved = resolve(cell, Places(out=tmp_path, data_root=tmp_path))
    files = [lack for lack in resolved.lacks if lack.kind == "files"]
    assert ["val2017" in lack.text for lack in files] == [True, False]
    assert ["train2017" in lack.text for lack in files] == [False, True]
    assert all(path.is_relative_to(tmp_path / "coco") for lack in files for path in lack.files)


def test_embedded_data_lack_nothing_before_they_are_made(tmp_path: Path) -> None:
    cell = make_cell("pose", "coco", "hrnet_micro_w8", tier="smoke")
    resolved = resolve(cell, Places(out=tmp_path, embedded=tmp_path / "embedded"))
    assert resolved.lacks == () and resolved.root == tmp_path / "embedded" / "smoke" / "coco"
    assert resolved.train_split == "train2017" and resolved.train_note is None
