"""A Ray cluster of three machines with pretended accelerators, all on this one: the same bits, and nothing lost with a machine.

HRNET_WHOLE_SMOKE=1 runs every cell of the smoke suite instead of a part of it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.experiment.cell import Cell, make_cell
from benchmarks.experiment.installation import CODE
from benchmarks.experiment.paths import Places
from benchmarks.experiment.suite import Suite
from benchmarks.running.executors import ray_cluster
from benchmarks.running.executors.ray_cluster import ClusterOptions, RayExecutor
from benchmarks.running.interrupts import descendants
from benchmarks.running.plan import plan
from benchmarks.running.scheduler import Event, run
from benchmarks.store.store import Store
from benchmarks.suites import load_suite

pytest.importorskip("ray")

PART = ("landmarks/cofw/*", "pose/coco/hrnet_micro_w8")
WAIT_S = 300.0
"""For what a loaded machine does in seconds."""
SYSTEM = {
    # A machine that refuses a connection is lost a second later; one that is slow is not.
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 2,
    "health_check_timeout_ms": 60_000,
    # Ray's tasks would give way to whatever else this machine does.
    "worker_niceness": 0,
}
NODE = {"num_cpus": 1, "num_gpus": 1, "memory": 4 * 2**30, "object_store_memory": 80 * 2**20}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    import ray

    made = _three_machines()
    ray.init(made.address, log_to_driver=False, logging_level="ERROR")
    yield made
    ray.shutdown()
    made.shutdown()


def _three_machines(tries: int = 5) -> Any:
    """A cluster; begun anew where a machine did not come up within Ray's 30 s, beside many other tests."""
    from ray.cluster_utils import Cluster

    made = Cluster()
    try:
        for number in range(3):
            made.add_node(**NODE, **({} if number else {"include_dashboard": False, "_system_config": SYSTEM}))
    except Exception as error:  # Ray raises no other
        made.shutdown()
        if tries == 1 or "startup" not in str(error):
            raise
        return _three_machines(tries - 1)
    return made


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    root = tmp_path_factory.mktemp("ray")
    return Places(out=root / "local", embedded=root / "embedded")


def _run(cells: tuple[Cell, ...], places: Places, watch: Callable[[Event], None], executor: RayExecutor | None) -> int:
    planned = plan(Suite("test", cells, ()), places)
    return run(planned, places, 2, watch, executor=executor, gpu=executor is not None)


def _lose(cluster: Any, machine: Any, title: str) -> bool:
    """A machine ends at once with all its processes, in the middle of a cell; False where the cell has ended before.

    Halted processes stay as they are while it is looked whether the cell still runs.
    """
    working = _tasks_of([machine], title)
    for pid in working:
        os.kill(pid, signal.SIGSTOP)
    if not working or set(_tasks_of([machine], title)) != set(working):
        for pid in working:
            os.kill(pid, signal.SIGCONT)
        return False
    os.kill(_raylet(machine), signal.SIGSTOP)  # it shall not tell of its worker's end
    for pid in working:
        os.kill(pid, signal.SIGKILL)
    cluster.remove_node(machine, allow_graceful=False)
    return True


def _held(places: Places) -> dict[str, tuple[Any, ...]]:
    """Figures, and the bytes of statistics, weights and predictions of every cell."""
    found = {}
    for stored in Store(places.out).all():
        assert stored.done, stored.record.reason
        files = {path.name: path.read_bytes() for path in sorted(stored.folder.glob("*")) if path.name != "cell.json"
                 and path.is_file()}  # fmt: skip
        assert "weights.pt" in files and "stats.npz" in files
        found[stored.record.name] = (stored.record.figures, stored.record.curves, stored.record.key, files)
    return found


def _suite() -> tuple[Cell, ...]:
    from benchmarks.running.plan import select

    return tuple(select(load_suite("smoke").cells, () if os.environ.get("HRNET_WHOLE_SMOKE") else PART))


def test_a_cluster_gives_the_same_bits_and_a_lost_machine_loses_nothing(cluster: Any, places: Places) -> None:
    cells, on_cluster = _suite(), replace(places, out=places.out.parent / "ray")
    executor = RayExecutor(on_cluster.out, ClusterOptions())
    assert executor.has_gpus
    lost: list[str] = []
    again: list[tuple[str, str]] = []

    def watch(event: Event) -> None:
        if event.kind == "waits":
            again.append((event.name, event.reason or ""))
        if event.kind != "progress" or lost:
            return
        node = next((task.node for task in executor.tasks.values() if task.job.name == event.name), "")
        machine = next((held for held in cluster.worker_nodes if held.node_id == node), None)
        if machine is not None and event.cell is not None and _lose(cluster, machine, f"ray::{event.cell.name}"):
            lost.append(event.name)

    assert _run(cells, on_cluster, watch, executor) == 0
    # A machine of one core has one cell, which begins elsewhere once.
    assert len(lost) == 1 and [name for name, _ in again] == lost and "was lost" in again[0][1]
    assert not list(on_cluster.out.glob(".mark*")) and not list(on_cluster.out.rglob("*.work"))
    assert _run(cells, places, lambda event: None, None) == 0
    local = _held(places)
    assert len(local) == len(cells) and _held(on_cluster) == local


def test_results_come_back_where_there_is_no_common_folder(cluster: Any, places: Places) -> None:
    """Also a failure, and the boxes that a cell reads of another's result."""
    source = make_cell("detection", "coco", "resnet_micro", tier="smoke")
    reader = make_cell("pose", "coco", "hrnet_micro_w8", tier="smoke", boxes_from=source.id)
    bad = make_cell("pose", "coco", "simple_baseline_micro", tier="smoke", recipe={"lr": 1e38, "optimizer": "sgd"})
    here = replace(places, out=places.out.parent / "apart", embedded=places.out.parent / "nobody_has_this")
    events: list[Event] = []
    executor = RayExecutor(here.out, ClusterOptions(common_folder=False))
    assert _run((source, reader, bad), here, events.append, executor) == 1
    store = Store(here.out)
    failed = store.load("pose", bad.id)
    assert failed is not None and "learning rate" in (failed.record.reason or "")
    for cell in (source, reader):
        held = store.load(cell.task, cell.id)
        assert held is not None and held.done and held.file("weights.pt") and held.stats()
        assert held.record.pictures and all(
            (held.folder / picture.prediction).exists() for picture in held.record.pictures
        )
    assert not here.embedded.exists()
    assert {event.kind for event in events} >= {"start", "progress", "done", "failed"}


def test_a_worker_that_dies_costs_its_cell_and_ctrl_c_ends_the_tasks(cluster: Any, places: Places) -> None:
    out = places.out.parent / "ended"
    long = ["--only", "landmarks/cofw/hrnet_micro_w8", "--set", "recipe.epochs=5000", "--tier", "smoke", "--no-report"]
    command = [sys.executable, "run_all.py", "run", "--engine", "ray", "--address", cluster.address]
    command += ["--suite", "embedded_landmarks", "--out", str(out), "--embedded-root", str(places.embedded), *long]
    killed = _started(command, out, cluster)
    for pid in _tasks_of(cluster.list_all_nodes(), "ray::landmarks"):
        os.kill(pid, signal.SIGKILL)
    said, _ = killed.communicate(timeout=WAIT_S)
    assert killed.returncode == 1 and "The worker died" in said
    (stored,) = Store(out / "runs").all()
    assert not stored.done and "The worker died" in (stored.record.reason or "")
    interrupted = _started(command, out, cluster)
    os.kill(interrupted.pid, signal.SIGINT)
    said, errors = interrupted.communicate(timeout=WAIT_S)
    assert interrupted.returncode == 130 and "goes on from here" in errors, said + errors
    deadline = time.monotonic() + WAIT_S
    while _tasks_of(cluster.list_all_nodes(), "ray::landmarks"):
        assert time.monotonic() < deadline, "the cluster's tasks go on"
        time.sleep(0.2)


def _started(command: list[str], out: Path, cluster: Any) -> subprocess.Popen[str]:
    """A run whose cell trains, and has saved a state."""
    process = subprocess.Popen(command, cwd=CODE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + WAIT_S
    while not (list(out.rglob("*.work")) and _tasks_of(cluster.list_all_nodes(), "ray::landmarks")):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.2)
    return process


def _tasks_of(machines: Iterable[Any], title: str) -> list[int]:
    """Processes of these machines that say they run such a task."""
    found = []
    for pid in set().union(*(descendants(_raylet(machine)) for machine in machines)):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(title.encode()):
                found.append(pid)
    return found


def _raylet(machine: Any) -> int:
    """The process that is the parent of a machine's workers."""
    pid: int = machine.all_processes["raylet"][0].process.pid
    return pid


def test_tasks_keep_what_is_read_where_the_caller_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HRNET_BENCHMARK_CACHE", raising=False)
    assert "HRNET_BENCHMARK_CACHE" not in ray_cluster._variables()
    monkeypatch.setenv("HRNET_BENCHMARK_CACHE", "off")
    assert ray_cluster._variables()["HRNET_BENCHMARK_CACHE"] == "off"
