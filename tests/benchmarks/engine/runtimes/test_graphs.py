"""CUDA graphs as far as a CPU can show them: what is recorded, replayed, copied and refused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmarks.engine.runtimes import execution, graphs
from benchmarks.engine.runtimes.graphs import Recorded, Recording
from benchmarks.experiment.cell import make_cell, with_runtime
from tasks.heatmaps.flip import flip_test


def recorder(shapes: list[tuple[int, ...]]) -> Callable[[Callable[[Tensor], Any], Tensor], Recording]:
    """Records as a graph does: a replay computes from the same memory, and writes its answer over the last."""

    def made(call: Callable[[Tensor], Any], images: Tensor, pool: Any) -> Recording:
        assert pool == ("memory" if shapes else None)  # the first recording's
        shapes.append(tuple(images.shape))
        given = images.clone()
        answer = call(given)

        def replay() -> None:
            for held, fresh in zip(answer, call(given), strict=True):
                held.copy_(fresh)

        return Recording(given, replay, answer, "memory")

    return made


def halves(images: Tensor) -> list[Tensor]:
    return [images * 2, images.sum((1, 2, 3))]


def test_answers_are_the_calls_and_outlive_the_next_one() -> None:
    shapes: list[tuple[int, ...]] = []
    replayed = Recorded(halves, recorder(shapes))
    one, other = torch.randn(1, 3, 4, 6), torch.randn(1, 3, 4, 6)
    first, second = replayed(one), replayed(other)
    for found, images in ((first, one), (second, other)):
        assert all(torch.equal(a, b) for a, b in zip(found, halves(images), strict=True))
    replayed(torch.randn(2, 3, 4, 6))
    assert shapes == [(1, 3, 4, 6), (2, 3, 4, 6)]


def test_a_flip_test_is_the_eager_one() -> None:
    def network(images: Tensor) -> Tensor:
        return images.cumsum(-1)

    replayed = Recorded(lambda images: [network(images)], recorder([]))
    images = torch.randn(2, 3, 4, 6)
    merged = [
        flip_test(call(images), call, images, [(0, 1)], shift=True) for call in (network, lambda x: replayed(x)[0])
    ]
    assert torch.equal(*merged)


def test_inputs_of_ever_new_shapes_run_eagerly_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "MOST_SHAPES", 2)
    shapes: list[tuple[int, ...]] = []
    replayed = Recorded(halves, recorder(shapes))
    for side in (4, 5, 6, 7):
        images = torch.randn(1, 3, side, 4)
        assert torch.equal(replayed(images)[0], images * 2)
    assert len(shapes) == 2


def test_a_recording_follows_warm_ups_on_another_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []

    class Stream:
        def __init__(self, name: str = "side") -> None:
            self.name = name

        def wait_stream(self, other: Stream) -> None:
            events.append(f"{self.name} waits for {other.name}")

    @contextmanager
    def within(what: Any, pool: Any = None, capture_error_mode: str = "") -> Any:
        events.append(f"in {what.name}{capture_error_mode and ', ' + capture_error_mode}")
        yield
        events.append(f"out of {what.name}")

    fake = SimpleNamespace(
        current_stream=lambda: Stream("main"),
        Stream=Stream,
        stream=within,
        graph=within,
        device=lambda device: nullcontext(),
        CUDAGraph=lambda: SimpleNamespace(name="graph", replay=lambda: events.append("replay"), pool=lambda: "memory"),
    )
    monkeypatch.setattr(torch, "cuda", fake)
    images = torch.randn(1, 3, 4, 4)
    made = graphs.record(lambda given: events.append("call") or given + 1, images)
    made.replay()
    assert events == [
        *("side waits for main", "in side", "call", "call", "call", "out of side", "main waits for side"),
        *("in graph, thread_local", "call", "out of graph", "replay"),
    ]
    assert made.pool == "memory" and torch.equal(made.answer, images + 1) and made.given is not images


def test_it_is_a_runtime_that_a_cpu_refuses() -> None:
    cell = with_runtime(make_cell("pose", "coco", "hrnet_micro_w8"), "graphs")
    assert cell.runtime == "graphs" and "graphs" in execution.RUNTIMES
    with (
        pytest.raises(ValueError, match="--runtime graphs: expected a CUDA device, got a CPU"),
        execution.executed(torch.nn.Identity(), "graphs", "fp32", torch.device("cpu")),
    ):
        pass
