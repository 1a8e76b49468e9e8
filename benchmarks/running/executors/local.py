"""Runs jobs in worker processes of this machine, one thread each; on accelerators as many as there are slots."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from benchmarks.running.cores import available_cores
from benchmarks.running.executors.accelerators import VISIBLE, gpu_slots
from benchmarks.running.executors.interface import Answer, Job
from benchmarks.running.interrupts import children_without_interrupts
from benchmarks.running.worker import main as worker_main

CPU_JOBS_BESIDE = 2
"""Workers for jobs that use no accelerator (making data), beside those that do."""


@dataclass
class _Worker:
    process: Any
    connection: Connection
    gpu: str
    job: Job | None = None


class LocalExecutor:
    """Worker processes, begun when they are needed and kept for the jobs that follow.

    Args:
        jobs: worker processes; None for as many as there are cores, or with accelerators as many as these have slots.
        gpus: the accelerators, as CUDA names them; every worker sees one of them alone. Without any, all jobs are alike.
        cells_per_gpu: workers that share an accelerator.
    """

    retry_s = 1.0
    in_batches = False

    def __init__(self, jobs: int | None = None, gpus: Sequence[str] = (), cells_per_gpu: int = 1) -> None:
        slots = gpu_slots(gpus, cells_per_gpu)
        self.slots = slots[:jobs] if jobs else slots
        """The accelerator of each worker that has one."""
        beside = max(1, min(CPU_JOBS_BESIDE, available_cores() - len(slots)))
        self.cpu_workers = beside if slots else jobs or available_cores()
        self.workers: list[_Worker] = []
        self.heard: list[Answer] = []

    @property
    def cells(self) -> int:
        """Cells that run side by side."""
        return len(self.slots) or self.cpu_workers

    def room(self, gpu: bool) -> int:
        uses_gpu = gpu and bool(self.slots)
        busy = sum(worker.job is not None and bool(worker.gpu) == uses_gpu for worker in self.workers)
        return (len(self.slots) if uses_gpu else self.cpu_workers) - busy

    def submit(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            worker = self._free(job.resources.gpus > 0 and bool(self.slots))
            worker.job = job
            worker.connection.send(job.message)
            self.heard.append((job.name, ("started",)))

    def poll(self, timeout_s: float) -> list[Answer]:
        busy = [worker for worker in self.workers if worker.job is not None]
        ends = [end for worker in busy for end in (worker.connection, worker.process.sentinel)]
        for ready in wait(ends, timeout=0 if self.heard else timeout_s):
            worker = next(w for w in busy if ready in (w.connection, w.process.sentinel))
            if worker.job is not None:
                self._listen(worker, worker.job)
        heard, self.heard = self.heard, []
        return heard

    def end(self) -> None:
        for worker in self.workers:
            worker.connection.close()
            if worker.job is not None:
                worker.process.terminate()
        for worker in self.workers:
            worker.process.join(timeout=10)

    def _free(self, uses_gpu: bool) -> _Worker:
        """A worker without a job, of those with an accelerator or of the others; a new one where there is none."""
        self.workers = [worker for worker in self.workers if worker.job is not None or worker.process.is_alive()]
        alike = [worker for worker in self.workers if bool(worker.gpu) == uses_gpu]
        free = next((worker for worker in alike if worker.job is None), None)
        if free is not None:
            return free
        gpu = ""
        if uses_gpu:
            left = list(self.slots)
            for worker in alike:
                left.remove(worker.gpu)
            gpu = left[0]
        self.workers.append(_start(gpu, hide_gpus=bool(self.slots)))
        return self.workers[-1]

    def _listen(self, worker: _Worker, job: Job) -> None:
        """Takes a worker's message, or notes its death."""
        message = _receive(worker)
        if message is None and worker.process.is_alive():
            return
        if message is None:
            worker.process.join()
            message = ("died", _death(worker.process.exitcode))
            self.workers.remove(worker)
        if message[0] != "progress":
            worker.job = None
        self.heard.append((job.name, message))


def _start(gpu: str, hide_gpus: bool) -> _Worker:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    changes = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # a cell that may use more says so
    if gpu or hide_gpus:
        changes[VISIBLE] = gpu
    with _environment(changes):
        process = context.Process(target=worker_main, args=(there,), daemon=False)
        with children_without_interrupts():
            process.start()
    there.close()
    return _Worker(process, here, gpu)


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Variables as the processes that are started in the block see them."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _receive(worker: _Worker) -> Any:
    try:
        return worker.connection.recv() if worker.connection.poll() else None
    except (EOFError, ConnectionResetError):
        worker.process.join(timeout=5)
        return None


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        hint = " (out of memory? use fewer --jobs)" if code == -9 else ""
        return f"The worker was ended by signal {-code}{hint}."
    return f"The worker ended with status {code}."
