"""What a network costs on this machine: the batch that fits, and the latency of one picture."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.experiment.cell import Cell

CPU_ACTIVATIONS_BYTES = 2**30
LARGEST_CPU_LATENCY_PX = 400 * 400
"""Inputs above this many pixels are not timed on a CPU: a single picture takes seconds."""
QUIET_SHARE = 0.1
"""Of one core: more work of other processes than this while a latency is measured, and it is not shown."""


def input_hw(cell: Cell, default: tuple[int, int]) -> tuple[int, int]:
    """The size (height, width) that a cell's cost is counted at: its protocol's or recipe's input size, else ``default``."""
    for holder in (cell.protocol, cell.recipe):
        size = getattr(holder, "input_wh", None)
        if size:
            return int(size[1]), int(size[0])
    return default


CONTEXT_BYTES = 3 * 2**28
"""Of an accelerator's memory that a process takes beside its tensors: kernels, and the libraries' own workspaces."""


def share_accelerator(cells: int) -> None:
    """Leaves this process its part of an accelerator's memory where several cells share it; without one nothing."""
    if cells > 1 and torch.cuda.is_available():
        total = torch.cuda.mem_get_info()[1]
        torch.cuda.set_per_process_memory_fraction(_part_bytes(cells, total) / total)


def _part_bytes(cells: int, total: int) -> float:
    """What the tensors of one of several cells may take: all of them, with what is beside them, fill the memory and no more."""
    return max(total / cells - CONTEXT_BYTES, total / cells / 2) if cells > 1 else float(total)


def evaluation_batch(activations: int, device: torch.device, cells: int = 1) -> int:
    """As many samples as fit, up to where nothing is gained. Rounding differs between batch sizes in the last digits.

    On a CPU 1 GiB of activations, whatever memory is free, so that a model and an input size always get the same batch; on
    an accelerator a quarter of what is free, of this cell's part where several share it.

    Args:
        activations: numbers (float32) that one sample's forward pass holds.
        cells: that share the accelerator.
    """
    cuda = device.type == "cuda"
    room, limit = (_accelerator_room(cells) / 4, 128) if cuda else (CPU_ACTIVATIONS_BYTES, 32)
    fits = room / max(1, activations * 4)
    result: int = max(1, min(limit, 2 ** int(math.log2(max(1.0, fits)))))
    return result


def _accelerator_room(cells: int) -> float:
    free, total = torch.cuda.mem_get_info()
    return min(float(free), _part_bytes(cells, total))


def latency_ms(network: nn.Module, size_hw: tuple[int, int], device: torch.device) -> float | None:
    """Median milliseconds of one picture through the network, batch 1, this process's threads; None for large inputs on a CPU."""
    if not _is_timed(size_hw, device):
        return None
    return round(_seconds(network, size_hw, device, 1) * 1000, 3)


def images_per_s(network: nn.Module, size_hw: tuple[int, int], device: torch.device, batch: int) -> float | None:
    """Images per second through the network at a batch, this process's threads; None for large inputs on a CPU."""
    if not _is_timed(size_hw, device):
        return None
    return round(batch / _seconds(network, size_hw, device, batch), 3)


def _is_timed(size_hw: tuple[int, int], device: torch.device) -> bool:
    return device.type != "cpu" or size_hw[0] * size_hw[1] <= LARGEST_CPU_LATENCY_PX


def _seconds(network: nn.Module, size_hw: tuple[int, int], device: torch.device, batch: int) -> float:
    """Median seconds of a forward pass, the first left out."""
    once, times = _forward_pass(network, size_hw, device, batch), list[float]()
    while len(times) < 2 or (len(times) < 12 and sum(times) < 1.0):
        times.append(once())
    return float(np.median(times[1:]))


def _forward_pass(
    network: nn.Module, size_hw: tuple[int, int], device: torch.device, batch: int
) -> Callable[[], float]:
    """Sends the same images through the network at each call, and gives the seconds of it."""
    forward = getattr(network, "profile_forward", network)
    images = torch.zeros(batch, 3, *size_hw, device=device).contiguous(memory_format=torch.channels_last)

    def once() -> float:
        with torch.inference_mode():
            start = time.perf_counter()
            forward(images)
            if device.type == "cuda":
                torch.cuda.synchronize()
            return time.perf_counter() - start

    return once


def measured_speed(
    network: nn.Module, cell: Cell, size_hw: tuple[int, int], device: torch.device, batch: int, cells_per_gpu: int = 1
) -> dict[str, float | bool | None]:
    """The latency, and whether nothing else ran on the machine meanwhile: only then is it a figure to show.

    Where trained weights are evaluated once more, the images per second at the evaluation's batch and the peak of memory too.
    A runtime exports or compiles in its first pass of a shape, with other processes at times: that comes before.
    """
    again = cell.recipe is None and cell.weights_from is not None
    for count in ((1, batch) if again else (1,)) if _is_timed(size_hw, device) else ():
        _forward_pass(network, size_hw, device, count)()
    watch = QuietWatch()
    found: dict[str, float | bool | None] = {"latency_ms": latency_ms(network, size_hw, device)}
    if again:
        measured = begin_peak_memory(device)
        found["images_per_s"] = images_per_s(network, size_hw, device, batch)
        found["peak_memory_gib"] = peak_memory_gib(device) if measured and found["images_per_s"] is not None else None
    return found | {"latency_quiet": cells_per_gpu == 1 and watch.quiet()}


def begin_peak_memory(device: torch.device) -> bool:
    """Forgets the peak of memory so far; False where the system does not let it (other than Linux)."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return True
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def peak_memory_gib(device: torch.device) -> float | None:
    """The most memory since `begin_peak_memory`: allocated on the accelerator; on a CPU resident in the whole process."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 2**30, 3)
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next((round(int(line.split()[1]) / 2**20, 3) for line in lines if line.startswith("VmHWM:")), None)
    except OSError:
        return None


class QuietWatch:
    """Tells whether other processes worked on this machine between its making and `quiet()`; never where that is not known."""

    def __init__(self) -> None:
        self.start = (_busy_s(), _own_s(), time.perf_counter())

    def quiet(self) -> bool:
        """True if others took less than a tenth of a core."""
        busy, own, now = _busy_s(), _own_s(), time.perf_counter()
        before, own_before, since = self.start
        if busy is None or before is None or now <= since:
            return False
        # The system counts in hundredths of a second, per core.
        others = busy - before - (own - own_before)
        return others <= QUIET_SHARE * (now - since) + 0.02


def _own_s() -> float:
    """Processor seconds of this process so far."""
    times = os.times()
    return times.user + times.system


def _busy_s() -> float | None:
    """Processor seconds that all cores have worked since the start of the system; None where /proc/stat is not there."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
        user, nice, system, _, _, interrupts, soft, *_ = map(int, fields)
        return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None
