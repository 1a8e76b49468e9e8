"""Steps that are taken ahead: their order, how many are under way, and what fails among them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from noise_task import MeanTask, NoiseEval

from benchmarks.engine import loops as engine
from benchmarks.engine.steps.ahead import AheadLoop, stepped
from hrnet import build_backbone
from tasks.accelerator import taken_as_far


def test_results_come_in_order_while_the_next_step_is_under_way() -> None:
    begun = [threading.Event() for _ in range(5)]

    def step(number: int) -> int:
        begun[number].set()
        if number < 4:  # a step's result is not there before the next one has begun
            assert begun[number + 1].wait(30)
        return number * number

    assert list(stepped(step, range(5))) == [(n, n * n) for n in range(5)]


def test_no_more_batches_are_taken_than_steps_are_ahead() -> None:
    taken: list[int] = []

    def batches() -> Iterator[int]:
        for number in range(6):
            taken.append(number)
            yield number

    found = stepped(lambda number: number, batches(), ahead=1)
    assert next(found)[0] == 0 and taken == [0, 1]
    assert next(found)[0] == 1 and taken == [0, 1, 2]
    found.close()


def test_a_step_that_fails_fails_in_its_turn() -> None:
    def step(number: int) -> int:
        if number == 1:
            raise ValueError("the second")
        return number

    found = stepped(step, range(4))
    assert next(found) == (0, 0)
    with pytest.raises(ValueError, match="the second"):
        next(found)


def test_an_evaluation_beside_an_accelerator_is_taken_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[bool] = []
    run = AheadLoop.run
    monkeypatch.setattr(AheadLoop, "run", lambda self: ran.append(True) or run(self))
    engine.seed_everything(0)
    network = build_backbone("hrnet_micro_w8")
    options: Any = {"workspace": tmp_path, "report": lambda progress: None, "batch_size": 2}
    near, _ = engine.evaluate(network, MeanTask(), NoiseEval(), None, **options)
    assert not ran
    with taken_as_far():
        far, spent = engine.evaluate(network, MeanTask(), NoiseEval(), None, **options)
    assert ran and spent["eval_model"] > 0 and spent["eval_data"] > 0
    assert far.stats()["value"].tolist() == near.stats()["value"].tolist()
