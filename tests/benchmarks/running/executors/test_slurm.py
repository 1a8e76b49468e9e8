"""Slurm on loopback: a suite as array jobs, cells that a limit or a cancellation leaves, processes that srun starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_on_loopback import SlurmOnLoopback, lacking

from benchmarks.experiment.cell import make_cell
from benchmarks.experiment.installation import CODE
from benchmarks.experiment.paths import Places
from benchmarks.running.executors.interface import GIB, Job
from benchmarks.running.executors.resources import resources_of
from benchmarks.running.executors.slurm import SlurmExecutor, SlurmOptions, _seconds
from benchmarks.running.executors.slurm_worker import Told
from benchmarks.store.store import Store

pytest.importorskip("submitit")

timed = pytest.mark.skipif(
    not os.environ.get("HRNET_CLUSTER_TESTS"),
    reason="depends on the moments at which Slurm ends jobs: set HRNET_CLUSTER_TESTS=1 on a quiet machine",
)
needs_slurm = pytest.mark.skipif(lacking() is not None, reason=f"Slurm on loopback: {lacking()}")


@pytest.fixture(scope="module")
def slurm() -> Iterator[dict[str, str]]:
    with SlurmOnLoopback() as environment:
        yield {**os.environ, **environment, "OMP_NUM_THREADS": "1"}


def _command(folder: Path, *words: str) -> list[str]:
    command = [
        sys.executable,
        "run_all.py",
        "run",
        "--engine",
        "slurm",
        "--suite",
        "embedded_landmarks",
        "--tier",
        "smoke",
    ]
    command += [
        "--out",
        str(folder / "out"),
        "--embedded-root",
        str(folder / "data"),
        "--no-report",
        "--slurm",
        "mem=2G",
    ]
    return [*command, *words]


@timed
@needs_slurm
def test_a_suite_as_array_jobs_and_what_a_cancellation_leaves(tmp_path: Path, slurm: dict[str, str]) -> None:
    long = ("--only", "landmarks/cofw/hrnet_micro_w8", "--set", "recipe.epochs=5000")
    process = subprocess.Popen(
        _command(tmp_path, *long), cwd=CODE, env=slurm, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 90
    while not list((tmp_path / "out").rglob("resume.pt")):  # it trains, and has saved its state
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert "goes on from here" in process.communicate(timeout=60)[1] and process.returncode == 130
    queued = ["squeue", "-h", "-t", "pending,running"]
    deadline = time.monotonic() + 20
    while subprocess.run(queued, env=slurm, capture_output=True, text=True, check=True).stdout.strip():
        assert time.monotonic() < deadline, "the jobs go on"
        time.sleep(0.2)
    # The state is there for the next run; another set of cells runs beside it.
    short = ("--only", "landmarks/cofw/*", "--jobs", "2")
    done = subprocess.run(_command(tmp_path, *short), cwd=CODE, env=slurm, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    stored = list(Store(tmp_path / "out" / "runs").all())
    assert len(stored) >= 2 and all(cell.done for cell in stored)
    arrays = subprocess.run(
        ["squeue", "-h", "-r", "-t", "all", "-o", "%F %K"], env=slurm, capture_output=True, text=True, check=True
    )
    members = [line.split() for line in arrays.stdout.splitlines()]
    assert max(sum(other[0] == job for other in members) for job, _ in members) == len(stored)  # one array
    assert len(list((tmp_path / "out").rglob("resume.pt"))) == 1


@timed
@needs_slurm
def test_a_job_that_ends_without_a_word_has_its_reason(
    tmp_path: Path, slurm: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLURM_CONF", "PATH"):
        monkeypatch.setenv(name, slurm[name])
    executor = SlurmExecutor(tmp_path, SlurmOptions({"begin": "now+1hour", "mem": "100M"}, queue_s=0.5))
    try:
        executor.submit([Job("a", ("look",)), Job("b", ("look",))])
        subprocess.run(["scancel", executor.running["b"].slurm_id], env=slurm, check=True)
        heard = []
        deadline = time.monotonic() + 30
        while not heard and time.monotonic() < deadline:
            heard = executor.poll(1.0)
        [(name, (kind, reason))] = heard
        assert (name, kind) == ("b", "died") and "cancelled perhaps; the next run" in reason and "log" in reason
        assert list(executor.running) == ["a"]
    finally:
        executor.end()
    left = subprocess.run(
        ["squeue", "-h", "-t", "pending,running"], env=slurm, capture_output=True, text=True, check=True
    )
    assert not left.stdout.strip()


@needs_slurm
def test_two_processes_of_srun_train_and_evaluate_on_cpus(tmp_path: Path, slurm: dict[str, str]) -> None:
    words = [
        "--task",
        "landmarks",
        "--dataset",
        "cofw",
        "--model",
        "hrnet_micro_w8",
        "--tier",
        "smoke",
        "--launcher",
        "slurm",
    ]
    words += [
        "--out",
        str(tmp_path / "out"),
        "--embedded-root",
        str(tmp_path / "data"),
        "--json",
        str(tmp_path / "r.json"),
    ]
    start = ["srun", "--ntasks", "2", "--mem-per-cpu", "1G", sys.executable, "run_all.py", "train"]
    done = subprocess.run(
        [*start, *words], cwd=CODE, env=slurm, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.count("stored:") == 1
    assert json.loads((tmp_path / "r.json").read_text())["status"] == "done"


def test_what_a_cell_takes() -> None:
    micro = make_cell("pose", "coco", "hrnet_micro_w8", tier="smoke")
    full = make_cell("pose", "coco", "hrnet_w32")
    places = Places(cells_per_gpu=2)
    small, large, on_gpu = (
        resources_of(micro, places, False),
        resources_of(full, places, False),
        resources_of(full, places, True),
    )
    assert small.cpus == 1 and small.gpus == large.gpus == 0 and small.memory_bytes < 3 * GIB
    assert large.memory_bytes > 5 * small.memory_bytes and on_gpu.memory_bytes < large.memory_bytes
    assert on_gpu.gpus == 0.5 and on_gpu.cpus < large.cpus
    asked = resources_of(full, Places(threads=8, num_workers=3), False)
    assert asked.cpus == 11


def test_times_of_sbatch() -> None:
    times = {"90": 5400, "1:30": 90, "2:00:00": 7200, "1-12": 129600, "1-00:30": 88200, "1-00:00:05": 86405}
    assert {text: _seconds(text) for text in times} == times
    with pytest.raises(ValueError, match="--slurm time=soon"):
        _seconds("soon")


def test_a_line_that_is_being_written_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "1.jsonl"
    told = Told(path)
    assert list(told.new()) == []
    path.write_text('["started"]\n["progress", {"phase": "train", "done": 1}]\n["cell_d')
    first, second = told.new()
    assert first == ("started",) and (second[0], second[1].phase, second[1].done) == ("progress", "train", 1)
    with path.open("a") as handle:
        handle.write('one", "done", null, {}]\n')
    assert list(told.new()) == [("cell_done", "done", None, {})]
