"""CUDA graphs: the kernels of a forward pass, recorded once for each shape of input and launched together.

At batch 1 an accelerator waits for a network of a thousand small kernels to be launched one by one. Source of the steps:
PyTorch's notes on CUDA semantics, "CUDA Graphs".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

MOST_SHAPES = 16
"""Shapes that are recorded; inputs of further ones run eagerly (pictures of a detector come in many)."""
WARM_UPS = 3


class Recording(NamedTuple):
    """``given`` is read by ``replay``, which writes ``answer``: a tensor, or a list, tuple or dictionary of them. ``pool`` is the
    memory in between."""

    given: Tensor
    replay: Callable[[], object]
    answer: Any
    pool: Any = None


def record(call: Callable[[Tensor], Any], images: Tensor, pool: Any = None) -> Recording:
    """Records a call on a CUDA device.

    Args:
        pool: memory of earlier recordings, which may be shared where answers are copied before the next replay.
    """
    given = images.clone()
    with torch.cuda.device(images.device):  # streams are of the current one
        here, side = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(here)
        with torch.cuda.stream(side):  # algorithms are chosen and workspaces made before the recording
            for _ in range(WARM_UPS):
                call(given)
        here.wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        # A loader's thread may pin memory meanwhile, which only another mode than the strictest lets pass.
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            answer = call(given)
    return Recording(given, graph.replay, answer, graph.pool())


class Recorded:
    """A forward pass that is recorded at the first call with a shape, and replayed at the next ones.

    Args:
        call: takes images (B, 3, H, W) on a CUDA device.
        recorder: makes a `Recording`; for tests.
    """

    def __init__(self, call: Callable[[Tensor], Any], recorder: Callable[..., Recording] = record) -> None:
        self.call, self.recorder, self.pool = call, recorder, None
        self.held: dict[tuple[Any, ...], Recording] = {}

    @torch.inference_mode()  # what is recorded within it is not written to outside
    def __call__(self, images: Tensor) -> Any:
        key = (tuple(images.shape), images.stride(), images.dtype)
        if key not in self.held:
            if len(self.held) >= MOST_SHAPES:
                return self.call(images)
            self.held[key] = self.recorder(self.call, images, self.pool)
            self.pool = self.held[key].pool
        held = self.held[key]
        held.given.copy_(images)
        held.replay()
        return _copied(held.answer)  # the next replay writes over it, and a flip test holds two answers


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    return type(value)(_copied(part) for part in value)
