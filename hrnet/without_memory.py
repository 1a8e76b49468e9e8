"""Building and running networks on the meta device, where tensors have shapes alone: what counting costs needs, and quickly.

PyTorch's own operators on that device are Python: some take as long as on the CPU, and the first of them imports its compiler,
which takes as long as PyTorch itself. So what the bodies are made of is answered here by shape arithmetic; the rest is PyTorch's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

Sizes = Sequence[int]
Report = Callable[[nn.Module, Sizes, Sizes], None]
"""Told of every call of a counted layer: the layer, and the shapes of its input and output."""
COUNTED = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
SAME_SHAPE = (nn.BatchNorm2d, nn.LayerNorm, nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Dropout)
"""Layers that change no shape and are not counted; of their subclasses those that have the same forward pass."""
_SAME_FORWARD = frozenset(kind.forward for kind in SAME_SHAPE)


class WithoutMemory(TorchFunctionMode):
    """While it is active, networks are built on the meta device and their initial values are not drawn: for counting alone."""

    _DRAWS = frozenset(
        {Tensor.normal_, Tensor.uniform_, Tensor.zero_, Tensor.fill_, Tensor.bernoulli_}
        | {call for name, call in vars(nn.init).items() if name.endswith("_") and not name.startswith("_")}
    )

    _STARTS: tuple[Any, ...] = (nn.modules.conv._ConvNd, nn.modules.batchnorm._NormBase, nn.Linear)
    """Kinds of layers whose own drawing costs more than their making."""

    def __enter__(self) -> WithoutMemory:
        self._device: Any = torch.device("meta")
        self._device.__enter__()
        super().__enter__()  # type: ignore[no-untyped-call]
        self._drawing = [kind.reset_parameters for kind in self._STARTS]
        for kind in self._STARTS:
            kind.reset_parameters = _nothing
        return self

    def __exit__(self, *raised: Any) -> None:
        for kind, drawing in zip(self._STARTS, self._drawing, strict=True):
            kind.reset_parameters = drawing
        super().__exit__(*raised)  # type: ignore[no-untyped-call]
        self._device.__exit__(*raised)

    def __torch_function__(self, function: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        if function in self._DRAWS:
            drawn = arguments[0] if arguments else (options or {})["tensor"]
            if drawn.is_meta:
                return drawn
        return function(*arguments, **(options or {}))


def _nothing(layer: nn.Module) -> None:
    pass


def twin_without_memory(model: nn.Module) -> nn.Module:
    """A copy on the meta device that never copies a weight; the model itself where it is there already."""
    held = list(parameters(model.modules()))
    buffers = [buffer for module in model.modules() for buffer in module._buffers.values() if buffer is not None]
    if all(tensor.is_meta for tensor in (*held, *buffers)):
        return model
    memo: dict[int, Any] = {id(p): nn.Parameter(torch.empty_like(p, device="meta"), requires_grad=False) for p in held}
    memo |= {id(b): torch.empty_like(b, device="meta") for b in buffers}
    return copy.deepcopy(model, memo)


def parameters(modules: Iterable[nn.Module]) -> Iterable[nn.Parameter]:
    """Every parameter of the modules, each once; `nn.Module.parameters` walks over all names for the same."""
    held = (p for module in modules for p in module._parameters.values() if p is not None)
    return {id(p): p for p in held}.values()


@contextmanager
def evaluating(modules: Iterable[nn.Module]) -> Iterator[None]:
    """While it is open, the modules are in evaluation mode; then each is in its own mode again."""
    training = [module for module in modules if module.training]
    for module in training:
        module.__dict__["training"] = False
    try:
        yield
    finally:
        for module in training:
            module.__dict__["training"] = True


@contextmanager
def shapes_alone(modules: Iterable[nn.Module], report: Report) -> Iterator[None]:
    """While it is open, these modules' forward passes on the meta device are shape arithmetic, and `report` is told of every
    counted layer's call."""
    handles, changed = [], []
    for module in modules:
        made: Any = None
        if isinstance(module, COUNTED):
            made = _counted(module, report)
            if made is None:
                handles.append(module.register_forward_hook(_hook(report)))
        elif isinstance(module, SAME_SHAPE) and type(module).forward in _SAME_FORWARD:
            made = _unchanged
        if made is not None:
            module.__dict__["forward"] = made
            changed.append(module)
    try:
        with torch.no_grad(), _Shapes():
            yield
    finally:
        for handle in handles:
            handle.remove()
        for module in changed:
            del module.__dict__["forward"]


def _unchanged(x: Tensor) -> Tensor:
    return x


def _counted(layer: nn.Module, report: Report) -> Callable[[Tensor], Tensor] | None:
    """A layer's forward pass as arithmetic; None where the layer is no plain convolution or linear layer."""
    kind = type(layer)
    if kind.forward is nn.Linear.forward:
        return _linear(layer, report)  # type: ignore[arg-type]
    if kind.forward is nn.Conv2d.forward and not isinstance(layer.padding, str):
        return _convolution(layer, report)  # type: ignore[arg-type]
    return None


def _linear(layer: nn.Linear, report: Report) -> Callable[[Tensor], Tensor]:
    def forward(x: Tensor) -> Tensor:
        sizes, made = x.shape, (*x.shape[:-1], layer.out_features)
        report(layer, sizes, made)
        return x.new_empty(made)

    return forward


def _convolution(layer: nn.Conv2d, report: Report) -> Callable[[Tensor], Tensor]:
    weight = (layer.out_channels, 0, *layer.kernel_size)

    def forward(x: Tensor) -> Tensor:
        sizes = x.shape
        made = _convolved(sizes, weight, layer.stride, layer.padding, layer.dilation)
        report(layer, sizes, made)
        return x.new_empty(made)

    return forward


def _convolved(x: Sizes, weight: Sizes, stride: Any, padding: Any, dilation: Any) -> Sizes:
    """(B, C, H, W), (D, C / groups, h, w) -> (B, D, H', W')."""
    (step_y, step_x), (pad_y, pad_x), (apart_y, apart_x) = stride, padding, dilation
    rows = (x[2] + 2 * pad_y - apart_y * (weight[2] - 1) - 1) // step_y + 1
    columns = (x[3] + 2 * pad_x - apart_x * (weight[3] - 1) - 1) // step_x + 1
    return x[0], weight[0], rows, columns


def _hook(report: Report) -> Any:
    def hook(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        report(layer, inputs[0].shape, output.shape)

    return hook


class _Shapes(TorchFunctionMode):
    """Answers functions of `_ANSWERS` by the shapes of their arguments, where these are on the meta device."""

    def __torch_function__(self, function: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        answer = _ANSWERS.get(function)
        if answer is not None:
            made = answer(*arguments, **(options or {}))
            if made is not None:
                return made
        return function(*arguments, **(options or {}))


def _first(x: Tensor, *_: Any, **__: Any) -> Tensor | None:
    return x if x.is_meta else None


def _sum(x: Tensor, y: Any, *_: Any, **__: Any) -> Tensor | None:
    return x if isinstance(y, Tensor) and x.is_meta and y.is_meta and x.shape == y.shape else None


def _convolution_of(
    x: Tensor, weight: Tensor, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor | None:
    if not (x.is_meta and weight.is_meta) or x.ndim != 4 or isinstance(padding, str):
        return None
    return x.new_empty(_convolved(x.shape, weight.shape, _pair(stride), _pair(padding), _pair(dilation)))


def _concatenated(parts: Sequence[Tensor], dim: int = 0) -> Tensor | None:
    if not all(part.is_meta and part.ndim == parts[0].ndim for part in parts):
        return None
    sizes = list(parts[0].shape)
    sizes[dim] = sum(part.shape[dim] for part in parts)
    return parts[0].new_empty(sizes)


def _mean(x: Tensor, dim: Any = None, keepdim: bool = False, **_: Any) -> Tensor | None:
    if not x.is_meta or dim is None:
        return None
    over = {axis % x.ndim for axis in ((dim,) if isinstance(dim, int) else dim)}
    kept = (1 if axis in over else side for axis, side in enumerate(x.shape) if keepdim or axis not in over)
    return x.new_empty(tuple(kept))


def _pooled(
    x: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False, *_: Any, **__: Any
) -> Tensor | None:
    if not x.is_meta or x.ndim != 4 or ceil_mode:
        return None
    side, step, pad = (_pair(given) for given in (kernel_size, stride or kernel_size, padding))
    return x.new_empty(_convolved(x.shape, (x.shape[1], 0, *side), step, pad, (1, 1)))


def _pair(given: Any) -> Any:
    return (given, given) if isinstance(given, int) else given


def _resized(x: Tensor, size: Any = None, scale_factor: Any = None, *_: Any, **__: Any) -> Tensor | None:
    if not x.is_meta or x.ndim != 4:
        return None
    if size is None:
        factors = scale_factor if isinstance(scale_factor, tuple | list) else (scale_factor, scale_factor)
        size = [int(side * by) for side, by in zip(x.shape[-2:], factors, strict=True)]
    sides = (size, size) if isinstance(size, int) else tuple(size)
    return x.new_empty((*x.shape[:2], *sides))


_ANSWERS: dict[Any, Callable[..., Tensor | None]] = {
    functional.avg_pool2d: _pooled,
    functional.conv2d: _convolution_of,
    functional.interpolate: _resized,
    torch.cat: _concatenated,
    functional.relu: _first,
    functional.gelu: _first,
    functional.layer_norm: _first,
    Tensor.add: _sum,
    Tensor.add_: _sum,
    Tensor.mean: _mean,
}
