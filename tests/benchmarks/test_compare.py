"""A run against itself is zero everywhere; two seeds cover zero; a crippled model is a significant loss."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_up import MadeUpProtocol, Runs, make

from benchmarks.cells import Suite
from benchmarks.compare import compare
from benchmarks.store import Store


def run(folder: Path, *cells: tuple[object, float]) -> Path:
    runs = Runs(Store(folder / "runs"), images=120)
    for cell, quality in cells:
        runs.finish(cell, quality)  # type: ignore[arg-type]
    return folder


def test_itself_is_zero(tmp_path: Path, two_task_suite: Suite) -> None:
    folder = run(tmp_path, *((cell, 0.6) for cell in two_task_suite.cells))
    result = compare(folder, folder, draws=100)
    assert len(result.pairs) == 8 and not result.gone and not result.new
    for pair in result.pairs:
        found = pair.difference
        assert found is not None and (found.value, found.low, found.high, found.corrected) == (0, 0, 0, 1)
    assert "+0.00 [0.00, 0.00]" in result.table().render("md")


def test_seeds_cover_zero_and_a_crippled_model_is_a_loss(tmp_path: Path) -> None:
    a = run(tmp_path / "a", (make(), 0.6), (make("faces"), 0.6))
    b = run(tmp_path / "b", (make(seed=1), 0.6), (make("faces", seed=1), 0.6))
    for pair in compare(a, b, draws=300).pairs:
        found = pair.difference
        assert found is not None and found.low < 0 < found.high and found.value != 0
    crippled = run(tmp_path / "c", (make(), 0.3), (make("faces"), 0.3))
    result = compare(a, crippled, draws=300)
    assert all(pair.difference and pair.difference.corrected < 0.05 for pair in result.pairs)  # type: ignore[operator]
    assert result.table().render("md").count("| worse") == 2


def test_new_and_gone_cells_are_listed(tmp_path: Path) -> None:
    a = run(tmp_path / "a", (make(), 0.6), (make(model="old"), 0.6))
    b = run(tmp_path / "b", (make(), 0.6), (make(model="fresh"), 0.6))
    result = compare(a, b, draws=20)
    assert [s.record["cell"]["model"] for s in result.gone] == ["old"]
    assert [s.record["cell"]["model"] for s in result.new] == ["fresh"]
    text = result.table().render("md")
    assert "gone" in text and "new" in text


def test_other_protocol_is_not_compared(tmp_path: Path) -> None:
    a = run(tmp_path / "a", (make(), 0.6))
    b = run(tmp_path / "b", (make(protocol=MadeUpProtocol(flip=False)), 0.6))
    [pair] = compare(a, b, draws=20).pairs
    assert pair.difference is None and "flip=yes" in pair.why and "flip=no" in pair.why


def test_single_cells_by_their_folders(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = Runs(store).finish(make(), 0.6)
    second = Runs(store).finish(make(model="else"), 0.3)
    [pair] = compare(first.folder, second.folder / "cell.json", draws=100).pairs
    assert pair.difference is not None and pair.difference.value < 0


def test_no_results_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"found no cell\.json"):
        compare(tmp_path, tmp_path)
