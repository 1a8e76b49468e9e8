"""Runs jobs as Slurm array jobs, submitted through submitit; the results folder is one that every machine sees."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.experiment.installation import CODE
from benchmarks.running.executors.interface import Answer, Job
from benchmarks.running.executors.slurm_worker import TIME_LIMIT, Told, task
from benchmarks.running.interrupts import at_end, not_at_end

LOOK_S = 0.5
"""Between two looks into the jobs' files."""
EARLY_S = 90.0
"""Before its time limit a job is told to end; a tenth of a short one."""
QUEUE_S = 10.0
"""Between two questions to Slurm."""
MIB = 2**20
WAITING = ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD")
LIVING = (*WAITING, "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "RESIZING", "STAGE_OUT")
ENDS = {
    "TIMEOUT": TIME_LIMIT,
    "OUT_OF_MEMORY": "Slurm ended it: more memory than it was given (--slurm mem=...).",
    "NODE_FAIL": "Its machine was lost; the next run goes on from its last state.",
    "CANCELLED": "It was cancelled; the next run goes on from its last state.",
    "UNKNOWN": "It has left Slurm's queue, cancelled perhaps; the next run goes on from its last state.",
    "PREEMPTED": "It was preempted; the next run goes on from its last state.",
}


@dataclass
class _Submitted:
    name: str
    slurm_id: str
    told: Told
    gone: int = 0
    """In how many looks at the queue in a row it was not to be seen."""


@dataclass(frozen=True)
class SlurmOptions:
    """What a run asks of Slurm.

    Attributes:
        given: options of sbatch (``--slurm k=v``), which go before what the cells' resources say.
        gpus: accelerators at a time, one to a cell; 0 for cells on CPUs.
        jobs: cells at a time at most.
        queue_s: between two questions to Slurm.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    gpus: int = 0
    jobs: int | None = None
    queue_s: float = QUEUE_S


class SlurmExecutor:
    """What is handed over at a time is one array job. Jobs are heard through files below the results folder; Slurm is asked
    now and then what has become of those that say nothing.

    Args:
        runs: the result store's folder.

    Raises:
        ValueError: submitit or Slurm's programs are missing.
    """

    retry_s = 60.0
    in_batches = True

    def __init__(self, runs: Path, options: SlurmOptions) -> None:
        self.submitit = _submitit()
        self.options = options
        self.folder = runs.absolute() / ".slurm" / uuid.uuid4().hex[:8]
        self.folder.mkdir(parents=True)
        self.running: dict[str, _Submitted] = {}
        self.count = 0
        self.asked = time.monotonic()
        self.spoilt = False
        at_end(self.cancel)

    def room(self, gpu: bool) -> int:
        return sys.maxsize

    def submit(self, jobs: Sequence[Job]) -> None:
        executor = self.submitit.SlurmExecutor(self.folder / "log", max_num_timeout=0)
        known = set(executor._valid_parameters())
        parameters = self._parameters(jobs)
        more = {name: parameters.pop(name) for name in sorted(set(parameters) - known)}
        limit_s = _seconds(str(parameters["time"])) if "time" in parameters else None
        early_s = int(parameters.setdefault("signal_delay_s", int(min(EARLY_S, (limit_s or EARLY_S * 10) / 10))))
        try:
            executor.update_parameters(**{"time": None, **parameters}, additional_parameters=more)
            made = []
            with executor.batch():
                for job in jobs:
                    self.count += 1
                    told = self.folder / f"{self.count}.jsonl"
                    made.append((job.name, told, executor.submit(task, job.message, told, limit_s, early_s)))
        except self.submitit.core.utils.FailedJobError as error:
            raise ValueError(f"--engine slurm: sbatch refused the job: {' '.join(str(error).split())}") from error
        for name, told, submitted in made:
            self.running[name] = _Submitted(name, submitted.job_id, Told(told))

    def poll(self, timeout_s: float) -> list[Answer]:
        time.sleep(min(timeout_s, LOOK_S) if self.running else timeout_s)
        heard: list[Answer] = []
        for submitted in list(self.running.values()):
            heard += self._read(submitted)
        if time.monotonic() - self.asked > self.options.queue_s and self.running:
            self.asked = time.monotonic()
            heard += self._missing()
        return heard

    def end(self) -> None:
        self.cancel()
        not_at_end(self.cancel)
        if not self.spoilt:
            shutil.rmtree(self.folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # others are in use
                self.folder.parent.rmdir()

    def cancel(self) -> None:
        """Ends what is still queued or running."""
        if self.running:
            identifiers = [submitted.slurm_id for submitted in self.running.values()]
            subprocess.run(["scancel", *identifiers], check=False, timeout=60, capture_output=True)

    def _read(self, submitted: _Submitted) -> list[Answer]:
        heard: list[Answer] = []
        for message in submitted.told.new():
            heard.append((submitted.name, message))
            if message[0] not in ("started", "progress"):
                self.running.pop(submitted.name, None)
                self.spoilt |= message[0] in ("error", "died")
        return heard

    def _missing(self) -> list[Answer]:
        """Jobs that ended without a word, for a reason that Slurm knows. One that is gone may have spoken meanwhile: it is read
        once more, and given until the next question."""
        states = _states()
        heard: list[Answer] = []
        for submitted in [] if states is None else list(self.running.values()):
            state = states.get(submitted.slurm_id, "UNKNOWN") if states else "UNKNOWN"
            submitted.gone = 0 if state in LIVING else submitted.gone + 1
            if submitted.gone < 2:
                continue
            heard += self._read(submitted)
            if self.running.pop(submitted.name, None) is not None:
                self.spoilt = True
                why = ENDS.get(state, f"Its Slurm job {submitted.slurm_id} ended without a word ({state}).")
                heard.append((submitted.name, ("died", f"{why} Its log: {self.folder / 'log'}")))
        return heard

    def _parameters(self, jobs: Sequence[Job]) -> dict[str, Any]:
        """Of an array, what its most demanding job takes; then what the caller says."""
        variables = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": _path()}
        wanted = [job.resources for job in jobs]
        parameters: dict[str, Any] = {
            "job_name": "hrnet-benchmark",
            "cpus_per_task": max(resources.cpus for resources in wanted),
            "mem": f"{max(resources.memory_bytes for resources in wanted) // MIB}M",
            "setup": [f"export {name}={shlex.quote(value)}" for name, value in variables.items()],
        }
        if self.options.jobs or self.options.gpus:
            parameters["array_parallelism"] = min(filter(None, (self.options.jobs, self.options.gpus)))
        if any(resources.gpus for resources in wanted):
            parameters["gpus_per_node"] = 1
        for name, value in self.options.given.items():
            parameters[name.replace("-", "_")] = int(value) if value.isdecimal() else value
        return parameters


def _submitit() -> Any:
    try:
        import submitit
    except ImportError:
        raise ValueError(
            "--engine slurm: expected submitit, found none. Install it: pip install 'hrnet-benchmark[slurm]'"
        ) from None
    missing = [name for name in ("sbatch", "squeue", "scancel") if shutil.which(name) is None]
    if missing:
        raise ValueError(
            f"--engine slurm: expected the program {missing[0]}, found none. Call from a machine of the cluster."
        )
    return submitit


def _states() -> dict[str, str] | None:
    """The state of every job of this user that Slurm still knows, by its number; None where Slurm does not answer."""
    try:
        done = subprocess.run(
            ["squeue", "-h", "-r", "--me", "-t", "all", "-o", "%i|%T"],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return dict(line.split("|", 1) for line in done.stdout.splitlines() if "|" in line)


def _path() -> str:
    return os.pathsep.join([str(CODE), *filter(None, [os.environ.get("PYTHONPATH")])])


def _seconds(text: str) -> float:
    """sbatch's time: minutes, minutes:seconds, hours:minutes:seconds, days-hours[:minutes[:seconds]].

    Raises:
        ValueError: another form.
    """
    days, dash, rest = text.rpartition("-")
    parts = rest.split(":")
    if not all(part.isdecimal() for part in (*parts, days or "0")) or len(parts) > 3:
        raise ValueError(
            f"--slurm time={text}: expected minutes, hours:minutes:seconds or days-hours, as sbatch takes them."
        )
    numbers = [int(part) for part in parts]
    units = (3600, 60, 1) if dash or len(numbers) == 3 else (60, 1)
    return 86400 * int(days or 0) + float(sum(number * unit for number, unit in zip(numbers, units)))
