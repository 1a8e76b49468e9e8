"""The script for a machine with an accelerator, run dry; and how busy a device is said to have been."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.speed import gpu
from benchmarks.speed.end_to_end import Watch


def test_every_job_runs_dry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(gpu, "ROWS", gpu.ROWS[:1])
    assert gpu.main(["--dry", "--data", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    for job in gpu.JOBS:
        block = said.split(f"\n{job.name}: ")[1].split("\n\n")[0]
        assert "reference graph (NCHW, fp32)" in block and "failed" not in block
        assert ("end to end" in block) == (job.batch > 1)


def test_rows_that_a_machine_has_not_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.set_num_threads(1)
    assert gpu.main(["--dry", "--data", str(tmp_path), "--only", "latency-pose-w32"]) == 0
    said = capsys.readouterr().out
    assert "ours, fp32" in said and "tf32: expected a CUDA device" in said
    assert "--runtime graphs: expected a CUDA device" in said and "compiled:" not in said


def test_a_job_without_time_is_named_and_not_begun(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main(["--dry", "--data", str(tmp_path), "--budget", "1", "--only", "pose-w32"]) == 0
    said = capsys.readouterr().out
    assert "pose-w32: not begun: the budget of 1 s ends" in said and "reference graph" not in said


def test_a_device_is_as_busy_as_its_driver_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\necho "$@" > "$0.asked"\nprintf "0\\n7\\n3\\n90\\n[N/A]\\n100\\n"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with Watch(torch.device("cuda"), lambda device: "GPU-7") as watch:
        watch.begin()
        assert watch.process is not None
        watch.process.wait(30)
    assert watch.share == pytest.approx(0.95)
    assert "-i GPU-7" in program.with_name("nvidia-smi.asked").read_text()
    with Watch(torch.device("cpu")) as watch:
        watch.begin()
    assert watch.share is None
