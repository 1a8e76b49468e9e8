"""Runs jobs as tasks of a Ray cluster, each with its cores, accelerator and memory; a lost machine's cells begin elsewhere."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.experiment.installation import CODE
from benchmarks.experiment.provenance import git_state
from benchmarks.running.cores import available_cores
from benchmarks.running.executors import ray_worker
from benchmarks.running.executors.accelerators import has_driver
from benchmarks.running.executors.interface import Answer, Job
from benchmarks.running.executors.parcels import pack, store_parcel
from benchmarks.store.store import Store
from tasks.readings import kept

TRIES = 5
"""Machines that may be lost under a cell before it counts as failed."""
LOOK_S = 0.2
"""Between two looks into the mailbox."""
ANSWER_S = 60.0
"""A machine that has not answered by then counts as lost."""


@dataclass(frozen=True)
class ClusterOptions:
    """What a run asks of a cluster.

    Attributes:
        address: of one that runs; None for one of this machine alone, made for the run and ended with it.
        gpus: accelerators to use at most; None for all, 0 for none.
        cells_per_gpu: cells that share one.
        jobs: cells at a time at most; None for as many as there is room for.
        common_folder: whether every machine sees the results folder; None to look.
    """

    address: str | None = None
    gpus: int | None = None
    cells_per_gpu: int = 1
    jobs: int | None = None
    common_folder: bool | None = None


@dataclass
class _Task:
    job: Job
    attempt: int = 1
    node: str = ""


class RayExecutor:
    """Tasks of a Ray cluster. Progress comes through an actor beside the driver; the last word, and without a common folder the
    result, is the task's value.

    Args:
        runs: the result store's folder.

    Raises:
        ValueError: Ray is not installed, or the cluster cannot be reached.
    """

    retry_s = 5.0
    in_batches = False

    def __init__(self, runs: Path, options: ClusterOptions) -> None:
        self.ray, self.owned = connected(options)
        self.options, self.store = options, Store(runs)
        nodes = [node for node in self.ray.nodes() if node["Alive"]]
        self.most = {kind: max(node["Resources"].get(kind, 0) for node in nodes) for kind in ("CPU", "GPU", "memory")}
        self.has_gpus = options.gpus != 0 and self.most["GPU"] > 0
        self.environment = {"env_vars": _variables()}
        # A process that has used an accelerator cannot be given another.
        once = self.has_gpus and self._drivers(nodes)
        self.remote = self.ray.remote(max_calls=1 if once else 0)(ray_worker.task)
        here = self.ray.get_runtime_context().get_node_id()
        self.mailbox = self.ray.remote(ray_worker.Mailbox).options(**self._placed(here)).remote()
        runs.mkdir(parents=True, exist_ok=True)
        self.mark = runs / f".mark-{uuid.uuid4().hex}"
        self.mark.touch()
        self.tasks: dict[Any, _Task] = {}
        self.looked = 0.0
        self.heard: list[Answer] = []

    def room(self, gpu: bool) -> int:
        limits = [self.options.jobs] if self.options.jobs else []
        if gpu and self.options.gpus:
            limits.append(self.options.gpus * self.options.cells_per_gpu)
        return min(limits) - len(self.tasks) if limits else sys.maxsize

    def submit(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            self._submit(_Task(job))

    def poll(self, timeout_s: float) -> list[Answer]:
        deadline = time.monotonic() + timeout_s
        while not self.heard:
            ended = self._ended(min(LOOK_S, timeout_s))
            if ended or time.monotonic() - self.looked > LOOK_S:
                self._look()
            for reference in ended:
                self._close(self.tasks.pop(reference), reference)
            if time.monotonic() > deadline:
                break
        heard, self.heard = self.heard, []
        return heard

    def end(self) -> None:
        for reference in self.tasks:
            self.ray.cancel(reference, force=True)
        self.mark.unlink(missing_ok=True)
        self.ray.kill(self.mailbox)
        if self.owned:
            self.ray.shutdown()

    def _submit(self, task: _Task) -> None:
        job, wanted = task.job, task.job.resources
        options = {
            "num_cpus": min(wanted.cpus, self.most["CPU"]),
            "num_gpus": wanted.gpus,
            "memory": min(wanted.memory_bytes, self.most["memory"]),
            "max_retries": 0,  # which machine was lost is told, and counted, here
            "name": job.cell.name if job.cell is not None else job.name,
            "runtime_env": self.environment,
        }
        mark = None if self.options.common_folder is False else self.mark.absolute()
        call = self.remote.options(**options)
        arguments = (job.name, task.attempt, job.message, self.mailbox, mark, self._boxes(job), git_state())
        self.tasks[call.remote(*arguments)] = task

    def _ended(self, timeout_s: float) -> list[Any]:
        if not self.tasks:
            time.sleep(timeout_s)
            return []
        waiting = list(self.tasks)
        ready, _ = self.ray.wait(waiting, num_returns=1, timeout=timeout_s, fetch_local=False)
        if ready:
            ready, _ = self.ray.wait(waiting, num_returns=len(waiting), timeout=0, fetch_local=False)
        return list(ready)

    def _look(self) -> None:
        """Empties the mailbox; what an earlier attempt has sent is passed over."""
        self.looked = time.monotonic()
        running = {task.job.name: task for task in self.tasks.values()}
        for name, attempt, message in self.ray.get(self.mailbox.take.remote()):
            task = running.get(name)
            if task is None or task.attempt != attempt:
                continue
            if message[0] == "started":
                task.node, message = message[1], ("started",)
            self.heard.append((name, message))

    def _close(self, task: _Task, reference: Any) -> None:
        """Takes a task's value, or begins it anew where its machine was lost."""
        exceptions, job = self.ray.exceptions, task.job
        try:
            answer, parcel = self.ray.get(reference)
            if parcel is not None and job.cell is not None:
                store_parcel(parcel, self.store, job.cell.task, job.cell.id)
        except (exceptions.NodeDiedError, exceptions.ObjectLostError, exceptions.WorkerCrashedError) as error:
            crashed = isinstance(error, exceptions.WorkerCrashedError) and self._answers(task.node)
            if not crashed and task.attempt < TRIES:
                self._submit(_Task(job, task.attempt + 1))
                answer = ("again", f"machine {task.node[:8]} was lost; it begins elsewhere, from its last state")
            else:
                answer = ("died", "The worker died." if crashed else f"{TRIES} machines were lost under it.")
        except exceptions.OutOfMemoryError as error:
            answer = ("died", f"The machine's memory was full: {_first_line(error)}")
        except (exceptions.RayError, OSError, ValueError) as error:
            answer = ("error", _first_line(error))
        self.heard.append((job.name, answer))

    def _answers(self, node: str) -> bool:
        """Whether a machine does something when it is asked to. Ray lists one that is lost as alive until its checks have
        failed a few times, and the end of its workers is heard before that."""
        if not any(each["NodeID"] == node and each["Alive"] for each in self.ray.nodes()):
            return False
        asked = self.ray.remote(ray_worker.nothing).options(**self._placed(node)).remote()
        try:
            self.ray.get(asked, timeout=ANSWER_S)
        except (self.ray.exceptions.RayError, TimeoutError):
            return False
        return True

    def _boxes(self, job: Job) -> list[Any]:
        """What a cell reads of others (boxes, weights), for a machine that does not see the results folder."""
        if job.cell is None or not job.cell.sources or self.options.common_folder:
            return []
        patterns = []
        if job.cell.boxes_from is not None:
            patterns.append(f"*/{job.cell.boxes_from}/predictions*")
        if job.cell.weights_from is not None:
            patterns.append(f"*/{job.cell.weights_from}/weights.pt")
        return [self.ray.put(pack(self.store.root, tuple(patterns)))]

    def _placed(self, node: str) -> dict[str, Any]:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        strategy = NodeAffinitySchedulingStrategy(node, soft=False)
        return {"num_cpus": 0, "scheduling_strategy": strategy, "runtime_env": self.environment}

    def _drivers(self, nodes: Sequence[Any]) -> bool:
        """Whether a machine that offers accelerators has a driver for them; one without is a rehearsal."""
        probe = self.ray.remote(has_driver)
        asked = [probe.options(**self._placed(n["NodeID"])).remote() for n in nodes if n["Resources"].get("GPU", 0)]
        found = []
        for reference in asked:
            with contextlib.suppress(self.ray.exceptions.RayError):  # it was lost meanwhile
                found.append(self.ray.get(reference))
        return any(found)


def connected(options: ClusterOptions) -> tuple[Any, bool]:
    """Ray, connected to a cluster, and whether this call has done so.

    Raises:
        ValueError: it is not installed, or the cluster cannot be reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Without an accelerator a task keeps the variables of its machine.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise ValueError(
            "--engine ray: expected Ray, found none. Install it: pip install 'hrnet-benchmark[ray]'"
        ) from None
    if ray.is_initialized():
        return ray, False
    own: dict[str, Any] = (
        {} if options.address else {"num_cpus": options.jobs or available_cores(), "include_dashboard": False}
    )
    if not options.address and options.gpus is not None:
        own["num_gpus"] = options.gpus
    try:
        ray.init(options.address or "local", log_to_driver=False, logging_level=logging.ERROR, **own)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise ValueError(
            f"--address {options.address}: expected a Ray cluster, could not reach one ({_first_line(error)}). Start it with "
            "`ray start --head`, or leave the option out."
        ) from error
    return ray, True


def _variables() -> dict[str, str]:
    """What tasks need of this process's environment: the code, one thread where a cell does not ask for more, and where what was
    read of annotations may be kept."""
    path = os.pathsep.join([str(CODE), *filter(None, [os.environ.get("PYTHONPATH")])])
    cache = {name: os.environ[name] for name in (kept.VARIABLE,) if name in os.environ}
    return {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": path, **cache}


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
