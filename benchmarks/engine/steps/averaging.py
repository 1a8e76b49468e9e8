"""An exponential moving average of the weights, kept beside the network that is trained."""

from __future__ import annotations

import benchmarks.engine.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class AverageHook(Hook):
    """After every step: average = decay * average + (1 - decay) * weights; buffers (statistics of normalisation) are copied.

    The first step's weights are the average's beginning.
    """

    priority = "NORMAL"

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = network
        self.blend = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        self.averaged = AveragedModel(network, multi_avg_fn=self.blend)

    @torch.no_grad()
    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """PyTorch's own `update_parameters`, which copies the number of steps to an accelerator at each and waits for it."""
        average, count = self.averaged, self.averaged.n_averaged  # the count is in main memory
        own: list[Tensor] = list(average.module.parameters())
        new: list[Tensor] = list(self.network.parameters())
        if count:
            self.blend(own, new, count)
        else:
            torch._foreach_copy_(own, new)
        for mine, other in zip(average.module.buffers(), self.network.buffers(), strict=True):
            mine.copy_(other)
        count += 1

    @property
    def result(self) -> nn.Module:
        """The averaged network."""
        return self.averaged.module

    def resumed(self, runner: Runner) -> None:
        """Nothing follows from a state that was taken up."""

    def state_dict(self) -> dict[str, Any]:
        return dict(self.averaged.state_dict())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.averaged.load_state_dict(state)
