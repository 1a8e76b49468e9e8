"""Rows of ``make bench`` for data and scoring compare equal results."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.speed import bench_data, bench_scoring
from tasks.coco import matches


def test_steps_of_data_give_the_same() -> None:
    assert [same for _, _, _, same in bench_data.rows()] == [True] * 4
    row = bench_data.side_by_side("row", lambda: sum(range(200)), lambda: sum(range(2000)))
    assert "x (" in row and row.split()[0] == "row"


def test_simulated_boxes_are_matched_as_pycocotools_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_scoring, "PART", 20)
    truth, found = bench_scoring.boxes(20)
    made, right = bench_scoring.lists(20, truth, found), matches.extract(bench_scoring.judged(truth, found))
    for name in set(right) - {"image"}:
        np.testing.assert_array_equal(made[name], right[name], err_msg=name)
    assert 0 < matches.accumulate(made, matches.BOX_FIGURES)["AP"] < 100
