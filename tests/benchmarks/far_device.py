"""A CUDA device made of main memory, for machines without one: what raises there raises here, and what waits there is counted.

Tensors on it say ``cuda:0`` and hold their numbers on the CPU. As on the device, an operation refuses tensors of two places
(single numbers excepted), and the host waits where it reads a value, needs a shape that values decide, or copies without
``non_blocking``. It says nothing about numbers, speed, streams and memory.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import torch
import torchvision  # noqa: F401  its operators
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

aten = torch.ops.aten
HERE, FAR = torch.device("cpu"), torch.device("cuda:0")
ROOT = Path(__file__).parents[2]
COPIES = {aten._to_copy.default, aten.copy_.default, aten.to.device}
WAITS = {
    aten._local_scalar_dense.default: "a value is read",
    aten.equal.default: "a value is read",
    aten.nonzero.default: "values decide a shape",
    aten.masked_select.default: "values decide a shape",
    aten._unique2.default: "values decide a shape",
    aten.bincount.default: "values decide a shape",
    aten.repeat_interleave.Tensor: "values decide a shape",
    torch.ops.torchvision.nms.default: "values decide a shape",
}
MIXES = {aten.index.Tensor, aten.index_put_.default, aten.index_put.default, aten._index_put_impl_.default}
"""Take indices of the host, which are copied and waited for."""


class Wait(NamedTuple):
    """Where the host waited, the innermost of the project's own lines."""

    file: str
    line: int
    function: str
    why: str


class FarTensor(torch.Tensor):
    """``held`` on the CPU, under the name of the other device. PyTorch's own C++ takes it for a CPU's."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> FarTensor:
        made: FarTensor = torch.Tensor._make_wrapper_subclass(
            cls, held.size(), strides=held.stride(), storage_offset=held.storage_offset(), dtype=held.dtype, device=HERE
        )
        made.held = held
        return made

    def __repr__(self, **options: Any) -> str:
        return f"FarTensor({self.held!r})"

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """What C++ would answer from the place that it takes the tensor to be in."""
        kwargs = dict(kwargs or {})
        me = args[0] if args else None
        held = {torch.Tensor.device: FAR, torch.Tensor.is_cuda: True, torch.Tensor.is_cpu: False}
        if getattr(func, "__self__", None) in held:
            return held[func.__self__]
        if func is torch.Tensor.new_tensor:
            with torch._C.DisableTorchFunctionSubclass():
                return torch.tensor(args[1], dtype=kwargs.get("dtype", me.dtype), device=kwargs.get("device", FAR))
        if func is torch.Tensor.tolist:
            return _brought(me).tolist()
        if func is torch.Tensor.numpy:
            raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first")
        if func is torch.Tensor.cpu:
            return _brought(me)
        if func is torch.nn.functional.one_hot:  # C++ would make its counting row on the CPU
            with torch._C.DisableTorchFunctionSubclass():
                return (me.unsqueeze(-1) == torch.arange(args[1], device=FAR)).to(torch.int64)
        if func is torch.Tensor.detach and torch.is_inference_mode_enabled():  # which C++ refuses a subclass
            return me
        if func is torch.Tensor.to:
            return _moved(*args, **kwargs)
        with torch._C.DisableTorchFunctionSubclass():
            return func(*args, **kwargs)

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise RuntimeError(f"{func}: a tensor of the device outside of far_device()")


def _brought(value: Any) -> torch.Tensor:
    with torch._C.DisableTorchFunctionSubclass():
        return aten._to_copy.default(value, device=HERE)  # type: ignore[no-any-return]


def _moved(value: Any, *args: Any, **kwargs: Any) -> Any:
    """`Tensor.to` of or towards a tensor of the device."""
    device, dtype, non_blocking, copy, layout = (
        kwargs.pop("device", None),
        kwargs.pop("dtype", None),
        False,
        False,
        None,
    )
    for one in args:
        if isinstance(one, torch.Tensor):
            device, dtype = one.device, one.dtype
        elif isinstance(one, torch.dtype):
            dtype = one
        elif isinstance(one, bool):
            non_blocking = one
        elif one is not None:
            device = one
    non_blocking, copy = kwargs.pop("non_blocking", non_blocking), kwargs.pop("copy", copy)
    layout = kwargs.pop("memory_format", layout)
    assert not kwargs, kwargs
    device = value.device if device is None else torch.device(device)
    same = device.type == value.device.type and dtype in (None, value.dtype)
    if same and not copy and (layout in (None, torch.preserve_format) or value.is_contiguous(memory_format=layout)):
        return value
    with torch._C.DisableTorchFunctionSubclass():
        return aten._to_copy.default(
            value, dtype=dtype, device=device, non_blocking=non_blocking, memory_format=layout or torch.preserve_format
        )


class _Device(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.waits: list[Wait] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd"):
            with self:  # in inference mode operations arrive that consist of others
                return func._op_dk(torch._C.DispatchKey.CompositeImplicitAutograd, *args, **kwargs)
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        far = [one for one in tensors if isinstance(one, FarTensor)]
        asked = kwargs.get("device")
        goes = asked is not None and torch.device(asked).type == "cuda"
        if not far and not goes:
            return func(*args, **kwargs)
        self._check(func, args, kwargs, tensors, far, goes)
        if asked is not None:
            kwargs["device"] = HERE
        if kwargs.pop("pin_memory", None):
            raise RuntimeError("only dense CPU tensors can be pinned")
        plain_args, plain_kwargs = tree_map(_plain, (args, kwargs))
        out = func(*plain_args, **plain_kwargs)
        comes_home = func is aten._to_copy.default and asked is not None and not goes
        stays = func is aten.copy_.default and not isinstance(args[0], FarTensor)
        if comes_home or stays:
            return args[0] if stays else out
        if func is aten._local_scalar_dense.default or func is aten.equal.default:
            return out
        far_out = tree_map(lambda value: FarTensor(value) if isinstance(value, torch.Tensor) else value, out)
        return return_and_correct_aliasing(func, args, kwargs, far_out)

    def _check(self, func: Any, args: Any, kwargs: Any, tensors: list[Any], far: list[Any], goes: bool) -> None:
        if func in WAITS:
            self._waited(WAITS[func])
        if func in COPIES:
            ends = {type(one) is FarTensor for one in tensors[:2]}
            crosses = len(ends) == 2 or (
                func is aten._to_copy.default and bool(far) != (goes or kwargs.get("device") is None)
            )
            blocking = not (kwargs.get("non_blocking") or (func is aten.copy_.default and len(args) > 2 and args[2]))
            if crosses and blocking:
                self._waited("a copy is waited for")
            return
        if func in MIXES:
            rows = [one for one in args[1] if one is not None]
            value = args[2:3]
            if any(one.dtype in (torch.bool, torch.uint8) for one in rows) and not (value and value[0].numel() == 1):
                self._waited("values decide a shape")
            elif any(type(one) is not FarTensor for one in rows):
                self._waited("indices of the host")
            near = [one for one in (args[0], *value) if type(one) is not FarTensor and one.ndim]
        else:
            near = [one for one in tensors if type(one) is not FarTensor and one.ndim]
        if near and far:
            shapes = [("cuda:0" if type(one) is FarTensor else "cpu", tuple(one.shape)) for one in tensors]
            raise RuntimeError(f"{func}: expected all tensors on the same device, got {shapes}")

    def _waited(self, why: str) -> None:
        frames = [frame for frame in traceback.extract_stack() if Path(frame.filename).is_relative_to(ROOT)]
        ours = [frame for frame in frames if ".venv" not in frame.filename and frame.filename != __file__]
        last = ours[-1] if ours else traceback.extract_stack()[0]
        self.waits.append(Wait(Path(last.filename).name, last.lineno or 0, last.name, why))


def _plain(value: Any) -> Any:
    return value.held if isinstance(value, FarTensor) else value


def _grouped(lists: list[list[torch.Tensor]], with_indices: bool = False) -> Any:
    """All of one device and type, which C++ would take for the CPU."""
    return {(lists[0][0].device, lists[0][0].dtype): (lists, list(range(len(lists[0]))))}


@contextmanager
def far_device() -> Iterator[list[Wait]]:
    """While it is open ``cuda:0`` is there. Yields a growing list of where the host waited for it, and why."""
    device = _Device()
    device._mode_key = torch._C._TorchDispatchModeKey.FAKE  # type: ignore[attr-defined]
    lifts = torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(True)
    replaces = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(
        True
    )  # a parameter is one of the device, not a name for it
    try:
        groups = mock.patch("torch.nn.utils.clip_grad._group_tensors_by_device_and_dtype", _grouped)
        with mock.patch("torch.cuda._lazy_init"), groups, torch.backends.cudnn.flags(enabled=False), device:
            yield device.waits
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(replaces)
        torch._C._set_only_lift_cpu_tensors(lifts)
