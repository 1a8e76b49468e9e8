"""An exponential moving average of the weights, kept beside the network that is trained."""

from __future__ import annotations

import benchmarks.engine.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class AverageHook(Hook):
    """After every step: average = decay * average + (1 - decay) * weights; buffers (statistics of normalisation) are copied.

    The first step's weights are the average's beginning.
    """

    priority = "NORMAL"

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = network
        self.averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay))  # type: ignore[no-untyped-call]

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self.averaged.update_parameters(self.network)

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
