"""What happens in a Slurm job: the task around one of the scheduler's jobs, and the file through which it is heard."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.running.worker import serve

TIME_LIMIT = "Slurm's time limit ended it; the next run goes on from its last state."
RESOLUTION_S = 60.0
"""Slurm may tell a job of its limit by so much earlier."""


def task(message: tuple[Any, ...], told: Path, limit_s: float | None, early_s: float) -> None:
    """Does a job, and writes what happens into a file, a line of JSON each.

    Args:
        told: the file; of a job that Slurm has begun anew, what comes is added.
        limit_s: the time limit that was asked for; None for the cluster's own.
        early_s: Slurm's signal comes this long before the limit; sooner it means that the job is preempted.
    """
    begun = time.monotonic()
    with told.open("a", encoding="utf-8", buffering=1) as lines:

        def send(answer: tuple[Any, ...]) -> None:
            lines.write(json.dumps(answer) + "\n")

        def at_signal(number: int, frame: FrameType | None) -> None:
            if limit_s is None or time.monotonic() - begun > limit_s - early_s - RESOLUTION_S:
                with contextlib.suppress(Exception):
                    send(("died", TIME_LIMIT))
                os._exit(1)

        signal.signal(signal.SIGUSR2, at_signal)
        send(("started",))
        serve(message, send)


class Told:
    """Reads what a job's file says, as it grows."""

    def __init__(self, path: Path) -> None:
        self.path, self.offset = path, 0

    def new(self) -> Iterator[tuple[Any, ...]]:
        """The messages since the last call; a line that is still being written is left for the next."""
        try:
            with self.path.open("rb") as handle:
                handle.seek(self.offset)
                data = handle.read()
        except FileNotFoundError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        for line in whole.splitlines():
            yield tuple(json.loads(line))
