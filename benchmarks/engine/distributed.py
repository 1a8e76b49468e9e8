"""Several processes that train and evaluate one cell together: ``torchrun ... --launcher pytorch``, or SLURM's."""

from __future__ import annotations

import benchmarks.engine.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
import inspect
import os
import pickle
import subprocess
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
import torch.distributed as dist
from mmengine.dist import broadcast, get_rank, get_world_size, is_distributed, is_main_process
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from benchmarks.engine.model import HarnessModel
from benchmarks.engine.steps.accumulation import step_in_parts

__all__ = [
    "Together",
    "agree",
    "batches_of",
    "gathered",
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
    if launcher == "slurm":
        os.environ.update(slurm_group(os.environ))
    if torch.cuda.is_available():  # each process its own, whether it sees one or all
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
        dist.init_process_group("nccl")
    else:
        dist.init_process_group("gloo")
    between: Any = dist.new_group(backend="gloo")
    _BETWEEN_CPUS.append(between)


_BETWEEN_CPUS: list[dist.ProcessGroup] = []
"""The group for what lies in main memory."""
FIRST_PORT, PORTS = 15000, 15000
"""Below the ports that systems give to outgoing connections."""


def slurm_group(environment: Mapping[str, str]) -> dict[str, str]:
    """What torch wants to know of a group of processes, from what srun says of this one.

    The port follows from job and step, so that two of them do not meet; MASTER_ADDR and MASTER_PORT go before where they are set.
    """
    count = environment.get("SLURM_STEP_NUM_TASKS") or environment["SLURM_NTASKS"]
    step = f"{environment.get('SLURM_JOB_ID', '')}.{environment.get('SLURM_STEP_ID', '')}"
    made = {
        "RANK": environment["SLURM_PROCID"],
        "WORLD_SIZE": count,
        "LOCAL_RANK": environment.get("SLURM_LOCALID", "0"),
        "MASTER_PORT": environment.get("MASTER_PORT") or str(FIRST_PORT + zlib.crc32(step.encode()) % PORTS),
    }
    nodes = environment.get("SLURM_STEP_NUM_NODES") or environment.get("SLURM_NNODES", "1")
    listed = environment.get("SLURM_STEP_NODELIST") or environment.get("SLURM_NODELIST", "")
    made["MASTER_ADDR"] = environment.get("MASTER_ADDR") or ("127.0.0.1" if nodes == "1" else _first_node(listed))
    return made


def _first_node(listed: str) -> str:
    """The first name of Slurm's list (``node[03-07]``)."""
    try:
        done = subprocess.run(
            ["scontrol", "show", "hostnames", listed], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ValueError(
            f"--launcher slurm: expected scontrol to name the machines of {listed!r}, got: {error}. Set MASTER_ADDR to the first."
        ) from error
    return done.stdout.split()[0]


def leave() -> None:
    """Leaves the group, if there is one."""
    if is_distributed():
        dist.destroy_process_group()
    _BETWEEN_CPUS.clear()


class Together(MMDistributedDataParallel):
    """mmengine's wrapper for a model whose batch is one dictionary."""

    def _run_forward(self, data: Any, mode: str) -> Any:
        return self(batch=data, mode=mode)

    def train_step(self, data: Any, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """One optimiser step, in as many parts as the model says.

        Raises:
            ValueError: it does not fit an accelerator.
        """
        parts = self.module.parts
        try:
            if parts > 1:
                return step_in_parts(self, self.module, data, optim_wrapper, parts)
            result: dict[str, Tensor] = super().train_step(data, optim_wrapper)
            return result
        except torch.cuda.OutOfMemoryError as error:  # the other processes are in the middle of theirs
            raise ValueError(
                f"A training step of {len(data['images'])} samples a process does not fit the accelerator's memory. Several "
                f"processes do not split it by themselves: use --set recipe.accumulate={2 * parts}."
            ) from error


def shared(model: HarnessModel, device: torch.device, few: Callable[[], dict[str, Any]]) -> nn.Module:
    """The model on its device, with gradients averaged over the processes; alone, the model itself.

    Args:
        few: makes a batch of a few training samples, by which it is seen whether every parameter has a part in the loss.
    """
    if get_world_size() == 1:
        return model
    model = model.to(device)
    search = torch.tensor(float(model.task.graph_varies or has_idle_parameters(model, few())), device=device)
    dist.all_reduce(search, dist.ReduceOp.MAX)
    own = [torch.cuda.current_device()] if device.type == "cuda" else None
    # Statistics of normalisation stay each process's own while it trains, as in the references (sync is another recipe).
    known = inspect.signature(nn.parallel.DistributedDataParallel.__init__).parameters
    sync = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"  # its older name
    return Together(model, device_ids=own, find_unused_parameters=bool(search.item()), **{sync: False})


def has_idle_parameters(model: HarnessModel, batch: dict[str, Any]) -> bool:
    """Whether the loss leaves out some of the parameters that are trained. The model stays as it is."""
    held = [(buffer, buffer.clone()) for buffer in model.buffers()]
    was_training = model.training
    model.train()
    losses = model(model.data_preprocessor(batch, True), mode="loss")
    total, _ = model.parse_losses(losses)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    idle = any(gradient is None for gradient in torch.autograd.grad(total, trained, allow_unused=True))
    model.train(was_training)
    with torch.no_grad():
        for buffer, value in held:
            buffer.copy_(value)
    return idle


def gathered(parts: Iterable[Any]) -> Iterator[Any]:
    """On the first process what every other one has in its ``parts``, one part after the other; on the others nothing.

    All processes call it, and take all that it gives. A part is packed by itself, so that no more than one lies packed in memory;
    nothing goes through files, so that no folder has to be shared.
    """
    group = _BETWEEN_CPUS[0]
    if get_rank() == 0:
        for rank in range(1, get_world_size()):
            length = torch.zeros(1, dtype=torch.int64)
            while True:
                dist.recv(length, rank, group)
                if not length.item():
                    break
                packed = torch.empty(int(length.item()), dtype=torch.uint8)
                dist.recv(packed, rank, group)
                yield pickle.loads(zlib.decompress(packed.numpy().data))
    else:
        for part in parts:
            data = bytearray(zlib.compress(pickle.dumps(part, pickle.HIGHEST_PROTOCOL), 1))
            dist.send(torch.tensor([len(data)]), 0, group)
            dist.send(torch.frombuffer(data, dtype=torch.uint8), 0, group)
        dist.send(torch.zeros(1, dtype=torch.int64), 0, group)
    dist.barrier(group)


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
