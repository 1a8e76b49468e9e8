"""Evaluations of several processes: each keeps its share, the first takes over the rest; nothing differs from one process."""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.engine import distributed as processes
from benchmarks.engine import loops as engine
from benchmarks.engine.model import HarnessModel
from tasks import get_task
from tasks.recipe import Recipe

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")

CASES = (
    ("landmarks", "cofw", "cofw", "hrnet_micro_w8", True),
    (
        "landmarks",
        "cofw",
        "cofw",
        "hrnet_micro_w8",
        False,
    ),  # predictions travel, as of a task that does not say what it keeps
    ("segmentation", "lip", "lip", "hrnet_micro_w8", True),
    ("detection", "coco", "coco_detection", "resnet_micro", True),
    ("pose", "mpii", "mpii", "hrnet_micro_w8", True),
)


def _together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work(rank)` returns in each of ``count`` processes of a group, forked from this one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()

    def child(rank: int) -> None:
        group = {"RANK": rank, "WORLD_SIZE": count, "LOCAL_RANK": rank, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        os.environ.update({name: str(value) for name, value in group.items()})
        try:
            processes.join("pytorch" if count > 1 else "none")
            answers.put((rank, work(rank)))
            processes.leave()
        except BaseException as error:
            answers.put((rank, error))
            os._exit(1)

    started = [context.Process(target=child, args=(rank,)) for rank in range(count)]
    for process in started:
        process.start()
    found = dict(answers.get() for _ in started)
    for process in started:
        process.join()
    assert not [error for error in found.values() if isinstance(error, BaseException)], found
    return [found[rank] for rank in range(count)]


@pytest.mark.parametrize(("task_name", "dataset", "made", "model", "merges"), CASES)
def test_one_to_four_processes_keep_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    task_name: str,
    dataset: str,
    made: str,
    model: str,
    merges: bool,
) -> None:
    from benchmarks.synthetic.cache import ensure

    torch.set_num_threads(1)
    root = tmp_path_factory.getbasetemp() / "shards"
    ensure(made, root, "smoke")
    task = get_task(task_name)
    protocol = task.protocol(dataset, model=model, tier="smoke")
    data = task.eval_data(dataset, root / made, task.dataset(dataset).eval_split, protocol)
    torch.manual_seed(0)
    network = task.build_model(model, dataset)
    if not merges:
        monkeypatch.setattr(type(task.evaluation(data, protocol)), "per_sample", ())

    def work(rank: int) -> Any:
        evaluation, _ = engine.evaluate(
            network, task, data, protocol, workspace=tmp_path / str(rank), report=lambda progress: None, batch_size=3
        )
        if rank:
            return None
        target = tmp_path / f"predictions{processes.get_world_size()}"
        evaluation.write_predictions(target)
        files = sorted(path for path in tmp_path.rglob(f"{target.name}*") if path.is_file())
        files += sorted(path for path in target.rglob("*") if path.is_file())
        stats = {name: value.tobytes() for name, value in evaluation.stats().items()}
        return stats, [path.read_bytes() for path in files], evaluation.sample_scores().tobytes()

    alone = _together(1, work)[0]
    assert alone[0] and alone[1]
    counts = (2, 3, 4) if task_name == "landmarks" and merges else (3,)
    for count in counts:
        assert _together(count, work) == [alone, *[None] * (count - 1)]
    assert not list(tmp_path.rglob("*.dist_test"))


def test_parts_come_one_by_one_and_from_every_process() -> None:
    def work(rank: int) -> list[Any]:
        parts = ((rank, number, bytes(1000 * number)) for number in range(rank))
        return [(sender, number, len(data)) for sender, number, data in processes.gathered(parts)]

    assert _together(3, work) == [[(1, 0, 0), (2, 0, 0), (2, 1, 1000)], [], []]


class _Network(torch.nn.Module):
    def __init__(self, idle: bool) -> None:
        super().__init__()
        self.used, self.norm = torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2)
        self.idle = torch.nn.Linear(2, 2) if idle else None

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.norm(self.used(values))
        return result


class _Loss:
    graph_varies = False

    def loss(self, network: torch.nn.Module, batch: dict[str, Any], recipe: Recipe) -> dict[str, torch.Tensor]:
        return {"loss": network(batch["values"]).square().mean()}


@pytest.mark.parametrize("idle", [True, False])
def test_idle_parameters_are_seen_and_the_model_stays_as_it_is(idle: bool) -> None:
    network = _Network(idle)
    model = HarnessModel(network, _Loss(), Recipe("r", epochs=1, batch_size=2, lr=0.1), None)  # type: ignore[arg-type]
    model.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert processes.has_idle_parameters(model, {"values": torch.randn(4, 2)}) is idle
    assert not model.training and all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_what_srun_says_is_what_torch_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "SLURM_PROCID": "3",
        "SLURM_NTASKS": "8",
        "SLURM_STEP_NUM_TASKS": "4",
        "SLURM_LOCALID": "1",
        "SLURM_JOB_ID": "7",
    }
    said |= {"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_NODES": "2", "SLURM_STEP_NODELIST": "n[3-4]"}
    monkeypatch.setattr(processes, "_first_node", lambda listed: listed.replace("[3-4]", "3"))
    made = processes.slurm_group(said)
    assert (made["RANK"], made["WORLD_SIZE"], made["LOCAL_RANK"], made["MASTER_ADDR"]) == ("3", "4", "1", "n3")
    ports = {processes.slurm_group({**said, "SLURM_STEP_ID": str(step)})["MASTER_PORT"] for step in range(20)}
    assert len(ports) == 20 and all(15000 <= int(port) < 30000 for port in ports)
    assert processes.slurm_group({**said, "MASTER_PORT": "29500"})["MASTER_PORT"] == "29500"
    assert processes.slurm_group({**said, "SLURM_STEP_NUM_NODES": "1"})["MASTER_ADDR"] == "127.0.0.1"
