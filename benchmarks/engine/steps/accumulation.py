"""Gradient accumulation: a batch goes through the network in parts, and one step follows from all of them."""

from __future__ import annotations

import benchmarks.engine.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
from contextlib import nullcontext
from typing import Any

from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from torch import Tensor


def step_in_parts(
    model: Any, inner: BaseModel, batch: dict[str, Any], wrapper: OptimWrapper, count: int
) -> dict[str, Tensor]:
    """One optimiser step over ``batch`` in ``count`` parts; each part's loss weighs as many samples as it has.

    Equal to the step over the whole batch where the loss is a mean over samples and no layer looks at other samples. Batch
    normalisation takes the statistics of each part; a loss that is a mean over the valid pixels or the sampled boxes of a batch
    becomes the mean of the parts' means, as with several processes.

    Args:
        model: `inner`, or the wrapper that shares it between processes.
    """
    batch = inner.data_preprocessor(batch, True)
    parts = split(batch, count)
    total = sum(size for size, _ in parts)
    logged: dict[str, Tensor] = {}
    for index, (size, part) in enumerate(parts):
        last = index == len(parts) - 1
        quiet = nullcontext() if last or not hasattr(model, "no_sync") else model.no_sync()
        with quiet:
            with wrapper.optim_context(model):
                losses = model._run_forward(part, mode="loss")
            loss, values = inner.parse_losses(losses)
            wrapper.backward(loss * (size / total))
        for name, value in values.items():
            share = value.detach() * (size / total)
            logged[name] = logged[name] + share if name in logged else share
    wrapper.step()
    wrapper.zero_grad()
    return logged


def split(batch: dict[str, Any], count: int) -> list[tuple[int, dict[str, Any]]]:
    """Parts of a batch with their numbers of samples; fewer than ``count`` where there are fewer samples."""
    total = len(batch["images"])
    count = min(count, total)
    bounds = [total * index // count for index in range(count + 1)]
    return [(end - begin, _part(batch, total, begin, end)) for begin, end in zip(bounds[:-1], bounds[1:], strict=True)]


def _part(value: Any, total: int, begin: int, end: int) -> Any:
    """The samples ``begin`` to ``end`` of whatever holds one entry per sample; anything else as it is."""
    if isinstance(value, dict):
        return {key: _part(inner, total, begin, end) for key, inner in value.items()}
    if isinstance(value, Tensor):
        return value[begin:end] if value.ndim and len(value) == total else value
    if isinstance(value, list | tuple) and len(value) == total:
        return value[begin:end]
    return value
