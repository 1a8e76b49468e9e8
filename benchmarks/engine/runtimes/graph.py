"""What of a network is exported: the call that maps pictures to maps, as a module of its own with a flat list of outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tasks.model import TaskModel

GRID = 32
"""Sides of pictures are multiples of this where an exported network takes any size."""


class Graph(nn.Module):
    """forward(images (B, 3, H, W), float32, normalised) -> one tensor, or a tuple of them.

    Of most tasks it is the whole network; of a detector the body with its pyramid (its proposals and heads depend on values, and
    stay in PyTorch); of a stacked hourglass the maps of every stack.

    Attributes:
        owner, name: the module and the method of the network that it stands for.
        single: whether that method answers one tensor; else a list. Known after a first call.
    """

    def __init__(self, network: TaskModel) -> None:
        super().__init__()
        self.owner, self.name = network.reduced_calls()[0]
        self.single = True

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        found = getattr(type(self.owner), self.name)(
            self.owner, images
        )  # past what a context may have put in its place
        self.single = isinstance(found, Tensor)
        return found if isinstance(found, Tensor) else tuple(found)

    def answer(self, outputs: Sequence[Tensor]) -> Tensor | list[Tensor]:
        """A runtime's outputs in the form of the method's answer."""
        return outputs[0] if self.single else list(outputs)


def graph_of(network: nn.Module) -> Graph:
    """The exported part of a task's network, in eval mode.

    Raises:
        ValueError: the network is none of :func:`tasks.build_model`.
    """
    if not isinstance(network, TaskModel):
        raise ValueError(f"Expected a network of tasks.build_model to export, got a {type(network).__name__}.")
    return Graph(network).eval()


def dynamic_shapes(any_size: bool) -> tuple[dict[int, Any]]:
    """Shapes for ``torch.export``: any batch; any height and width that are multiples of `GRID`, or one size."""
    shapes: dict[int, Any] = {0: torch.export.Dim("batch")}
    if any_size:
        shapes |= {axis: GRID * torch.export.Dim(name, min=1, max=512) for axis, name in ((2, "rows"), (3, "columns"))}
    return (shapes,)


def example(size_hw: tuple[int, int], batch: int = 2, seed: int = 0) -> Tensor:
    """Normalised noise of a size: (batch, 3, H, W)."""
    return torch.randn(batch, 3, *size_hw, generator=torch.Generator().manual_seed(seed))


def on_grid(size_hw: tuple[int, int]) -> bool:
    """Whether both sides are multiples of `GRID`."""
    return not any(side % GRID for side in size_hw)
