"""Runs planned cells side by side and keeps going when one fails: what may begin, what follows from an end.

Where they run is an executor's business (`benchmarks.running.executors`).
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import msgspec

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.paths import Places
from benchmarks.running.cores import available_cores, threads_of
from benchmarks.running.executors.interface import Executor, Job
from benchmarks.running.executors.local import LocalExecutor
from benchmarks.running.executors.resources import resources_of
from benchmarks.running.plan import Planned
from benchmarks.store.record import Git, Identity, Provenance, Record
from benchmarks.store.store import Store


@dataclass
class Event:
    """What happened: ``kind`` is "start", "progress", "waits" (another process runs the cell, or it begins anew on another
    machine), "done" or "failed"."""

    kind: str
    name: str
    cell: Cell | None = None
    progress: Any = None
    reason: str | None = None
    seconds: float = 0.0


Watch = Callable[[Event], None]


def jobs_of(
    planned: Sequence[Planned], places: Places, count: int = 1, gpu: bool = False, first: Collection[str] = ()
) -> list[Job]:
    """Data jobs first; each cell waits for its data, and for the cell whose boxes it reads.

    Args:
        count: cells that run side by side on a machine.
        gpu: whether cells run on accelerators.
        first: ids of cells that begin before the others, as what they need does.
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
        needs |= set(cell.sources)
        seen = item.stored.stamp if item.stored is not None else ""
        threads = threads_of(cell.tier, places.threads, count)
        message = ("cell", cell.identity(), cell.label, places, seen, threads)
        jobs[cell.id] = Job(
            cell.id, message, cell, needs, item.estimate_s, resources_of(cell, places, gpu), cell.id in first
        )
    known = set(jobs)
    for job in jobs.values():
        job.needs &= known
        for need in job.needs if job.first else ():
            jobs[need].first = True
    return list(jobs.values())


def run(
    planned: Sequence[Planned],
    places: Places,
    jobs: int | None,
    watch: Watch,
    store: Store | None = None,
    executor: Executor | None = None,
    gpu: bool = False,
    first: Collection[str] = (),
) -> int:
    """Runs the cells that need it; returns how many failed.

    Args:
        planned: from :func:`benchmarks.running.plan.plan`; those that need no run are passed over.
        jobs: worker processes of this machine; None for as many as there are cores.
        watch: called in this process with every event.
        store: what the tables are filled from; failures that the disk has no room for are remembered there.
        executor: where the cells run; by default in worker processes of this machine.
        gpu: whether cells run on accelerators that the executor hands out.
        first: ids of cells that begin before the others.

    A worker that dies (killed, out of memory) costs its cell only: the cell is stored as failed with that reason and a
    new worker takes the next. A cell that another process runs is left to it, and its result is read. On KeyboardInterrupt the
    workers are ended; finished cells are on disk.
    """
    todo = [item for item in planned if item.runs]
    if executor is None:
        executor = LocalExecutor(max(1, min(jobs or available_cores(), len(todo))))
    count = executor.cells if isinstance(executor, LocalExecutor) else 1
    schedule = Schedule(jobs_of(todo, places, count, gpu, first), executor, watch, store or Store(places.out))
    try:
        schedule.run()
    finally:
        executor.end()
    return schedule.failed


@dataclass
class _Waiting:
    """Jobs in order of their estimated time, longest first; before them those that shall be first."""

    heap: list[tuple[bool, float, int, Job]] = field(default_factory=list)
    order: itertools.count[int] = field(default_factory=itertools.count)

    def put(self, job: Job) -> None:
        heapq.heappush(self.heap, (not job.first, -job.estimate_s, next(self.order), job))

    def take(self, room: int) -> list[Job]:
        return [heapq.heappop(self.heap)[-1] for _ in range(min(room, len(self.heap)))]


class Schedule:
    """Jobs, in the order that their needs allow, and what came of them.

    Args:
        jobs: all of them; a need names one of them.
    """

    def __init__(self, jobs: Sequence[Job], executor: Executor, watch: Watch, store: Store) -> None:
        self.executor, self.watch, self.store = executor, watch, store
        self.jobs = {job.name: job for job in jobs}
        self.missing = {job.name: set(job.needs) for job in jobs}
        self.dependants: dict[str, list[Job]] = {}
        for job in jobs:
            for need in sorted(job.needs):
                self.dependants.setdefault(need, []).append(job)
        self.ready = {False: _Waiting(), True: _Waiting()}
        self.put_off: list[tuple[float, str]] = []
        self.since: dict[str, float] = {}
        """Of the jobs that are handed over: when they began."""
        self.begun: set[str] = set()
        self.told: set[str] = set()
        self.failed = 0
        for job in jobs:
            if not job.needs:
                self._make_ready(job)

    def run(self) -> None:
        while self.since or self.put_off or any(waiting.heap for waiting in self.ready.values()):
            self._hand_out()
            for name, message in self.executor.poll(self._pause_s()):
                if name in self.since:
                    self._hear(self.jobs[name], message)

    def _make_ready(self, job: Job) -> None:
        self.ready[job.resources.gpus > 0].put(job)

    def _hand_out(self) -> None:
        now = time.monotonic()
        while self.put_off and self.put_off[0][0] <= now:
            self._make_ready(self.jobs[heapq.heappop(self.put_off)[1]])
        if self.executor.in_batches and any(self.jobs[name].cell is None for name in self.since):
            return
        for gpu, waiting in self.ready.items():
            chosen = waiting.take(self.executor.room(gpu)) if waiting.heap else []
            if chosen:
                self.since |= {job.name: time.perf_counter() for job in chosen}
                self.executor.submit(chosen)

    def _pause_s(self) -> float:
        next_s = self.put_off[0][0] - time.monotonic() if self.put_off else 1.0
        return min(1.0, max(0.01, next_s))

    def _hear(self, job: Job, message: tuple[Any, ...]) -> None:
        kind = message[0]
        if kind == "started":
            self.since[job.name] = time.perf_counter()
            if job.name not in self.begun:
                self.begun.add(job.name)
                self.watch(Event("start", job.name, job.cell))
        elif kind == "progress":
            self.watch(Event("progress", job.name, job.cell, SimpleNamespace(**message[1])))
        elif kind == "again":
            self.watch(Event("waits", job.name, job.cell, None, message[1]))
        elif kind == "busy":
            self._put_off(job, message[1])
        else:
            reason = message[1] if kind in ("error", "died") else None
            if kind == "cell_done" and message[1] == "failed":
                reason = message[2] or "failed"
            self._finish(job, reason, time.perf_counter() - self.since.pop(job.name))

    def _put_off(self, job: Job, reason: str) -> None:
        """A cell that another process runs comes after the others, and is looked at again."""
        del self.since[job.name]
        heapq.heappush(self.put_off, (time.monotonic() + self.executor.retry_s, job.name))
        if job.name not in self.told:
            self.told.add(job.name)
            self.watch(Event("waits", job.name, job.cell, None, reason))

    def _finish(self, job: Job, reason: str | None, seconds: float) -> None:
        if reason is not None and job.cell is not None:
            keep_failure(job.cell, reason, self.store)
        self.failed += reason is not None and job.cell is not None
        self.watch(Event("failed" if reason else "done", job.name, job.cell, None, reason, seconds))
        for dependant in self.dependants.get(job.name, []):
            missing = self.missing[dependant.name]
            if job.name not in missing:
                continue
            if reason is not None:  # what waits for it is failed with its reason
                missing.clear()
                self._finish(dependant, f"What it needs failed: {reason}", 0.0)
                continue
            missing.discard(job.name)
            if not missing:
                self._make_ready(dependant)


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
    except (ValueError, OSError):  # another process runs it, a link leads out of the results, the disk refuses
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
