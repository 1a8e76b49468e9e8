"""The embedded suite and the bench: what they promise, at the smallest size."""

from __future__ import annotations

import pytest

from benchmarks.suites import load_suite


@pytest.mark.parametrize("tier", ["smoke", "embedded"])
def test_rivals_on_each_dataset_and_a_table_of_classes(tier: str) -> None:
    suite = load_suite("embedded_segmentation", tier=tier)
    assert len(suite.cells) == 8 and {cell.tier for cell in suite.cells} == {tier}
    by_dataset = {table.dataset: table for table in suite.tables if "IoU/" not in table.columns[0]}
    assert set(by_dataset) == {"cityscapes", "pascal_context", "lip"}
    for dataset, table in by_dataset.items():
        rows = [cell for cell in suite.cells if cell.id in table.cells]
        assert len(rows) == (4 if dataset == "cityscapes" else 2) and rows[0].dataset == dataset
        assert len({cell.protocol for cell in rows}) == 1
        assert sum(cell.model.startswith("hrnet") for cell in rows) == 1
        assert {"mIoU", "pixel_acc"} <= set(table.columns)
    classes = {table.dataset: len(table.columns) for table in suite.tables if table.columns[0].startswith("IoU/")}
    assert classes == {"cityscapes": 19, "pascal_context": 59, "lip": 20}


def test_bench_compares_equal_figures(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cityscapesscripts")
    from benchmarks.speed.bench_segmentation import scoring

    made = scoring(2)
    text = capsys.readouterr().out
    assert made["counting_ratio"] > 1 and 0 < made["mIoU"] < 100
    assert "x (" in text and "same figures" in text
