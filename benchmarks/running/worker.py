"""What a worker does, wherever it runs: takes jobs one after the other, sends back what happens. Imports torch once."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.printing import guard_streams
from benchmarks.store.claims import BusyError

Send = Callable[[tuple[Any, ...]], None]


def main(connection: Connection) -> None:
    """Serves the jobs of a local worker process until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    guard_streams()
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        serve(job, connection.send)


def serve(job: tuple[Any, ...], send: Send) -> None:
    """Does one job; its last word ends it.

    Args:
        job: ("data", dataset, tier, embedded folder), ("cell", identity, label, places, stamp of the stored result, threads), or
            ("look",), which is answered at once: by it engines are measured, and what their workers see is known.
        send: takes the answers, see :data:`benchmarks.running.executors.interface.Answer`.
    """
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    try:
        send(_done(job, send))
    except BusyError as error:
        send(("busy", str(error)))
    except Exception as error:  # a job must not take the worker down: its reason goes to the scheduler
        plain = isinstance(error, ValueError | OSError)
        send(("error", str(error) if plain else f"{type(error).__name__}: {error}"))


def _done(job: tuple[Any, ...], send: Send) -> tuple[Any, ...]:
    if job[0] == "look":
        return ("data_done", 0.0, os.environ.get("CUDA_VISIBLE_DEVICES"))
    if job[0] == "data":
        from benchmarks.synthetic.cache import ensure

        start = time.perf_counter()
        _, dataset, tier, folder = job
        ensure(dataset, folder, tier)
        return ("data_done", time.perf_counter() - start)
    import cv2

    from benchmarks.engine import loops as engine
    from benchmarks.engine.spawned_data import begin_server
    from benchmarks.experiment.cell import cell_from_identity
    from benchmarks.running.cores import ONE_THREAD
    from benchmarks.running.steps.measuring import share_accelerator
    from benchmarks.running.trial import run_cell
    from tasks import declare_below

    _, identity, label, places, seen, threads = job
    cv2.setNumThreads(threads)
    engine.set_threads(threads)
    share_accelerator(places.cells_per_gpu)
    if places.data_root is not None:
        declare_below(places.data_root)
    cell = cell_from_identity(identity, label)
    if cell.tier not in ONE_THREAD and places.num_workers != 0:  # small cells have few samples, and no loaders
        begin_server()

    def report(progress: Any) -> None:
        try:
            # Plain data: to read the class, who hears of it would have to import torch.
            send(("progress", asdict(progress)))
        except OSError:
            os._exit(1)  # nobody is left to report to: stop at once, resumable, instead of recording a failure

    stored = run_cell(cell, places, report, seen=seen)
    sys.stdout.flush()
    return ("cell_done", stored.record.status, stored.record.reason, stored.record.durations_s)
