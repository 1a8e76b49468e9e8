"""Several runs on one results folder: each cell is run once, all end well and show the same tables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.store.store import Store

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.parametrize(("count", "datasets"), [(2, ("cofw", "300w")), (4, ("cofw",))])
def test_runs_that_start_together_finish_a_suite_together(
    tmp_path: Path, count: int, datasets: tuple[str, ...]
) -> None:
    command = [sys.executable, "run_all.py", "run", "--suite", "embedded_landmarks", "--tier", "smoke", "--jobs", "1"]
    command += ["--no-report", "--only", *(f"landmarks/{name}/*" for name in datasets)]
    command += ["--out", str(tmp_path / "out"), "--embedded-root", str(tmp_path / "data")]
    started = [
        subprocess.Popen(
            command, cwd=REPOSITORY, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    said = [process.communicate(timeout=400) for process in started]
    assert [process.returncode for process in started] == [0] * count, said
    assert not any("FAILED" in errors for _, errors in said)
    stored = list(Store(tmp_path / "out" / "runs").all())
    assert len(stored) >= len(datasets) and all(cell.done for cell in stored)
    assert not any((cell.folder / "last_failure").exists() for cell in stored)
    # What a run prints on its way shows what is stored by then; the tables on disk are those of the last one to end.
    assert all("Tables:" in output for output, _ in said)
    written = (tmp_path / "out" / "tables" / "embedded_landmarks.md").read_text(encoding="utf-8")
    for cell in stored:
        figure = cell.record.figures[cell.record.headline or ""]
        assert f"{figure.value:.{figure.decimals}f}" in written
    left = [path.name for path in (tmp_path / "out" / "runs" / "landmarks").iterdir()]
    assert sorted(left) == sorted(cell.id for cell in stored)
