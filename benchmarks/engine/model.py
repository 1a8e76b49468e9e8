"""A task's network as mmengine drives it, and its training step."""

from __future__ import annotations

import benchmarks.engine.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.engine.steps.accumulation import step_in_parts
from benchmarks.engine.steps.moving import Mover
from tasks.base import Task
from tasks.recipe import Recipe


class HarnessModel(BaseModel):
    """A task's network as mmengine wants to drive it: ``mode="loss"`` or ``mode="predict"``.

    Args:
        values: what the bytes of a batch stand for; see `Mover`.

    Attributes:
        parts: into how many a training batch is split; doubled where an accelerator's memory is full.
        say: told once when it is.
    """

    def __init__(
        self,
        network: nn.Module,
        task: Task,
        recipe: Recipe | None,
        protocol: Any,
        values: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=Mover(values))
        self.network, self.task, self.recipe, self.protocol = network, task, recipe, protocol
        self.parts = 1 if recipe is None else recipe.accumulate
        self._stepped = False
        self.say: Callable[[str], None] = lambda text: None
        self.predict_s = 0.0
        self._until, self._lock = 0.0, threading.Lock()

    def forward(self, batch: dict[str, Any], mode: str = "tensor") -> Any:
        if isinstance(batch.get("images"), Tensor) and batch["images"].ndim == 4:
            batch["images"] = batch["images"].contiguous(memory_format=torch.channels_last)
        if mode == "loss":
            assert self.recipe is not None
            return self.task.loss(self.network, batch, self.recipe)
        start = time.perf_counter()
        with torch.inference_mode():
            predictions = self.task.predict(self.network, batch, self.protocol)
        with self._lock:  # steps that overlap count once
            end = time.perf_counter()
            self.predict_s += end - max(start, self._until)
            self._until = end
        return list(zip(_integers(batch["index"]), predictions, strict=True))

    def _run_forward(self, data: Any, mode: str) -> Any:
        return self(batch=data, mode=mode)

    def train_step(self, data: Any, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """One optimiser step; a batch that does not fit an accelerator is split, and stays so.

        Raises:
            ValueError: not even one sample fits.
        """
        before = None if self._stepped else [buffer.clone() for buffer in self.network.buffers()]
        while True:
            try:
                result = self._step(data, optim_wrapper)
                self._stepped = True
                return result
            except torch.cuda.OutOfMemoryError as error:
                samples = len(data["images"])
                if self.parts >= samples:
                    raise ValueError(
                        f"A training step does not fit the accelerator's memory, not even in {samples} parts of one sample. Try "
                        "--set recipe.checkpoint_activations=true, --precision bf16 or a smaller recipe.input_wh."
                    ) from error
            self.parts = min(2 * self.parts, samples)
            if before is not None:  # statistics that the step had moved already: it is as if it had begun in parts
                with torch.no_grad():
                    for buffer, value in zip(self.network.buffers(), before, strict=True):
                        buffer.copy_(value)
            optim_wrapper.zero_grad()
            torch.cuda.empty_cache()
            self.say(
                f"batches went through the network in {self.parts} parts, since the accelerator's memory was full: statistics of "
                f"batch normalisation are of the parts; --set recipe.accumulate={self.parts} states it from the beginning"
            )

    def _step(self, data: Any, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        if self.parts > 1:
            return step_in_parts(self, self, data, optim_wrapper, self.parts)
        result: dict[str, Tensor] = super().train_step(data, optim_wrapper)
        return result

    def train(self, mode: bool = True) -> HarnessModel:
        super().train(mode)
        if mode and self.recipe is not None and self.recipe.batch_norm == "frozen":
            for module in self.network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self


def _integers(indices: Any) -> list[int]:
    return [int(i) for i in (indices.tolist() if isinstance(indices, Tensor) else indices)]
