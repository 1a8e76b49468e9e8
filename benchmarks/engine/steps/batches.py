"""The order of training samples, drawn from (seed, epoch); what a process of several takes of it."""

from __future__ import annotations

import benchmarks.engine.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
from collections.abc import Iterator

import numpy as np
from mmengine.dist import get_rank, get_world_size

from tasks.base import TrainData


class EpochSampler:
    """Pairs (epoch, index) in an order drawn from (seed, epoch); each process takes its share.

    The pair travels to the dataset, which draws its augmentation from (seed, epoch, index): workers, interruptions and the
    order of cells change nothing. A batch of ``batch_size`` is shared by all processes.

    Raises:
        ValueError: the processes cannot share a batch evenly.
    """

    def __init__(self, data: TrainData, batch_size: int, seed: int, drop_last: bool) -> None:
        self.data, self.batch_size, self.seed, self.epoch = data, batch_size, seed, 0
        self.groups = data.groups()
        if batch_size % get_world_size():
            raise ValueError(
                f"Expected a batch that {get_world_size()} processes share evenly, got {batch_size} samples; change it with "
                "--set recipe.batch_size=..., and the learning rate with it."
            )
        self.drop_last = drop_last and len(data) >= batch_size
        self.sampler = self  # where mmengine's seed hook looks for set_epoch

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def batches(self) -> list[list[tuple[int, int]]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.data))
        groups = np.zeros(len(self.data), dtype=np.int64) if self.groups is None else self.groups
        step = self.batch_size
        made: list[np.ndarray] = []
        for group in np.unique(groups):
            members = order[groups[order] == group]
            whole = self.drop_last and self.groups is None
            if not whole:
                # Every process needs as many samples as the others in every batch, or they would wait for one another for ever.
                members = np.resize(members, -(-len(members) // get_world_size()) * get_world_size())
            end = len(members) // step * step if whole else len(members)
            made += [members[i : min(i + step, end)][get_rank() :: get_world_size()] for i in range(0, end, step)]
        if self.groups is not None:
            shuffled = np.random.default_rng([self.seed, self.epoch, 1]).permutation(len(made))
            made = [made[i] for i in shuffled]
        return [[(self.epoch, int(i)) for i in batch] for batch in made if len(batch)]

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        return iter(self.batches())

    def __len__(self) -> int:
        if self.groups is None and self.drop_last:
            return len(self.data) // self.batch_size
        return len(self.batches())
