"""Reduced precision: a network's convolutions and products in bf16 or fp16, everything after them in float32.

mmengine's loops switch an outer autocast off, so the network's own calls are wrapped (`TaskModel.reduced_calls`). Decoding,
losses, suppression and scoring stay in float32.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from tasks.model import TaskModel

Precision = Literal["fp32", "tf32", "bf16", "fp16"]
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
_CPU_FLAGS = {"bf16": ("avx512_bf16", "amx_bf16", "bf16"), "fp16": ("avx512_fp16", "amx_fp16", "fphp")}
"""Processor flags of Linux (x86 and ARM) that stand for arithmetic in a type; without one it is emulated, and slower."""
_LEAST_CAPABILITY = {"tf32": (8, 0), "bf16": (8, 0), "fp16": (7, 0)}
"""Compute capability of CUDA from which a type has units of its own."""


def check_precision(precision: str, device: torch.device) -> None:
    """Raises ValueError where the hardware has no units for a precision, or the name is unknown."""
    if precision == "fp32":
        return
    if precision not in _LEAST_CAPABILITY:
        raise ValueError(f"Expected a precision out of fp32, tf32, bf16, fp16, got {precision!r}.")
    if device.type == "cuda":
        capability = torch.cuda.get_device_capability(device)
        if capability < _LEAST_CAPABILITY[precision]:
            raise ValueError(
                f"--precision {precision}: {torch.cuda.get_device_name(device)} would emulate it (compute capability "
                f"{capability[0]}.{capability[1]}). Use --precision fp32."
            )
    elif precision == "tf32":
        raise ValueError("--precision tf32: expected a CUDA device, got a CPU. Use --precision fp32 or bf16.")
    elif not set(_CPU_FLAGS[precision]) & cpu_flags():
        raise ValueError(
            f"--precision {precision}: this processor would emulate it (none of its flags is "
            f"{', '.join(_CPU_FLAGS[precision])}). Use --precision fp32."
        )


@functools.lru_cache
def cpu_flags() -> frozenset[str]:
    """What the processor can do, as Linux lists it; elsewhere what PyTorch tells."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(("flags", "Features")):
                return frozenset(line.partition(":")[2].split())
    return frozenset({"avx512_bf16"} if torch.cpu._is_avx512_bf16_supported() else ())


@contextmanager
def float32_products(tf32: bool, device: torch.device, same_shapes: bool = True) -> Iterator[None]:
    """While it is open, products of float32 on a CUDA device are computed in float32, or in TF32 where that is asked for.

    PyTorch's own default computes convolutions in TF32, whose products have ten bits: "fp32" would not mean what it says. cuDNN
    tries its algorithms where the shapes stay the same: for every new one it takes seconds. On a CPU nothing changes.
    """
    if device.type != "cuda":
        yield
        return
    before = _flags(), torch.backends.cudnn.benchmark
    wanted = "tf32" if tf32 else "ieee"
    _set_flags(_Flags(wanted, wanted, *(None if old is None else tf32 for old in before[0][2:])))
    torch.backends.cudnn.benchmark = same_shapes
    try:
        yield
    finally:
        _set_flags(before[0])
        torch.backends.cudnn.benchmark = before[1]


class _Flags(NamedTuple):
    """How CUDA multiplies float32, by the names of PyTorch 2.9 and later, and by those from before (TF32 or not).

    Both are set: PyTorch reads the old ones still, and raises where the two say different things. None where somebody has
    brought them apart already.
    """

    matmul: str
    cudnn: str
    old_matmul: bool | None
    old_cudnn: bool | None


def _flags() -> _Flags:
    backends: Any = torch.backends
    old = _read(lambda: backends.cuda.matmul.allow_tf32), _read(lambda: backends.cudnn.allow_tf32)
    if not hasattr(backends, "fp32_precision"):
        return _Flags("", "", *old)
    return _Flags(backends.cuda.matmul.fp32_precision, backends.cudnn.conv.fp32_precision, *old)


def _read(flag: Callable[[], bool]) -> bool | None:
    try:
        return bool(flag())
    except RuntimeError:
        return None


def _set_flags(flags: _Flags) -> None:
    backends: Any = torch.backends
    if flags.old_matmul is not None:
        backends.cuda.matmul.allow_tf32 = flags.old_matmul
    if flags.old_cudnn is not None:
        backends.cudnn.allow_tf32 = flags.old_cudnn
    if hasattr(backends, "fp32_precision"):  # the old names leave "none", which follows a setting for everything
        backends.cuda.matmul.fp32_precision = flags.matmul
        backends.cudnn.conv.fp32_precision = backends.cudnn.rnn.fp32_precision = flags.cudnn


@contextmanager
def reduced(network: nn.Module, precision: str, device: torch.device) -> Iterator[None]:
    """While it is open, the calls that `TaskModel.reduced_calls` names run in ``precision`` and answer in float32.

    Raises:
        ValueError: as :func:`check_precision`; or a network that does not say which of its calls may be reduced.
    """
    check_precision(precision, device)
    if precision not in DTYPES:  # TF32 is the accelerator's own way with float32
        yield
        return
    if not isinstance(network, TaskModel):
        raise ValueError(f"--precision {precision}: expected a TaskModel, got a {type(network).__name__}.")
    dtype = DTYPES[precision]
    calls = {call: _in_precision(getattr(*call), dtype, device.type) for call in network.reduced_calls()}
    if device.type == "cpu":
        calls |= {(conv, "_conv_forward"): _narrow_in_float32(conv) for conv in _strided(network)}
    before = [module.__dict__.get(name) for module, name in calls]  # of a training in which is evaluated
    for (module, name), replaced in calls.items():
        setattr(module, name, replaced)
    try:
        yield
    finally:
        for (module, name), held in zip(calls, before, strict=True):
            if held is None:
                delattr(module, name)  # the class's own method shows again
            else:
                setattr(module, name, held)


def _in_precision(call: Callable[..., Any], dtype: torch.dtype, device: str) -> Callable[..., Any]:
    @functools.wraps(call)
    def reduced_call(*arguments: Any, **options: Any) -> Any:
        with torch.autocast(device, dtype):
            return in_float(call(*arguments, **options))

    return reduced_call


def _strided(network: nn.Module) -> list[nn.Conv2d]:
    return [part for part in network.modules() if isinstance(part, nn.Conv2d) and part.stride[1] > 1]


def _narrow_in_float32(conv: nn.Conv2d) -> Callable[..., Tensor]:
    """A strided convolution that learns from maps narrower than its stride in float32.

    oneDNN's backward in bf16 (PyTorch 2.15) does not write the gradients of weights that such a map does not meet: they are
    what the memory held before. Wider maps, other gradients and float32 are right.
    """
    call: Callable[..., Tensor] = conv._conv_forward

    @functools.wraps(call)
    def narrow_call(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if not torch.is_grad_enabled() or x.shape[-1] >= conv.stride[1]:
            return call(x, weight, bias)
        with torch.autocast("cpu", enabled=False):
            return call(x.float(), weight, bias)

    return narrow_call


def in_float(value: Any) -> Any:
    """Tensors of reduced precision, alone or in lists, tuples and dictionaries, as float32; the rest as it is."""
    if isinstance(value, Tensor):
        return value.float() if value.dtype in DTYPES.values() else value
    if isinstance(value, dict):
        return {key: in_float(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(in_float(part) for part in value)
    return value
