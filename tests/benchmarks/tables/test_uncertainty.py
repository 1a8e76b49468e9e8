"""Draws resample whole images, pairs share them, and the intervals cover what they should."""

from __future__ import annotations

import inspect
import time
from collections.abc import Mapping

import numpy as np
import pytest

from benchmarks.tables import uncertainty


def mean_figures(values: np.ndarray) -> uncertainty.Figures:
    def figures(counts: np.ndarray | None) -> Mapping[str, float]:
        weights = np.ones(len(values)) if counts is None else counts
        return {"mean": float((values * weights).sum() / weights.sum())}

    return figures


def test_rows_of_one_image_are_drawn_together() -> None:
    images = np.array(["b", "a", "b", "c", "a"])
    counts = uncertainty.image_counts(images, 50)
    assert counts.shape == (50, 5)
    assert (counts[:, 0] == counts[:, 2]).all() and (counts[:, 1] == counts[:, 4]).all()
    assert (counts[:, [0, 1, 3]].sum(1) == 3).all()


def test_order_of_rows_does_not_change_the_draws() -> None:
    images = np.array([f"i{k}" for k in range(20)])
    order = np.random.default_rng(1).permutation(20)
    np.testing.assert_array_equal(
        uncertainty.image_counts(images, 10)[:, order], uncertainty.image_counts(images[order], 10)
    )


def interval_of(figures: uncertainty.Figures, images: np.ndarray, draws: int) -> tuple[float, float]:
    drawn = uncertainty.draw(figures, uncertainty.image_counts(images, draws), ["mean"])["mean"]
    return uncertainty.interval(figures, images, "mean", drawn)


def test_interval_of_a_mean_has_its_standard_error() -> None:
    values = np.random.default_rng(0).normal(size=400)
    low, high = interval_of(mean_figures(values), np.arange(400), 2000)
    error = values.std() / 20
    assert (high - low) / (2 * 1.96 * error) == pytest.approx(1, abs=0.06)
    assert low < values.mean() < high


def test_clustering_widens_the_interval() -> None:
    generator = np.random.default_rng(0)
    values = np.repeat(generator.normal(size=60), 5)
    figures = mean_figures(values)

    def width(images: np.ndarray) -> float:
        low, high = interval_of(figures, images, 500)
        return high - low

    assert width(np.repeat(np.arange(60), 5)) > 1.8 * width(np.arange(300))


def test_a_cell_against_itself_is_zero() -> None:
    values, images = np.random.default_rng(0).normal(size=50), np.arange(50)
    [same] = uncertainty.paired(mean_figures(values), mean_figures(values), images, images, ["mean", "absent"], 200)
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)


def test_a_loss_is_significant_and_noise_is_not() -> None:
    generator = np.random.default_rng(0)
    values, images = generator.normal(size=200), np.arange(200)
    worse = values - 0.3 + 0.1 * generator.normal(size=200)
    [loss] = uncertainty.paired(mean_figures(values), mean_figures(worse), images, images, ["mean"], 500)
    assert loss.high < 0 and loss.p < 0.01 and loss.value == pytest.approx(-0.3, abs=0.05)
    [noise] = uncertainty.paired(
        mean_figures(values), mean_figures(values + generator.normal(size=200) * 0.1), images, images, ["mean"], 500
    )
    assert noise.low < 0 < noise.high and noise.p > 0.05


def test_other_images_are_refused() -> None:
    figures = mean_figures(np.ones(3))
    with pytest.raises(ValueError, match="same images"):
        uncertainty.paired(figures, figures, np.arange(3), np.arange(1, 4), ["mean"])


def test_holm_by_hand() -> None:
    assert uncertainty.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert uncertainty.holm([0.9, 0.9]) == [1.0, 1.0] and uncertainty.holm([]) == []


def test_seeds() -> None:
    mean, spread = uncertainty.over_seeds([1.0, 2.0, 3.0])
    assert (mean, spread.sd, spread.n) == (2.0, 1.0, 3)
    assert uncertainty.over_seeds([5.0])[1].sd is None
    with pytest.raises(ValueError, match="at least one"):
        uncertainty.over_seeds([])


def test_undefined_draws_are_left_out() -> None:
    figures = mean_figures(np.ones(4))
    assert uncertainty.interval(figures, np.arange(4), "mean", np.array([np.nan, 1.0, 1.0])) == (1.0, 1.0)
    assert np.isnan(uncertainty.interval(figures, np.arange(4), "mean", np.array([np.nan]))).all()


def test_one_image_says_nothing_of_others() -> None:
    [found] = uncertainty.paired(
        mean_figures(np.array([1.0])), mean_figures(np.array([9.0])), np.zeros(1), np.zeros(1), ["mean"], 20
    )
    assert found.value == 8.0 and np.isnan([found.p, found.low, found.high]).all()


@pytest.mark.parametrize("count", [2, 5, 20])
def test_equal_models_are_called_different_at_five_percent(count: int) -> None:
    generator = np.random.default_rng(count)
    alarms, repeats = 0, 400
    for trial in range(repeats):
        one, other = generator.normal(size=(2, count))
        images = np.arange(count) + 1000 * trial
        [found] = uncertainty.paired(mean_figures(one), mean_figures(other), images, images, ["mean"], 100)
        alarms += found.p < 0.05
    assert alarms / repeats == pytest.approx(0.05, abs=0.035)


def match_lists(images: int, per_image: int, classes: int) -> dict[str, np.ndarray]:
    """Random match lists in the form of `tasks.coco.matches.extract`, for the area range "all"."""
    generator = np.random.default_rng(0)
    count = images * per_image
    return {
        "image": np.array([str(k) for k in range(images)]),
        "category": np.arange(classes),
        "all_start": np.arange(0, count + 1, per_image),
        "all_score": generator.random(count),
        "all_class": generator.integers(0, classes, count).astype(np.int16),
        "all_rank": np.tile(np.arange(per_image), images).astype(np.int16),
        "all_matched": generator.integers(0, 1024, count).astype(np.uint16),
        "all_ignored": np.zeros(count, np.uint16),
        "all_truths": generator.integers(per_image // classes, per_image + 1, (images, classes)).astype(np.int32),
    }


def test_a_thousand_draws_of_average_precision_take_seconds() -> None:
    from tasks import get_task

    for name, stats in (("pose", match_lists(200, 10, 1)), ("detection", match_lists(200, 60, 6))):
        task = get_task(name)
        counts = uncertainty.image_counts(stats["image"], 1000)
        figures = uncertainty.figures_of(name, "coco", stats, {}, ("AP",))
        assert set(figures(None)) == {"AP"}  # the others would be made in every draw
        start = time.process_time()
        drawn = uncertainty.draw(figures, counts, ["AP"])["AP"]
        assert time.process_time() - start < 10
        low, high = np.quantile(drawn, [0.025, 0.975])
        assert low - 0.5 < task.figures("coco", stats, {}, wanted=("AP",))["AP"] < high + 0.5
        # A draw is what the repeated images themselves would give.
        repeated = {key: value for key, value in stats.items() if not key.startswith("all_")}
        picked = np.repeat(np.arange(200), counts[0])
        per_image = int(stats["all_start"][1])
        detections = (picked[:, None] * per_image + np.arange(per_image)).ravel()
        for key in ("score", "class", "rank", "matched", "ignored"):
            repeated[f"all_{key}"] = stats[f"all_{key}"][detections]
        repeated["all_start"], repeated["all_truths"] = stats["all_start"], stats["all_truths"][picked]
        whole = task.figures("coco", repeated, {}, wanted=("AP",))["AP"]
        assert whole == pytest.approx(drawn[0], rel=2e-3)


def test_tasks_that_can_leave_out_figures_are_asked_to() -> None:
    from tasks import get_task, task_names

    for name in task_names():
        task = get_task(name)
        assert task.figures_by_name == ("wanted" in inspect.signature(task.figures).parameters), name
