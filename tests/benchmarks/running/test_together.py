"""Several runs on one results folder: each cell is run once, all end well and show the same tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from random_kills import contents
from runs_together import started_together

from benchmarks.store.store import Store

LANDMARKS = ["--suite", "embedded_landmarks", "--tier", "smoke"]


@pytest.mark.parametrize("count", [2, 4])
def test_runs_that_start_together_finish_a_suite_together(tmp_path: Path, count: int) -> None:
    place, only = tmp_path / "out", ["landmarks/cofw/*"]
    found = started_together(place, count, [*LANDMARKS, "--jobs", "1", "--only", *only])
    assert found["statuses"] == [0] * count, found["said"]
    assert not any("FAILED" in errors for _, errors in found["said"])
    stored = list(Store(place / "runs").all())
    assert len(stored) == 2 and all(cell.done for cell in stored)
    assert found["counts"] == {f"landmarks/{cell.id}": 1 for cell in stored}
    assert not any((cell.folder / "last_failure").exists() for cell in stored)
    # Whatever a run prints on its way, all end with the same tables, those on disk.
    written = (place / "tables" / "embedded_landmarks.md").read_text(encoding="utf-8")
    for output, _ in found["said"]:
        assert output.partition("Tables: ")[0].rstrip().endswith(written.rstrip())
    for cell in stored:
        figure = cell.record.figures[cell.record.headline or ""]
        assert f"{figure.value:.{figure.decimals}f}" in written
    left = [path.name for path in (place / "runs" / "landmarks").iterdir()]
    assert sorted(left) == sorted(cell.id for cell in stored)
    if count == 2:  # the same cells in two workers of one run: the same bits
        other = tmp_path / "other"
        found = started_together(other, 1, [*LANDMARKS, "--jobs", "2", "--only", *only])
        assert found["statuses"] == [0] and contents(other) == contents(place)
