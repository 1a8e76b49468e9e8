"""Several processes train and evaluate one cell: what they share, and that the result is one process's."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.engine import distributed as processes
from benchmarks.engine.steps import batches
from benchmarks.experiment.installation import CODE
from benchmarks.store.store import Store
from tasks.base import TrainData


class Numbers(TrainData):
    def __len__(self) -> int:
        return 25

    def __getitem__(self, key: tuple[int, int]) -> dict[str, int]:
        return {"index": key[1]}


def test_every_process_has_as_many_batches_and_all_are_those_of_one() -> None:
    for count in (1, 4, 5, 8, 25):
        alone = processes.batches_of(count, 2, 0, 1)
        assert [index for batch in alone for index in batch] == list(range(count))
        shares = [processes.batches_of(count, 2, rank, 3) for rank in range(3)]
        assert len({len(share) for share in shares}) == 1
        # mmengine takes one of each in turn, and cuts what repeats.
        assert [batch for row in zip(*shares) for batch in row][: len(alone)] == alone


def test_a_batch_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes see together what one sees alone: the learning rate fits any number of them."""
    alone = list(batches.EpochSampler(Numbers(), 6, 1, drop_last=True))
    monkeypatch.setattr(batches, "get_world_size", lambda: 2)
    parts = []
    for rank in (0, 1):
        monkeypatch.setattr(batches, "get_rank", lambda rank=rank: rank)
        parts.append(list(batches.EpochSampler(Numbers(), 6, 1, drop_last=True)))
    assert len(alone) == len(parts[0]) == len(parts[1]) == 4
    for whole, first, second in zip(alone, *parts):
        assert len(first) == len(second) == 3 and sorted(whole) == sorted(first + second)
    with pytest.raises(ValueError, match="2 processes share evenly, got 5"):
        batches.EpochSampler(Numbers(), 5, 1, drop_last=True)


def test_groups_end_evenly_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """13 and 12 pictures of two shapes: no process may have a batch more than another."""

    class Grouped(Numbers):
        def groups(self) -> np.ndarray:
            return np.arange(25) % 2

    monkeypatch.setattr(batches, "get_world_size", lambda: 2)
    sizes = []
    for rank in (0, 1):
        monkeypatch.setattr(batches, "get_rank", lambda rank=rank: rank)
        made = list(batches.EpochSampler(Grouped(), 4, 1, drop_last=True))
        assert all(len({index % 2 for _, index in batch}) == 1 for batch in made)
        sizes.append([len(batch) for batch in made])
    assert sizes[0] == sizes[1] and sum(sizes[0]) == 13


def test_a_launcher_that_did_not_start_us_is_said() -> None:
    with pytest.raises(ValueError, match=r"RANK.*torchrun"):
        processes.join("pytorch")


def run(folder: Path, count: int, verb: str, *words: str, nodes: int = 1) -> dict[str, object]:
    """What a cell of `count` processes says, which as many calls of torchrun start as there are nodes."""
    start = [sys.executable]
    if count > 1:
        meeting = ["--standalone"]
        if nodes > 1:
            meeting = ["--nnodes", str(nodes), "--rdzv_backend", "c10d", "--rdzv_endpoint", f"127.0.0.1:{free_port()}"]
        start += ["-m", "torch.distributed.run", *meeting, "--nproc_per_node", str(count // nodes)]
    arguments = [*words, "--embedded-root", str(folder / "data"), "--tier", "smoke", "--json", str(folder / "r.json")]
    arguments += ["--out", str(folder / f"out{count}"), "--launcher", "pytorch" if count > 1 else "none"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [*start, "run_all.py", verb, *arguments]
    calls = [
        subprocess.Popen(command, cwd=CODE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(nodes)
    ]
    said = [call.communicate() for call in calls]
    assert not any(call.returncode for call in calls), said
    assert sum(output.count("stored:") for output, _ in said) == 1
    record = json.loads((folder / "r.json").read_text())
    assert not list((folder / f"out{count}").glob("runs/*/*.work"))
    return record  # type: ignore[no-any-return]


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
    return port


def test_two_nodes_of_a_process_each_train_a_detector(tmp_path: Path) -> None:
    words = ["--task", "detection", "--dataset", "coco", "--model", "resnet_micro"]
    record = run(tmp_path, 2, "train", *words, nodes=2)
    assert record["status"] == "done" and record["n"]["images"] > 0  # type: ignore[index]
    weights = next((tmp_path / "out2").glob("runs/*/*/weights.pt"))
    state = torch.load(weights, weights_only=True)["state_dict"]
    assert not any(name.startswith("module.") for name in state)


def test_one_and_three_processes_evaluate_to_the_last_digit(tmp_path: Path) -> None:
    words = ["--task", "pose", "--dataset", "coco", "--model", "hrnet_micro_w8"]
    run(tmp_path, 1, "train", *words)
    weights = next((tmp_path / "out1").glob("runs/*/*/weights.pt"))
    made = []
    for count in (1, 3):
        record = run(tmp_path, count, "eval", *words, "--checkpoint", str(weights), "--batch", "3")
        folder = tmp_path / f"out{count}" / "runs" / "pose" / str(record["id"])
        with np.load(folder / "stats.npz") as stats:
            held = {name: stats[name].tobytes() for name in stats.files}
        made.append((record["figures"], held, (folder / "predictions.json.gz").read_bytes()))
    assert made[0] == made[1]


FAILS = """
import os, sys, time
from pathlib import Path

from benchmarks.cli import entry
from benchmarks.engine.loops import HarnessModel

forward = HarnessModel.forward

def failing(self, batch, mode="tensor"):
    if mode == "predict" and os.environ["RANK"] == sys.argv[1]:
        Path(sys.argv[2]).write_text(str(time.time()))
        raise ValueError("/data/a.jpg: the reason of one process")
    return forward(self, batch, mode)

HarnessModel.forward = failing
if __name__ == "__main__":
    sys.exit(entry(sys.argv[3:]))
"""


@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_process_that_fails_brings_its_reason_to_the_first_and_all_end(tmp_path: Path, rank: str) -> None:
    script, failed_at = tmp_path / "fails.py", tmp_path / "failed_at"
    script.write_text(FAILS)
    words = ["train", "--task", "landmarks", "--dataset", "cofw", "--model", "hrnet_micro_w8", "--tier", "smoke"]
    words += ["--embedded-root", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--launcher", "pytorch"]
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(CODE)}
    done = subprocess.run(
        [*start, str(script), rank, str(failed_at), *words, "--batch", "2"],
        cwd=CODE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    took = time.time() - float(failed_at.read_text())
    assert done.returncode != 0 and took < 15  # ten seconds of ours; the launcher has its own end
    assert done.stderr.count("failed: /data/a.jpg: the reason of one process") == 1, done.stderr[-3000:]
    [stored] = Store(tmp_path / "out" / "runs").all()
    assert not stored.done and stored.record.reason == "/data/a.jpg: the reason of one process"
    assert stored.record.user_error
