"""Runs planned cells side by side in worker processes, one thread each, and keeps going when one fails. Torch-free."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.paths import Places
from benchmarks.running.cores import available_cores
from benchmarks.running.plan import Planned
from benchmarks.running.worker import main as worker_main
from benchmarks.store.store import Store


@dataclass
class Job:
    """Something for a worker: a cell, or the embedded data that cells need."""

    name: str
    message: tuple[Any, ...]
    cell: Cell | None = None
    needs: set[str] = field(default_factory=set)
    estimate_s: float = 0.0


@dataclass
class Event:
    """What happened: ``kind`` is "start", "progress", "done" or "failed"."""

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


def jobs_of(planned: Sequence[Planned], places: Places) -> list[Job]:
    """Data jobs first; each cell waits for its data, and for the cell whose boxes it reads."""
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
        jobs[cell.id] = Job(cell.id, ("cell", cell.identity(), cell.label, places), cell, needs, item.estimate_s)
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
    new worker takes the next. On KeyboardInterrupt the workers are ended; finished cells are on disk.
    """
    store = store or Store(places.out)
    todo = [item for item in planned if item.runs]
    waiting = jobs_of(todo, places)
    if not waiting:
        return 0
    count = max(1, min(jobs or available_cores(), len(waiting)))
    threads = places.threads or max(1, available_cores() // count)
    if count > 1 and places.threads is None:
        threads = 1
    finished: set[str] = set()
    failed = 0
    workers: list[_Worker] = []
    ordered = sorted(waiting, key=lambda job: -job.estimate_s)
    dependants = {name for job in ordered for name in job.needs}
    try:
        while ordered or any(w.job for w in workers):
            for job in [j for j in ordered if j.needs <= finished]:
                worker = next((w for w in workers if w.job is None), None)
                if worker is None and len(workers) < count:
                    worker = _start(threads)
                    workers.append(worker)
                if worker is None:
                    break
                ordered.remove(job)
                worker.job, worker.since = job, time.perf_counter()
                worker.connection.send(job.message)
                watch(Event("start", job.name, job.cell))
            busy = [w for w in workers if w.job is not None]
            for ready in wait([w.connection for w in busy] + [w.process.sentinel for w in busy], timeout=1.0):
                worker = next(w for w in busy if ready in (w.connection, w.process.sentinel))
                if worker.job is None:
                    continue
                job = worker.job
                message = _receive(worker)
                if message is None and worker.process.is_alive():
                    continue
                if message is not None and message[0] == "progress":
                    watch(Event("progress", job.name, job.cell, message[1]))
                    continue
                seconds = time.perf_counter() - worker.since
                worker.job = None
                reason = None
                if message is None:
                    worker.process.join()
                    reason = _death(worker.process.exitcode)
                    workers.remove(worker)
                elif message[0] == "error":
                    reason = message[1]
                elif message[0] == "cell_done" and message[1] == "failed":
                    reason = message[2] or "failed"
                if reason is not None and job.cell is not None:
                    _keep_failure(job.cell, reason, store)
                if reason is None or job.name not in dependants:
                    finished.add(job.name)
                else:
                    failed += _drop_dependants(ordered, job.name, reason, store, watch)
                failed += reason is not None and job.cell is not None
                watch(Event("failed" if reason else "done", job.name, job.cell, None, reason, seconds))
    finally:
        for worker in workers:
            worker.connection.close()
            if worker.job is not None:
                worker.process.terminate()
        for worker in workers:
            worker.process.join(timeout=10)
    return failed


def _start(threads: int) -> _Worker:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    before = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    os.environ.update(dict.fromkeys(before, str(threads)))
    try:
        process = context.Process(target=worker_main, args=(there, threads), daemon=False)
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


def _drop_dependants(ordered: list[Job], name: str, reason: str, store: Store, watch: Watch) -> int:
    """Cells that wait for what failed are failed with its reason."""
    dropped = [job for job in ordered if name in job.needs]
    for job in dropped:
        ordered.remove(job)
        text = f"What it needs failed: {reason}"
        if job.cell is not None:
            _keep_failure(job.cell, text, store)
        watch(Event("failed", job.name, job.cell, None, text, 0.0))
    return len(dropped)


def _keep_failure(cell: Cell, reason: str, store: Store) -> None:
    """Stores a failure, unless its worker has done so; where the disk refuses, the store remembers it for the tables."""
    from benchmarks.experiment import provenance

    held = store.load(cell.task, cell.id)
    if held is not None and not held.done and held.record.reason == reason:
        return
    record = failure_record(cell, reason) | {
        "provenance": {"ended": provenance.now(), "git": provenance.git_state(), "packages": provenance.packages()}
    }
    try:
        store.save(record)  # beside a finished result, where there is one
    except OSError:
        store.remember(record)


def failure_record(cell: Cell, reason: str) -> dict[str, Any]:
    """A cell without figures, as the store takes it."""

    return {
        "id": cell.id,
        "name": cell.name,
        "label": cell.label,
        "key": None,
        "cell": cell.identity(),
        "protocol_header": cell.protocol_header,
        "status": "failed",
        "reason": reason,
        "durations_s": {},
        "provenance": {},
    }
