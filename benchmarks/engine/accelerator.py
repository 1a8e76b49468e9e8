"""What an accelerator is told: the arithmetic of float32, cuDNN's choice of algorithms, and loaders that keep it busy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

READ_EVERY = 20
"""Losses are read from an accelerator after so many steps: reading waits until all steps before are done."""


@contextmanager
def float32_products(tf32: bool, device: torch.device) -> Iterator[None]:
    """While it is open, products of float32 on a CUDA device are computed in float32, or in TF32 where that is asked for.

    PyTorch's own default computes convolutions in TF32, whose products have ten bits: "fp32" would not mean what it says. cuDNN
    tries its algorithms where the shapes stay the same. On a CPU nothing changes.
    """
    if device.type != "cuda":
        yield
        return
    before = _flags(), torch.backends.cudnn.benchmark
    _set_flags(dict.fromkeys(before[0], "tf32" if tf32 else "ieee"))
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        _set_flags(before[0])
        torch.backends.cudnn.benchmark = before[1]


def _holders() -> dict[str, Any]:
    backends: Any = torch.backends
    return {"matmul": backends.cuda.matmul, "conv": backends.cudnn.conv, "rnn": backends.cudnn.rnn}


def _flags() -> dict[str, str]:
    if hasattr(torch.backends, "fp32_precision"):
        return {name: holder.fp32_precision for name, holder in _holders().items()}
    return {  # before PyTorch 2.9
        "matmul": "tf32" if torch.backends.cuda.matmul.allow_tf32 else "ieee",
        "conv": "tf32" if torch.backends.cudnn.allow_tf32 else "ieee",
    }


def _set_flags(flags: dict[str, str]) -> None:
    if hasattr(torch.backends, "fp32_precision"):
        for name, holder in _holders().items():
            holder.fp32_precision = flags[name]
        return
    torch.backends.cuda.matmul.allow_tf32 = flags["matmul"] == "tf32"
    torch.backends.cudnn.allow_tf32 = flags["conv"] == "tf32"


def loading(workers: int, device: torch.device) -> dict[str, Any]:
    """Options of a loader: processes that stay and run ahead; pinned memory where batches travel to an accelerator."""
    cuda = device.type == "cuda"
    options: dict[str, Any] = {"num_workers": workers, "pin_memory": cuda, "persistent_workers": workers > 0}
    if workers and cuda:
        options["prefetch_factor"] = 4
    return options
