"""Spawned loader processes read the parent's arrays in shared memory."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch.utils.data import DataLoader

from benchmarks.engine.spawned_data import SpawnedData, begin_server, for_loaders, server


class Large:
    """64 MiB of numbers, a few names, and what this process has of them for itself."""

    def __init__(self) -> None:
        self.numbers = np.arange(2**23, dtype=np.float64)
        self.small = np.array([3, 1, 2], np.int8)
        self.names = ["a", "b", "c", "d"]

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict[str, Any]:
        own = 0
        for line in Path("/proc/self/smaps").read_text().splitlines():
            words = line.split()
            if words[0].startswith("Private_") and words[0] != "Private_Hugetlb:":
                own += int(words[1])
        return {"sum": float(self.numbers.sum()), "small": self.small.sum(), "own_kib": own, "name": self.names[index]}

    def collate(self, samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return samples


def samples(data: Any, **options: Any) -> list[dict[str, Any]]:
    loader = DataLoader(data, batch_size=1, num_workers=2, collate_fn=data.collate, **options)
    return [sample for batch in loader for sample in batch]


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's list of a process's memory")
def test_arrays_are_shared_not_copied_and_loaders_come_from_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    data, spawn = Large(), multiprocessing.get_context("spawn")
    assert server() == {}  # where loaders are forked off this process
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda: "spawn")
    begin_server()
    shared, copied = samples(SpawnedData(data), **server()), samples(data, multiprocessing_context=spawn)
    assert [sample["name"] for sample in shared] == ["a", "b", "c", "d"]
    assert {sample["sum"] for sample in shared} == {float(data.numbers.sum())} and shared[0]["small"] == 6
    saved_mib = (min(s["own_kib"] for s in copied) - max(s["own_kib"] for s in shared)) / 1024
    assert saved_mib > 120  # of the 64 of the numbers, and some 200 of torch


def test_the_dataset_itself_where_it_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    data = Large()
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda: "fork")
    assert for_loaders(data, 4) is data
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda: "spawn")
    assert for_loaders(data, 0) is data and isinstance(for_loaders(data, 4), SpawnedData)
    assert len(for_loaders(data, 4)) == 4
