"""A worker process: takes cells, runs them one after the other, sends back what happens. Imports torch once."""

from __future__ import annotations

import os
import signal
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.store.claims import BusyError


def main(connection: Connection) -> None:
    """Serves jobs until the other end closes.

    A job is ("data", dataset, tier, embedded folder) or ("cell", identity, label, places, stamp of the stored result, threads);
    answers are ("progress", ...), and at the end of a job ("data_done", seconds), ("cell_done", status, reason, seconds by
    phase), ("busy", text) where another process runs the cell, or ("error", text).
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        try:
            _serve(job, connection)
        except BusyError as error:
            connection.send(("busy", str(error)))
        except Exception as error:  # a job must not take the worker down: its reason goes to the parent
            plain = isinstance(error, ValueError | OSError)
            connection.send(("error", str(error) if plain else f"{type(error).__name__}: {error}"))


def _serve(job: tuple[Any, ...], connection: Connection) -> None:
    if job[0] == "data":
        from benchmarks.synthetic.cache import ensure

        start = time.perf_counter()
        _, dataset, tier, folder = job
        ensure(dataset, folder, tier)
        connection.send(("data_done", time.perf_counter() - start))
        return
    import cv2

    from benchmarks.engine import loops as engine
    from benchmarks.experiment.cell import cell_from_identity
    from benchmarks.running.trial import run_cell
    from tasks import declare_below

    _, identity, label, places, seen, threads = job
    cv2.setNumThreads(threads)
    engine.set_threads(threads)
    if places.data_root is not None:
        declare_below(places.data_root)
    cell = cell_from_identity(identity, label)

    def report(progress: object) -> None:
        try:
            connection.send(("progress", progress))
        except OSError:
            os._exit(1)  # nobody is left to report to: stop at once, resumable, instead of recording a failure

    stored = run_cell(cell, places, report, seen=seen)
    sys.stdout.flush()
    connection.send(("cell_done", stored.record.status, stored.record.reason, stored.record.durations_s))
