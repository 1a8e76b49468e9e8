"""Benchmarks run: ways in turns, and the accelerator's script without an accelerator."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from benchmarks.running.cores import evaluation_workers, training_workers
from benchmarks.speed import gpu
from benchmarks.speed.turns import in_turns, print_rows


def test_ratios_are_taken_round_by_round(capsys: pytest.CaptureFixture[str]) -> None:
    called: list[str] = []

    def way(name: str, seconds: float) -> object:
        def call() -> None:
            called.append(name)
            time.sleep(seconds)

        return call

    rows = in_turns({"slow": way("slow", 0.03), "fast": way("fast", 0.01)}, rounds=3, warm=1)  # type: ignore[dict-item]
    assert called == ["slow", "fast"] * 4 and [len(row.seconds) for row in rows] == [3, 3]
    assert rows[0].ratios == (1.0, 1.0, 1.0) and rows[1].speedup > 1.5
    print_rows("Sleep", rows, 2, "naps")
    assert "naps/s" in capsys.readouterr().out


@pytest.mark.parametrize("job", ["pose-w32", "train-segmentation-w48"])
def test_the_accelerators_script_runs_dry(
    job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["gpu", "--device", "cpu", "--dry", "--only", job, "--data", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", words)
    assert gpu.main() == 0
    printed = capsys.readouterr().out
    assert f"{job}: hrnet_micro_w8" in printed and "reference graph" in printed and "end to end" in printed
    assert "tf32: expected a CUDA device" in printed


def test_a_job_that_fails_does_not_end_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("CUDA out of memory.\nMore text.")

    monkeypatch.setattr(gpu, "_measure", fails)
    monkeypatch.setattr(sys, "argv", ["gpu", "--device", "cpu", "--only", "pose-w32", "pose-w48"])
    assert gpu.main() == 1
    printed = capsys.readouterr().out
    assert printed.count("failed: CUDA out of memory.") == 2 and "More text" not in printed


def test_loader_processes_by_cores_and_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.running.cores.available_cores", lambda: 24)
    assert training_workers(4, None) == 4 and training_workers(4, 9) == 9
    assert training_workers(4, None, accelerator=True) == 16 and training_workers(0, None, accelerator=True) == 0
    assert training_workers(4, None, accelerator=True, side_by_side=4) == 6
    assert evaluation_workers("full", 1000, None) == 2 and evaluation_workers("full", 10, None) == 0
    assert evaluation_workers("full", 1000, None, accelerator=True) == 16
    assert evaluation_workers("embedded", 1000, None, accelerator=True) == 0
    monkeypatch.setattr("benchmarks.running.cores.available_cores", lambda: 2)
    assert training_workers(4, None) == 2 and evaluation_workers("full", 1000, None, accelerator=True) == 2
