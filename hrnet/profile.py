"""What a network costs: parameters, multiply-adds by layer (true, and as the papers count), activations."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from operator import index
from types import ModuleType

import torch
from torch import nn

from hrnet.without_memory import COUNTED, Sizes, evaluating, parameters, shapes_alone, twin_without_memory


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

    Raises:
        ValueError: the size is not two positive whole numbers.
    """
    height, width = _size_hw(input_size)
    twin = twin_without_memory(model)
    modules = {module: name for name, module in twin.named_modules()}
    weights: dict[nn.Module, int] = {
        layer: math.prod(layer.weight.shape) for layer in modules if isinstance(layer, COUNTED)
    }
    layers: list[LayerCost] = []

    def report(layer: nn.Module, x: Sizes, output: Sizes) -> None:
        outputs = math.prod(output)
        if isinstance(layer, nn.Linear):
            true = published = weights[layer] * (outputs // output[-1])
        else:
            true = published = weights[layer] * output[-2] * output[-1]
            if isinstance(layer, nn.ConvTranspose2d):
                true = weights[layer] * x[-2] * x[-1]
        layers.append(LayerCost(modules[layer], type(layer).__name__, true, published, outputs))

    with evaluating(modules), shapes_alone(modules, report):
        images = torch.empty(1, 3, height, width, device="meta")
        getattr(twin, "profile_forward", twin)(images)
    rule = sum(layer.macs_published_rule for layer in layers)
    return Profile(
        params=sum(math.prod(p.shape) for p in parameters(modules)),
        macs=sum(layer.macs for layer in layers),
        macs_as_published=rule / 2**30,
        macs_published_rule=rule,
        activations=sum(layer.activations for layer in layers),
        input_size=(height, width),
        layers=tuple(layers),
    )


def _size_hw(input_size: tuple[int, int]) -> tuple[int, int]:
    try:
        height, width = (index(side) for side in input_size)
    except (TypeError, ValueError):
        height = width = 0
    if min(height, width) < 1:
        raise ValueError(f"Expected input_size as height and width in pixels, such as (256, 192), got {input_size!r}")
    return height, width


class _CallableModule(ModuleType):
    """``hrnet.profile`` is this file and, by the package's interface, the function: calling the one calls the other.

    Python binds a submodule to its package under its name, so which of the two a caller sees depends on what was imported
    before.
    """

    def __call__(self, model: nn.Module, input_size: tuple[int, int]) -> Profile:
        return profile(model, input_size)


sys.modules[__name__].__class__ = _CallableModule
