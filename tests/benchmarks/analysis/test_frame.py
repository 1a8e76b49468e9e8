"""The frame holds what the store holds: every figure once, with interval, protocol and provenance; failures as lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas
import pytest
from made_up import Runs

import benchmarks
from benchmarks.analysis.frame import COLUMNS, frame_of, write_parquet
from benchmarks.cli import entry
from benchmarks.experiment.cell import Cell
from benchmarks.experiment.suite import Suite
from benchmarks.published.figures import load
from benchmarks.tables.filling import fill


def test_every_figure_is_a_line(runs: Runs, two_task_suite: Suite) -> None:
    stored = [runs.finish(cell, 0.5 + 0.05 * index) for index, cell in enumerate(two_task_suite.cells[:3])]
    runs.fail(two_task_suite.cells[3])
    fill(two_task_suite, runs.store)  # draws the headline's intervals
    frame = benchmarks.results_frame(runs.folder, two_task_suite)
    assert tuple(frame.columns[: len(COLUMNS)]) == COLUMNS and len(frame) == 3 * 2 + 1
    for held in stored:
        for metric, figure in held.record.figures.items():
            [line] = frame[(frame.id == held.id) & (frame.metric == metric)].to_dict("records")
            assert line["value"] == figure.value and line["unit"] == figure.unit and line["n"] == figure.n
            assert line["higher_is_better"] == figure.higher_is_better and line["headline"] == (metric == "rate")
            assert line["protocol.boxes"] == "gt" and line["protocol.flip"] and line["recipe.epochs"] == 2
            assert line["params"] == 123456 and line["seconds"] == 33.5 and line["status"] == "done"
    drawn = frame[frame.headline.fillna(False)]
    assert (drawn.low < drawn.value).all() and (drawn.value < drawn.high).all() and set(drawn.level) == {0.95}
    [failed] = frame[frame.status == "failed"].to_dict("records")
    assert "out of memory" in failed["reason"] and np.isnan(failed["value"])
    assert frame["protocol.flip"].dtype == "boolean" and frame["recipe.epochs"].dtype == "Int64"
    # The same from the folder alone, whatever the suite.
    everything = benchmarks.results_frame(runs.folder / "runs")
    assert sorted(everything.id) == sorted(frame.id)


def test_parquet_keeps_the_frame(runs: Runs, cell: Callable[..., Cell], tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    frame = frame_of([runs.finish(cell()), runs.finish(cell("faces", seed=1))])
    write_parquet(frame, tmp_path / "new" / "f.parquet")
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "new" / "f.parquet"), frame)


def test_an_empty_folder_gives_the_columns_and_none_an_error(tmp_path: Path) -> None:
    assert list(benchmarks.results_frame(tmp_path).columns) == list(COLUMNS)
    with pytest.raises(ValueError, match="expected a folder of results, found none"):
        benchmarks.results_frame(tmp_path / "none")
    with pytest.raises(ValueError, match="got 'always'"):
        benchmarks.results_frame(tmp_path, intervals="always")
    with pytest.raises(ValueError, match="smoke"):
        benchmarks.results_frame(tmp_path, "smoky")


def test_published_figures_have_the_same_shape(runs: Runs, cell: Callable[..., Cell], tmp_path: Path) -> None:
    runs.finish(cell())
    frame = benchmarks.results_frame(runs.folder, published=True)
    printed = frame[frame.origin == "published"]
    assert len(printed) == len(load()) and len(frame) == len(printed) + 2
    assert np.array_equal(printed.value.to_numpy(float), [figure.value for figure in load()])
    assert printed.dataset.notna().all() and printed.source.notna().all()
    w32 = printed[(printed.model == "hrnet_w32") & (printed.dataset == "coco") & (printed.metric == "AP")]
    assert 74.4 in set(w32.value) and (w32.params.dropna() > 2e7).all()


def test_the_verb_writes_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow")
    words = ["tables", "--suite", "published", "--format", "parquet", "--out", str(tmp_path)]
    assert entry(words) == 0
    path = tmp_path / "tables" / "published.parquet"
    assert str(path) in capsys.readouterr().out and len(pandas.read_parquet(path)) == len(load())
