"""Worker processes of this machine: what each sees of its accelerators, how many there are, and what a death costs."""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Iterator

import pytest

from benchmarks.commands.arguments import choose_device, device
from benchmarks.running.executors.accelerators import chosen_gpus, gpu_slots, visible_gpus
from benchmarks.running.executors.interface import Answer, Job, Resources
from benchmarks.running.executors.local import LocalExecutor


def _jobs(count: int, gpus: float, begin: str = "job") -> list[Job]:
    return [Job(f"{begin}{number}", ("look",), resources=Resources(1, gpus)) for number in range(count)]


def _heard(executor: LocalExecutor, ends: int) -> list[Answer]:
    heard: list[Answer] = []
    deadline = time.monotonic() + 60
    while sum(message[0] != "started" for _, message in heard) < ends:
        assert time.monotonic() < deadline
        heard += executor.poll(1.0)
    return heard


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalExecutor]:
    """A machine whose driver shows two accelerators, shared by two cells each, of which one worker is cut off."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,GPU-1a2b")
    executor = LocalExecutor(3, chosen_gpus(None), cells_per_gpu=2)
    yield executor
    executor.end()


def test_workers_see_different_accelerators_and_others_none(two_gpus: LocalExecutor) -> None:
    assert two_gpus.slots == ["0", "GPU-1a2b", "0"] and two_gpus.cells == two_gpus.room(True) == 3
    beside = two_gpus.room(False)
    assert beside >= 1
    two_gpus.submit([*_jobs(2, 0.5), *_jobs(1, 0.0, "data")])
    assert two_gpus.room(True) == 1 and two_gpus.room(False) == beside - 1
    heard = _heard(two_gpus, 3)
    assert {name for name, message in heard if message == ("started",)} == {"job0", "job1", "data0"}
    seen = {name: message[2] for name, message in heard if message[0] == "data_done"}
    assert {seen["job0"], seen["job1"]} == {"0", "GPU-1a2b"} and seen["data0"] == ""
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,GPU-1a2b"  # the parent's own is left alone
    # An idle worker that is killed is replaced by one on the same accelerator.
    victim = next(worker for worker in two_gpus.workers if worker.gpu == "GPU-1a2b")
    os.kill(victim.process.pid, signal.SIGKILL)
    victim.process.join(10)
    two_gpus.submit(_jobs(2, 0.5, "later"))
    heard = _heard(two_gpus, 2)
    assert sorted(message[2] for _, message in heard if message[0] == "data_done") == ["0", "GPU-1a2b"]


def test_every_accelerator_gets_a_first_cell_before_any_second() -> None:
    assert gpu_slots(["0", "1"], 2) == ["0", "1", "0", "1"]


def test_visible_accelerators(monkeypatch: pytest.MonkeyPatch) -> None:
    for named, expected in (("0, 2", ["0", "2"]), ("", []), ("-1", []), ("MIG-1", ["MIG-1"])):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
        assert visible_gpus() == expected
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5,7")
    assert chosen_gpus(2) == ["3", "5"] and chosen_gpus(None) == ["3", "5", "7"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert chosen_gpus(2) == ["0", "1"]  # the caller knows better


def test_one_accelerator_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    with pytest.raises(ValueError, match="--device cuda:2: expected at least 3 accelerators, found 2"):
        choose_device("cuda:2")
    choose_device("cuda:1")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "6"
    choose_device("cpu")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    with pytest.raises(argparse.ArgumentTypeError, match="cuda:NUMBER"):
        device("cuda1")


def test_memory_is_shared_fairly(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from benchmarks.running.steps.measuring import evaluation_batch, share_accelerator

    parts: list[float] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", parts.append)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (60 * 2**30, 64 * 2**30))
    share_accelerator(1)
    share_accelerator(4)
    # 16 GiB each, less 0.75 GiB that a process takes beside its tensors: four such parts and four contexts fill the 64 GiB.
    assert parts == [15.25 / 64]
    activations, cuda = 2**26, torch.device("cuda")  # a quarter of a GiB each
    # A quarter of its part, or of the 60 GiB that are free.
    assert [evaluation_batch(activations, cuda, cells) for cells in (1, 4)] == [32, 8]
