"""Estimates come from measured cells: the same one, or the network's seconds per sample."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_up import Runs, make

from benchmarks.experiment.cell import evaluation_of
from benchmarks.running.estimates import PREPARED_S, Estimate, History
from tasks.recipe import Recipe


def test_seconds_come_from_the_nearest_that_was_measured(runs: Runs) -> None:
    measured = make(tier="full")
    runs.finish(
        measured,
        trained_on={"split": "train", "samples": 1000},
        n={"images": 100, "samples": 100},
        durations_s={"train": 500.0, "evaluate": 20.0, "total": 530.0},
        curves={
            "training": [{"epoch": 1, "lr": 0.1, "loss": 1.0}, {"epoch": 2, "lr": 0.1, "loss": 1.0}],
            "evaluation": {},
        },
    )
    history = History.of(runs.store.all())
    assert history.estimate(replace(measured, seed=1)) == Estimate(530.0, "measured")
    assert measured.recipe is not None
    # 0.25 s a sample and epoch: 1000 samples, 10 epochs, and 100 samples to evaluate at 0.2 s
    longer = replace(measured, dataset="lane", recipe=replace(measured.recipe, epochs=10))
    history.trained["people", "lane", "full"], history.evaluated["people", "lane", "full"] = 1000, 100
    assert history.estimate(longer) == Estimate(pytest.approx(2520.0), "per sample")  # type: ignore[arg-type]
    assert history.estimate(replace(longer, recipe=None, checkpoint="w.pth")) == Estimate(
        pytest.approx(20.0), "per sample"
    )  # type: ignore[arg-type]
    assert history.estimate(replace(longer, model="other")).basis == "guess"
    assert history.estimate(replace(longer, dataset="nowhere")).basis == "guess"


def test_an_evaluation_is_no_estimate_of_a_training(runs: Runs) -> None:
    trained = make(tier="full")
    evaluated = replace(trained, recipe=None, checkpoint="w.pth")
    runs.finish(evaluated, durations_s={"evaluate": 3.0, "total": 4.0})
    history = History.of(runs.store.all())
    assert history.estimate(evaluated) == Estimate(4.0, "measured")
    assert history.estimate(trained).basis == "guess" and isinstance(trained.recipe, Recipe)


def test_an_evaluation_of_trained_weights_takes_what_the_training_does_not(runs: Runs) -> None:
    trained = make(tier="full")
    again = evaluation_of(trained)
    runs.finish(
        trained,
        trained_on={"split": "train", "samples": 1000},
        n={"images": 100, "samples": 100},
        durations_s={"open_train_data": 1.0, "train": 500.0, "evaluate": 3.0, "total": 506.0},
    )
    history = History.of(runs.store.all())
    assert history.estimate(again) == Estimate(5.0, "measured")
    exported = replace(again, runtime="openvino")
    assert history.estimate(exported).seconds == 5.0 + PREPARED_S["openvino"]
    runs.finish(exported, durations_s={"evaluate": 15.0, "total": 18.0})
    history = History.of(runs.store.all())
    assert history.estimate(replace(exported, precision="bf16")) == Estimate(18.0, "measured")
    assert history.estimate(again).seconds == 5.0 and history.estimate(trained).seconds == 506.0


def test_a_sample_of_one_dataset_is_no_sample_of_another(runs: Runs) -> None:
    """Ten videos take longer than a thousand people: people of the same network are estimated by people."""
    people, videos = make(tier="smoke"), replace(make(tier="full"), dataset="lane")
    for cell, samples, spent_s in ((people, 1000, 10.0), (videos, 10, 12.0)):
        durations_s = {"train": 0.0, "evaluate": spent_s, "total": spent_s}
        runs.finish(cell, n={"images": samples, "samples": samples}, durations_s=durations_s)
    history = History.of(runs.store.all())
    history.evaluated[people.task, people.dataset, "full"] = 2000
    asked = replace(people, tier="full", recipe=None, checkpoint="w.pth")
    assert history.estimate(asked) == Estimate(pytest.approx(20.0), "per sample")  # type: ignore[arg-type]
