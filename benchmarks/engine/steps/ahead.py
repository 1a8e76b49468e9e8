"""Predicting ahead: while one batch's results are read from an accelerator and scored, the next one's kernels are launched."""

from __future__ import annotations

import benchmarks.engine.first_import  # noqa: F401  before mmengine's own import of yapf

# isort: split
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from mmengine.runner.loops import TestLoop


def stepped(step: Callable[[Any], Any], batches: Iterable[Any], ahead: int = 1) -> Iterator[tuple[Any, Any]]:
    """Pairs of a batch and what ``step`` makes of it, in order, with up to ``ahead`` further batches under way in threads.

    An accelerator takes the kernels of all threads one after the other; reading results waits without holding the others up.
    """
    devices = (torch.cuda.current_device(),) if torch.cuda.is_available() else ()
    with ThreadPoolExecutor(ahead + 1, initializer=_begin, initargs=devices) as threads:
        waiting: deque[tuple[Any, Future[Any]]] = deque()
        for batch in batches:
            waiting.append((batch, threads.submit(step, batch)))
            if len(waiting) > ahead:
                first, future = waiting.popleft()
                yield first, future.result()
        for rest, future in waiting:
            yield rest, future.result()


def _begin(*devices: int) -> None:
    """In a new thread: "cuda" means the device of the thread that began it."""
    for device in devices:
        torch.cuda.set_device(device)


class AheadLoop(TestLoop):
    """mmengine's loop of an evaluation, whose steps are taken ahead."""

    def run(self) -> dict[str, Any]:
        runner = self.runner
        runner.call_hook("before_test")
        runner.call_hook("before_test_epoch")
        runner.model.eval()
        for index, (batch, outputs) in enumerate(stepped(runner.model.test_step, self._watched())):
            self.evaluator.process(data_samples=outputs, data_batch=batch)
            runner.call_hook("after_test_iter", batch_idx=index, data_batch=batch, outputs=outputs)
        metrics: dict[str, Any] = self.evaluator.evaluate(len(self.dataloader.dataset))
        runner.call_hook("after_test_epoch", metrics=metrics)
        runner.call_hook("after_test")
        return metrics

    def _watched(self) -> Iterator[Any]:
        for index, batch in enumerate(self.dataloader):
            self.runner.call_hook("before_test_iter", batch_idx=index, data_batch=batch)
            yield batch
