"""What the scheduler and the executors share: a job, what it needs of a machine, and what is heard of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.experiment.cell import Cell

GIB = 2**30


@dataclass(frozen=True)
class Resources:
    """What a job takes of a machine while it runs.

    Attributes:
        cpus: cores.
        gpus: accelerators; a fraction where several cells share one, 0 for a job that uses none.
        memory_bytes: main memory, estimated.
    """

    cpus: int = 1
    gpus: float = 0.0
    memory_bytes: int = GIB


@dataclass
class Job:
    """Something for a worker: a cell, or the embedded data that cells need.

    Attributes:
        message: what a worker is told, see :func:`benchmarks.running.worker.serve`.
        needs: names of jobs that have to end well before.
        estimate_s: longer ones begin first.
        first: it begins before those that are not.
    """

    name: str
    message: tuple[Any, ...]
    cell: Cell | None = None
    needs: set[str] = field(default_factory=set)
    estimate_s: float = 0.0
    resources: Resources = Resources()
    first: bool = False


Answer = tuple[str, tuple[Any, ...]]
"""The name of a job, and what is heard of it: ("started",), ("progress", fields of a Progress), ("again", why it begins anew);
and at its end ("data_done", seconds), ("cell_done", status, reason, seconds by phase), ("busy", text) where another process runs
the cell, ("error", text), or ("died", text) where its process ended without a word."""


class Executor(Protocol):
    """Runs jobs side by side, in whatever order they are handed over.

    Attributes:
        retry_s: before a cell that another process runs is tried again.
        in_batches: whether jobs are better handed over many at a time: cells then wait until no data job is running.
    """

    retry_s: float
    in_batches: bool

    def room(self, gpu: bool) -> int:
        """How many more jobs may be handed over now; of those that use an accelerator, or of the others."""
        ...

    def submit(self, jobs: Sequence[Job]) -> None:
        """Takes jobs over, no more than there is room for."""
        ...

    def poll(self, timeout_s: float) -> list[Answer]:
        """What was heard since the last call; waits for something to be heard, but no longer than ``timeout_s``."""
        ...

    def end(self) -> None:
        """Ends everything; what was running is given up, resumable."""
        ...
