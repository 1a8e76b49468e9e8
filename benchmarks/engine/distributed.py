"""Several processes that train and evaluate one cell together: ``torchrun ... --launcher pytorch``, or SLURM's."""

from __future__ import annotations

import benchmarks.engine.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
import os
from typing import Any

import torch
from mmengine.dist import broadcast, get_rank, get_world_size, init_dist, is_distributed, is_main_process
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from benchmarks.engine.steps.accumulation import step_in_parts

__all__ = [
    "Together",
    "agree",
    "batches_of",
    "get_rank",
    "get_world_size",
    "is_main_process",
    "join",
    "leave",
    "shared",
]


def join(launcher: str) -> None:
    """Joins the group of processes that the launcher started; before anything asks how many there are.

    Raises:
        ValueError: the launcher did not start this process.
    """
    if launcher == "none" or is_distributed():
        return
    needed = {
        "pytorch": ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR"),
        "slurm": ("SLURM_PROCID", "SLURM_NTASKS"),
    }[launcher]
    missing = [name for name in needed if name not in os.environ]
    if missing:
        how = "torchrun --nproc_per_node N run_all.py ..." if launcher == "pytorch" else "srun"
        raise ValueError(
            f"--launcher {launcher}: expected {missing[0]} in the environment, found none; start with {how}."
        )
    if torch.cuda.is_available():
        init_dist(launcher, backend="nccl")
    elif launcher == "pytorch":
        torch.distributed.init_process_group("gloo")  # mmengine's own start wants an accelerator
    else:
        raise ValueError("--launcher slurm: expected an accelerator, found none; use --launcher pytorch on CPUs.")


def leave() -> None:
    """Leaves the group, if there is one."""
    if is_distributed():
        torch.distributed.destroy_process_group()


class Together(MMDistributedDataParallel):
    """mmengine's wrapper for a model whose batch is one dictionary."""

    def _run_forward(self, data: Any, mode: str) -> Any:
        return self(batch=data, mode=mode)

    def train_step(self, data: Any, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """One optimiser step, in as many parts as the model says."""
        if self.module.parts > 1:
            return step_in_parts(self, self.module, data, optim_wrapper, self.module.parts)
        result: dict[str, Tensor] = super().train_step(data, optim_wrapper)
        return result


def shared(model: nn.Module, device: torch.device) -> nn.Module:
    """The model on its device, with gradients averaged over the processes; alone, the model itself."""
    if get_world_size() == 1:
        return model
    model = model.to(device)
    own = [torch.cuda.current_device()] if device.type == "cuda" else None
    # Statistics of normalisation stay each process's own while it trains, as in the references (sync is another recipe).
    return Together(model, device_ids=own, broadcast_buffers=False, find_unused_parameters=True)


def agree(network: nn.Module) -> None:
    """After training: the first process's statistics for all, so that all evaluate the network that is kept."""
    for buffer in network.buffers():
        broadcast(buffer)


def batches_of(count: int, batch_size: int, rank: int, size: int) -> list[list[int]]:
    """Batches of one process out of those that a single one has, as many as every other's: the first ones repeat at the end.

    Whole batches are shared, since a network's rounding depends on what lies in a batch: so any number of processes gives the
    same figures to the last digit.
    """
    whole = [list(range(start, min(start + batch_size, count))) for start in range(0, count, batch_size)]
    padded = -(-len(whole) // size) * size
    return [whole[index % len(whole)] for index in range(rank, padded, size)]
