"""Rows of ``make bench`` for data and scoring compare equal results."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speed import bench, bench_data, bench_scoring
from tasks.coco import matches


def test_steps_of_data_give_the_same() -> None:
    assert [same for _, _, _, same in bench_data.rows()] == [True] * 4
    row = bench_data.side_by_side("row", lambda: sum(range(200)), lambda: sum(range(2000)))
    assert "x (" in row and row.split()[0] == "row"


def test_simulated_results_are_matched_as_pycocotools_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_scoring, "PART", 20)
    for simulated, ours, judged, figures in (
        (bench_scoring.boxes, bench_scoring.lists, bench_scoring.judged, matches.BOX_FIGURES),
        (bench_scoring.poses, bench_scoring.pose_lists, bench_scoring.judged_poses, matches.KEYPOINT_FIGURES),
    ):
        truth, found = simulated(20)
        made, right = ours(20, truth, found), matches.extract(judged(truth, found))
        for name in set(right) - {"image"}:
            np.testing.assert_array_equal(made[name], right[name], err_msg=name)
        assert 0 < matches.accumulate(made, figures)["AP"] < 100


def test_a_part_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "data", "network"])
    assert bench.main() == 2 and "there are data, networks, scoring, segmentation" in capsys.readouterr().err


def test_every_part_of_the_benchmark_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    ran: list[str] = []
    for path in sorted(Path(bench.__file__).parent.glob("bench_*.py")):
        part = import_module(f"benchmarks.speed.{path.stem}")
        monkeypatch.setattr(part, "measure", lambda name=path.stem: ran.append(name))
    monkeypatch.setattr("sys.argv", ["bench"])
    assert bench.main() == 0 and ran == ["bench_data", "bench_networks", "bench_scoring", "bench_segmentation"]
    assert "s in all" in capsys.readouterr().out
