"""Activation checkpointing: parts of a body keep no activations and are run again in the backward pass.

The gradients are the same bits, and so are the statistics of normalisation: running a part again moves none.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from hrnet.traits import Recomputable


@contextmanager
def recomputed(network: nn.Module, active: bool) -> Iterator[None]:
    """While it is open, the parts that a body names in ``recomputable()`` keep no activations in training.

    Raises:
        ValueError: the network's body names no such parts.
    """
    if not active:
        yield
        return
    parts = [part for module in network.modules() if isinstance(module, Recomputable) for part in module.recomputable()]
    if not parts:
        raise ValueError(
            "Expected a body whose parts can be run again (HRNet) for recipe.checkpoint_activations, got "
            f"{type(getattr(network, 'body', network)).__name__}; leave it out."
        )
    for part in parts:
        part.forward = _again(part)
    try:
        yield
    finally:
        for part in parts:
            del part.forward  # the class's own method shows again


def _again(part: nn.Module) -> Callable[..., Any]:
    forward = part.forward
    normalisations = [module for module in part.modules() if isinstance(module, _BatchNorm)]

    @functools.wraps(forward)
    def wrapped(*arguments: Any) -> Any:
        if not (part.training and torch.is_grad_enabled()):
            return forward(*arguments)
        return checkpoint(
            forward,
            *arguments,
            use_reentrant=False,
            context_fn=lambda: (nullcontext(), _statistics_kept(normalisations)),
        )

    return wrapped


@contextmanager
def _statistics_kept(normalisations: list[_BatchNorm]) -> Iterator[None]:
    held = [(module, module.momentum, module.num_batches_tracked) for module in normalisations]
    for module, _, count in held:
        module.momentum = 0.0
        module.num_batches_tracked = None if count is None else count.clone()
    try:
        yield
    finally:
        for module, momentum, count in held:
            module.momentum, module.num_batches_tracked = momentum, count
