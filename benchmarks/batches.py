"""The order of training samples, drawn from (seed, epoch); what a process of several takes of it."""

from __future__ import annotations

import benchmarks.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
from collections.abc import Iterator

import numpy as np
from mmengine.dist import get_rank, get_world_size

from tasks.base import TrainData


class EpochSampler:
    """Pairs (epoch, index) in an order drawn from (seed, epoch); each process takes its share.

    The pair travels to the dataset, which draws its augmentation from (seed, epoch, index): workers, interruptions and the
    order of cells change nothing.
    """

    def __init__(self, data: TrainData, batch_size: int, seed: int, drop_last: bool) -> None:
        self.data, self.batch_size, self.seed, self.epoch = data, batch_size, seed, 0
        self.groups = data.groups()
        self.drop_last = drop_last and len(data) >= batch_size * get_world_size()
        self.sampler = self  # where mmengine's seed hook looks for set_epoch

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def batches(self) -> list[list[tuple[int, int]]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.data))
        groups = np.zeros(len(self.data), dtype=np.int64) if self.groups is None else self.groups
        step = self.batch_size * get_world_size()
        made: list[np.ndarray] = []
        for group in np.unique(groups):
            members = order[groups[order] == group]
            if not self.drop_last and get_world_size() > 1 and len(members) % get_world_size():
                members = np.concatenate([members, members[: get_world_size() - len(members) % get_world_size()]])
            end = len(members) // step * step if self.drop_last and self.groups is None else len(members)
            made += [members[i : min(i + step, end)][get_rank() :: get_world_size()] for i in range(0, end, step)]
        if self.groups is not None:
            shuffled = np.random.default_rng([self.seed, self.epoch, 1]).permutation(len(made))
            made = [made[i] for i in shuffled]
        return [[(self.epoch, int(i)) for i in batch] for batch in made if len(batch)]

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        return iter(self.batches())

    def __len__(self) -> int:
        if self.groups is None and self.drop_last:
            return len(self.data) // (self.batch_size * get_world_size())
        return len(self.batches())
