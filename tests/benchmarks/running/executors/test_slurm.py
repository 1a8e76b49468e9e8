"""Slurm on loopback: a suite as array jobs, cells that a limit or a cancellation leaves, processes that srun starts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import slurm_on_loopback
from slurm_on_loopback import SlurmOnLoopback, lacking, processes_of

from benchmarks.experiment.cell import make_cell
from benchmarks.experiment.installation import CODE
from benchmarks.experiment.paths import Places
from benchmarks.running.executors.interface import GIB, Job
from benchmarks.running.executors.resources import resources_of
from benchmarks.running.executors.slurm import SlurmExecutor, SlurmOptions, _seconds
from benchmarks.running.executors.slurm_worker import Told
from benchmarks.store.store import Store

pytest.importorskip("submitit")

WAIT_S = 300.0
"""For what a loaded machine does in seconds."""
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


def _squeue(slurm: dict[str, str], *words: str) -> list[str]:
    done = subprocess.run(["squeue", "-h", *words], env=slurm, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def _wait_until_none_runs(slurm: dict[str, str]) -> None:
    """Until the jobs of this cluster have ended, with their processes: their last words come before."""
    deadline = time.monotonic() + WAIT_S
    while _squeue(slurm, "-t", "pending,running,completing"):
        assert time.monotonic() < deadline, "the jobs go on"
        time.sleep(0.2)


@needs_slurm
def test_a_suite_as_array_jobs_and_what_a_cancellation_leaves(tmp_path: Path, slurm: dict[str, str]) -> None:
    long = ("--only", "landmarks/cofw/hrnet_micro_w8", "--set", "recipe.epochs=5000")
    process = subprocess.Popen(
        _command(tmp_path, *long), cwd=CODE, env=slurm, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + WAIT_S
    while not list((tmp_path / "out").rglob("resume.pt")):  # it trains, and has saved its state
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert "goes on from here" in process.communicate(timeout=WAIT_S)[1] and process.returncode == 130
    _wait_until_none_runs(slurm)
    # The state is there for the next run; another set of cells runs beside it.
    short = ("--only", "landmarks/cofw/*", "--jobs", "2")
    done = subprocess.run(_command(tmp_path, *short), cwd=CODE, env=slurm, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    stored = list(Store(tmp_path / "out" / "runs").all())
    assert len(stored) >= 2 and all(cell.done for cell in stored)
    members = [line.split() for line in _squeue(slurm, "-r", "-t", "all", "-o", "%F %K")]
    assert max(sum(other[0] == job for other in members) for job, _ in members) == len(stored)  # one array
    assert len(list((tmp_path / "out").rglob("resume.pt"))) == 1


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
        deadline = time.monotonic() + WAIT_S
        while not heard and time.monotonic() < deadline:
            heard = executor.poll(1.0)
        [(name, (kind, reason))] = heard
        # Slurm forgets a member of an array that never ran, now or a little later.
        assert (name, kind) == ("b", "died") and re.search("cancelled.*; the next run.*log", reason)
        assert list(executor.running) == ["a"]
    finally:
        executor.end()
    _wait_until_none_runs(slurm)


@needs_slurm
def test_the_cluster_ends_with_its_process_even_where_that_is_killed() -> None:
    lines = "import os, subprocess, time; from slurm_on_loopback import SlurmOnLoopback as Cluster; made = Cluster(); "
    lines += "env = {**os.environ, **made.__enter__()}; subprocess.run(['sbatch', '--mem=9M', '--wrap=sleep 999'], env=env); "
    lines += "print(made.folder, flush=True); time.sleep(999)"
    environment = {**os.environ, "PYTHONPATH": str(Path(slurm_on_loopback.__file__).parent)}
    process = subprocess.Popen(
        [sys.executable, "-c", lines], cwd="/tmp", env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    folder = Path(next(line for line in process.stdout if "Submitted" not in line).strip())
    deadline = time.monotonic() + WAIT_S
    while len(processes_of(folder)) < 6:  # three daemons, one's helper, a step and its shell
        assert time.monotonic() < deadline, "the job does not begin"
        time.sleep(0.1)
    process.kill()
    process.communicate()
    while folder.exists():
        assert time.monotonic() < deadline, "the cluster goes on"
        time.sleep(0.1)
    assert not processes_of(folder)


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
        [*start, *words], cwd=CODE, env=slurm, capture_output=True, text=True, check=False, timeout=2 * WAIT_S
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
    assert first == ("started",) and second == ("progress", {"phase": "train", "done": 1})
    with path.open("a") as handle:
        handle.write('one", "done", null, {}]\n')
    assert list(told.new()) == [("cell_done", "done", None, {})]
