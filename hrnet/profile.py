"""What a network costs: parameters, multiply-adds by layer (true, and as the papers count), activations."""

from __future__ import annotations

import copy
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True)
class LayerCost:
    """One convolution or linear layer: its name, multiply-adds, the papers' count of them, output elements."""

    name: str
    kind: str
    macs: int
    macs_published_rule: int
    activations: int


@dataclass(frozen=True)
class Profile:
    """Cost of one forward pass of one image.

    Attributes:
        params: number of parameters (weights and biases; buffers do not count).
        macs: multiply-adds of convolutions, transposed convolutions and linear layers, as executed.
        macs_as_published: the figure that the HRNet and SimpleBaseline papers print as GFLOPs: multiply-adds divided by
            2**30, with a transposed convolution charged at its *output* size (four times its cost at stride 2).
        macs_published_rule: the same count as an integer, not divided.
        activations: elements in the outputs of the counted layers.
        input_size: (H, W).
        layers: one entry per call of a counted layer.
    """

    params: int
    macs: int
    macs_as_published: float
    macs_published_rule: int
    activations: int
    input_size: tuple[int, int]
    layers: tuple[LayerCost, ...]

    @property
    def gmacs(self) -> float:
        """Multiply-adds in units of 10**9."""
        return self.macs / 1e9


def profile(model: nn.Module, input_size: tuple[int, int]) -> Profile:
    """Counts the cost of one (1, 3, H, W) float32 image on the meta device: no arithmetic is done.

    A model whose forward depends on values (a detector) offers ``profile_forward(images)``, which is called instead.

    Args:
        input_size: (H, W) in pixels.
    """
    twin = _without_memory(model)
    was_training = twin.training
    twin.eval()
    layers: list[LayerCost] = []

    def counted(name: str, module: nn.Module) -> Any:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            weight = module.weight
            assert isinstance(weight, Tensor)
            if isinstance(module, nn.Linear):
                rows = output.numel() // output.shape[-1]
                true = published = weight.numel() * rows
            else:
                published = weight.numel() * output.shape[-2] * output.shape[-1]
                transposed = isinstance(module, nn.ConvTranspose2d)
                true = weight.numel() * inputs[0].shape[-2] * inputs[0].shape[-1] if transposed else published
            layers.append(LayerCost(name, type(module).__name__, true, published, output.numel()))

        return hook

    handles = [
        module.register_forward_hook(counted(name, module))
        for name, module in twin.named_modules()
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)
    ]
    norms = [module for module in twin.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:  # they change no shape and are not counted, but on this device they would take most of the time
        norm.forward = _pass_through  # type: ignore[method-assign, assignment]
    try:
        with torch.no_grad(), _Shapes():
            images = torch.empty(1, 3, *input_size, device="meta")
            getattr(twin, "profile_forward", twin)(images)
    finally:
        for handle in handles:
            handle.remove()
        for norm in norms:
            del norm.forward
        twin.train(was_training)
    rule = sum(layer.macs_published_rule for layer in layers)
    return Profile(
        params=sum(p.numel() for p in model.parameters()),
        macs=sum(layer.macs for layer in layers),
        macs_as_published=rule / 2**30,
        macs_published_rule=rule,
        activations=sum(layer.activations for layer in layers),
        input_size=(int(input_size[0]), int(input_size[1])),
        layers=tuple(layers),
    )


class WithoutMemory(TorchFunctionMode):
    """While it is active, networks are built on the meta device and their initial values are not drawn: for counting alone."""

    _DRAWS = frozenset(
        {Tensor.normal_, Tensor.uniform_, Tensor.zero_, Tensor.fill_, Tensor.bernoulli_}
        | {call for name, call in vars(nn.init).items() if name.endswith("_") and not name.startswith("_")}
    )

    def __enter__(self) -> WithoutMemory:
        self._device: Any = torch.device("meta")
        self._device.__enter__()
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)  # type: ignore[no-untyped-call]
        self._device.__exit__(*raised)

    def __torch_function__(self, function: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        if function in self._DRAWS:
            drawn = arguments[0] if arguments else (options or {})["tensor"]
            if drawn.is_meta:
                return drawn
        return function(*arguments, **(options or {}))


class _Shapes(TorchFunctionMode):
    """Answers interpolation by its shape alone: on the meta device it is taken apart into dozens of steps."""

    def __torch_function__(self, function: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        options = options or {}
        if function is functional.interpolate:
            x, size, factor = arguments[0], options.get("size"), options.get("scale_factor")
            if size is None:
                factors = factor if isinstance(factor, tuple | list) else (factor, factor)
                size = [int(side * by) for side, by in zip(x.shape[-2:], factors, strict=True)]
            sides = (size, size) if isinstance(size, int) else tuple(size)
            return x.new_empty((*x.shape[:2], *sides))
        return function(*arguments, **options)


def _without_memory(model: nn.Module) -> nn.Module:
    """A copy on the meta device that never copies a weight; the model itself where it is there already."""
    if all(p.is_meta for p in model.parameters()) and all(b.is_meta for b in model.buffers()):
        return model
    memo: dict[int, Any] = {
        id(p): nn.Parameter(torch.empty_like(p, device="meta"), requires_grad=False) for p in model.parameters()
    }
    memo |= {id(b): torch.empty_like(b, device="meta") for b in model.buffers()}
    return copy.deepcopy(model, memo)


def _pass_through(x: Tensor) -> Tensor:
    return x


class _CallableModule(ModuleType):
    """``hrnet.profile`` is this file and, by the package's interface, the function: calling the one calls the other.

    Python binds a submodule to its package under its name, so which of the two a caller sees depends on what was imported
    before.
    """

    def __call__(self, model: nn.Module, input_size: tuple[int, int]) -> Profile:
        return profile(model, input_size)


sys.modules[__name__].__class__ = _CallableModule
