"""What an engine itself costs: jobs that do nothing, by their number. ``python -m benchmarks.speed.engines``"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.running.executors.interface import Executor, Job
from benchmarks.running.executors.local import LocalExecutor
from benchmarks.running.scheduler import Schedule
from benchmarks.store.store import Store

COUNTS = (500, 1000, 2000)


def executor_of(engine: str, runs: Path, address: str | None = None) -> Executor:
    """An engine on two workers."""
    if engine == "local":
        return LocalExecutor(2)
    from benchmarks.running.executors.ray_cluster import ClusterOptions, RayExecutor

    return RayExecutor(runs, ClusterOptions(address, jobs=None if address else 2))


def seconds_of(executor: Executor, count: int, store: Store) -> float:
    """How long ``count`` jobs take that do nothing."""
    jobs = [Job(f"job{number}", ("look",)) for number in range(count)]
    start = time.perf_counter()
    schedule = Schedule(jobs, executor, lambda event: None, store)
    schedule.run()
    assert schedule.failed == 0
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("local", "ray"), nargs="*", default=["local", "ray"])
    parser.add_argument("--address", help="of a running Ray cluster")
    parser.add_argument("--counts", type=int, nargs="*", default=list(COUNTS))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for engine in chosen.engine:
            executor = executor_of(engine, Path(folder), chosen.address)
            try:
                seconds_of(executor, 50, Store(Path(folder)))  # workers start
                for count in chosen.counts:
                    spent = seconds_of(executor, count, Store(Path(folder)))
                    print(f"{engine:6} {count:6} jobs  {spent:7.2f} s  {1000 * spent / count:6.2f} ms each", flush=True)
            finally:
                executor.end()


if __name__ == "__main__":
    main()
