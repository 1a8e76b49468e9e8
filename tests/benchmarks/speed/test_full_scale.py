"""Made-up data of any size are read by the loaders, and the benchmark measures them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.speed import full_scale, made_up_data
from tasks import get_task


def test_the_loaders_read_what_is_made_up(tmp_path: Path) -> None:
    made_up_data.coco_instances(tmp_path, "val2017", 12, 40)
    task = get_task("detection")
    data = task.eval_data("coco", tmp_path / "coco", "val2017", task.protocol("coco"))
    assert len(data) == 12 and data[3]["images"].shape[0] == 3
    made_up_data.imagenet(tmp_path, "val", 1000)
    task = get_task("classification")
    assert len(task.eval_data("imagenet", tmp_path / "imagenet", "val", task.protocol("imagenet"))) == 1000


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux's sizes of processes")
def test_a_line_for_a_quarter_and_for_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["full_scale", "--only", "pose val2017, detector boxes", "--loaders", "0", "--share", "0.01"]
    monkeypatch.setattr(sys, "argv", [*words, "--keep", str(tmp_path)])
    assert full_scale.main() == 0
    head, quarter, whole, growth = capsys.readouterr().out.splitlines()
    assert "first batch" in head and "a quarter" in quarter and "whole" in whole and "MiB" in whole
    assert "growth of 4 times the size" in growth and "scoring" in growth
