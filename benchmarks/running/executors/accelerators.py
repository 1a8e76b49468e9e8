"""The accelerators of this machine, as processes are given them: by CUDA_VISIBLE_DEVICES."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"


def visible_gpus() -> list[str]:
    """The accelerators that this process may use, as CUDA names them; none where there is no driver.

    What the environment names is believed; else the driver is asked.
    """
    named = os.environ.get(VISIBLE)
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip() not in ("", "-1", "NoDevFiles")]
    return [str(number) for number in range(_driver_count())]


def chosen_gpus(count: int | None) -> list[str]:
    """The accelerators of ``--gpus``: all that are visible, or the first ``count``; numbered from 0 where fewer are known.

    The caller is believed: whoever asks for more than are known here is told so by the cells, which record their hardware.
    """
    known = visible_gpus()
    if count is None:
        return known
    return known[:count] if len(known) >= count else [str(number) for number in range(count)]


def gpu_slots(gpus: Sequence[str], cells_per_gpu: int) -> list[str]:
    """One entry per cell that may run at a time, its accelerator; every accelerator's first cell before any second."""
    return [gpu for _ in range(cells_per_gpu) for gpu in gpus]


def has_driver() -> bool:
    """Whether this machine has a driver of accelerators, NVIDIA's or AMD's."""
    return _driver_count() > 0 or Path("/dev/kfd").exists()


def _driver_count() -> int:
    """How many accelerators the driver lists; partitions of one count as that one."""
    listed = Path("/proc/driver/nvidia/gpus")
    if listed.is_dir():
        return len(list(listed.iterdir()))
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    try:
        found = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in found.splitlines())
