"""Runs planned cells side by side in worker processes, one thread each, and keeps going when one fails. Torch-free."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

import msgspec

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.paths import Places
from benchmarks.running.cores import available_cores, threads_of
from benchmarks.running.interrupts import children_without_interrupts
from benchmarks.running.plan import Planned
from benchmarks.running.worker import main as worker_main
from benchmarks.store.claims import BusyError
from benchmarks.store.record import Git, Identity, Provenance, Record
from benchmarks.store.store import Store

WAIT_S = 1.0
"""Before a cell that another process runs is tried again."""


@dataclass
class Job:
    """Something for a worker: a cell, or the embedded data that cells need."""

    name: str
    message: tuple[Any, ...]
    cell: Cell | None = None
    needs: set[str] = field(default_factory=set)
    estimate_s: float = 0.0
    not_before: float = 0.0


@dataclass
class Event:
    """What happened: ``kind`` is "start", "progress", "waits" (another process runs the cell), "done" or "failed"."""

    kind: str
    name: str
    cell: Cell | None = None
    progress: Any = None
    reason: str | None = None
    seconds: float = 0.0


Watch = Callable[[Event], None]


@dataclass
class _Worker:
    process: Any
    connection: Connection
    job: Job | None = None
    since: float = 0.0


def jobs_of(planned: Sequence[Planned], places: Places, count: int = 1) -> list[Job]:
    """Data jobs first; each cell waits for its data, and for the cell whose boxes it reads.

    Args:
        count: cells that run side by side.
    """
    jobs: dict[str, Job] = {}
    for item in planned:
        cell = item.cell
        needs = set()
        if cell.data is not None:
            name = f"data/{cell.tier}/{cell.data}"
            needs.add(name)
            jobs.setdefault(
                name, Job(name, ("data", cell.data, cell.tier, places.embedded / cell.tier), None, set(), 1e9)
            )
        if cell.boxes_from is not None:
            needs.add(cell.boxes_from)
        seen = item.stored.stamp if item.stored is not None else ""
        threads = threads_of(cell.tier, places.threads, count)
        message = ("cell", cell.identity(), cell.label, places, seen, threads)
        jobs[cell.id] = Job(cell.id, message, cell, needs, item.estimate_s)
    known = set(jobs)
    for job in jobs.values():
        job.needs &= known
    return list(jobs.values())


def run(planned: Sequence[Planned], places: Places, jobs: int | None, watch: Watch, store: Store | None = None) -> int:
    """Runs the cells that need it; returns how many failed.

    Args:
        planned: from :func:`benchmarks.running.plan.plan`; those that need no run are passed over.
        jobs: worker processes; None for as many as there are cores.
        watch: called in this process with every event.
        store: what the tables are filled from; failures that the disk has no room for are remembered there.

    A worker that dies (killed, out of memory) costs its cell only: the cell is stored as failed with that reason and a
    new worker takes the next. A cell that another process runs is left to it, and its result is read. On KeyboardInterrupt the
    workers are ended; finished cells are on disk.
    """
    todo = [item for item in planned if item.runs]
    count = max(1, min(jobs or available_cores(), len(todo)))
    pool = _Pool(jobs_of(todo, places, count), count, watch, store or Store(places.out))
    try:
        pool.run()
    finally:
        pool.end()
    return pool.failed


class _Pool:
    """Jobs in order of their estimated time, longest first, and the workers that take them."""

    def __init__(self, jobs: Sequence[Job], count: int, watch: Watch, store: Store) -> None:
        self.waiting = sorted(jobs, key=lambda job: -job.estimate_s)
        self.dependants = {name for job in self.waiting for name in job.needs}
        self.count, self.watch, self.store = count, watch, store
        self.workers: list[_Worker] = []
        self.finished: set[str] = set()
        self.told: set[str] = set()
        self.failed = 0

    def run(self) -> None:
        while self.waiting or any(worker.job for worker in self.workers):
            self._hand_out()
            busy = [worker for worker in self.workers if worker.job is not None]
            if not busy:
                time.sleep(WAIT_S / 4)
                continue
            pause = min(
                [1.0, *(max(0.0, job.not_before - time.monotonic()) + 0.01 for job in self.waiting if job.not_before)]
            )
            ends = [end for worker in busy for end in (worker.connection, worker.process.sentinel)]
            for ready in wait(ends, timeout=pause):
                worker = next(w for w in busy if ready in (w.connection, w.process.sentinel))
                if worker.job is not None:
                    self._listen(worker, worker.job)

    def end(self) -> None:
        """Ends the workers; what they were doing is given up."""
        for worker in self.workers:
            worker.connection.close()
            if worker.job is not None:
                worker.process.terminate()
        for worker in self.workers:
            worker.process.join(timeout=10)

    def _hand_out(self) -> None:
        now = time.monotonic()
        for job in [j for j in self.waiting if j.needs <= self.finished and j.not_before <= now]:
            worker = next((w for w in self.workers if w.job is None), None)
            if worker is None and len(self.workers) < self.count:
                worker = _start()
                self.workers.append(worker)
            if worker is None:
                return
            self.waiting.remove(job)
            worker.job, worker.since = job, time.perf_counter()
            worker.connection.send(job.message)
            if not job.not_before:
                self.watch(Event("start", job.name, job.cell))

    def _listen(self, worker: _Worker, job: Job) -> None:
        """Takes a worker's message, or notes its death."""
        message = _receive(worker)
        if message is None and worker.process.is_alive():
            return
        if message is not None and message[0] == "progress":
            self.watch(Event("progress", job.name, job.cell, message[1]))
            return
        worker.job = None
        if message is not None and message[0] == "busy":
            self._put_off(job, message[1])
            return
        reason = None
        if message is None:
            worker.process.join()
            reason = _death(worker.process.exitcode)
            self.workers.remove(worker)
        elif message[0] == "error":
            reason = message[1]
        elif message[0] == "cell_done" and message[1] == "failed":
            reason = message[2] or "failed"
        self._finish(job, reason, time.perf_counter() - worker.since)

    def _put_off(self, job: Job, reason: str) -> None:
        """A cell that another process runs comes after the others, and is looked at again."""
        job.not_before = time.monotonic() + WAIT_S
        self.waiting.append(job)
        if job.name not in self.told:
            self.told.add(job.name)
            self.watch(Event("waits", job.name, job.cell, None, reason))

    def _finish(self, job: Job, reason: str | None, seconds: float) -> None:
        if reason is not None and job.cell is not None:
            keep_failure(job.cell, reason, self.store)
        if reason is None or job.name not in self.dependants:
            self.finished.add(job.name)
        else:
            self._drop_dependants(job.name, reason)
        self.failed += reason is not None and job.cell is not None
        self.watch(Event("failed" if reason else "done", job.name, job.cell, None, reason, seconds))

    def _drop_dependants(self, name: str, reason: str) -> None:
        """Cells that wait for what failed are failed with its reason."""
        for job in [job for job in self.waiting if name in job.needs]:
            self.waiting.remove(job)
            text = f"What it needs failed: {reason}"
            if job.cell is not None:
                keep_failure(job.cell, text, self.store)
                self.failed += 1
            self.watch(Event("failed", job.name, job.cell, None, text, 0.0))


def _start() -> _Worker:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    before = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    os.environ.update(dict.fromkeys(before, "1"))  # a cell that may use more says so
    try:
        process = context.Process(target=worker_main, args=(there,), daemon=False)
        with children_without_interrupts():
            process.start()
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    there.close()
    return _Worker(process, here)


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


def keep_failure(cell: Cell, reason: str, store: Store, user_error: bool = False) -> None:
    """Stores a failure, unless its worker has done so; where the disk refuses, the store remembers it for the tables."""
    from benchmarks.experiment import provenance

    held = store.load(cell.task, cell.id)
    if held is not None and not held.done and held.record.reason == reason:
        return
    made = Provenance(ended=provenance.now(), git=Git(**provenance.git_state()), packages=provenance.packages())
    record = msgspec.structs.replace(failure_record(cell, reason), provenance=made, user_error=user_error)
    try:
        store.workspace(cell.task, cell.id)
        store.save(record)  # beside a finished result, where there is one
    except (BusyError, OSError):
        store.remember(record)
    finally:
        store.discard_workspace(cell.task, cell.id)


def failure_record(cell: Cell, reason: str) -> Record:
    """A cell without figures."""
    identity = msgspec.convert(cell.identity(), Identity)
    return Record(
        id=cell.id,
        name=cell.name,
        label=cell.label,
        cell=identity,
        protocol_header=cell.protocol_header,
        status="failed",
        reason=reason,
    )
