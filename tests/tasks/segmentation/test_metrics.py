"""Confusion matrices against independent counting, pooling and merging, and errors that name the cause."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.segmentation.metrics import (
    confusion_matrix,
    figures_from_confusion,
    figures_from_stats,
    image_scores,
    label_map_confusion,
    stats_of,
)

NAMES = [f"c{i}" for i in range(19)]


def maps(seed: int, block: int, count: int = 4, shape: tuple[int, int] = (48, 80)) -> tuple[list, list]:
    """Label maps and predictions made of squares of ``block`` px; 1 px is noise."""
    rng = np.random.default_rng(seed)

    def one(values: list[int]) -> np.ndarray:
        small = rng.choice(values, (-(-shape[0] // block), -(-shape[1] // block)))
        return np.kron(small, np.ones((block, block), np.int64))[: shape[0], : shape[1]].astype(np.uint8)

    return [one([*range(19), 255]) for _ in range(count)], [one([*range(19)]) for _ in range(count)]


def counted(label: np.ndarray, prediction: np.ndarray, classes: int) -> np.ndarray:
    matrix = np.zeros((classes, classes), np.int64)
    for truth, found in zip(label.ravel(), prediction.ravel(), strict=True):
        if truth != 255:
            matrix[truth, found] += 1
    return matrix


@pytest.mark.parametrize("block", [1, 5, 48])
def test_matrix_equals_counting_pixel_by_pixel(block: int) -> None:
    labels, predictions = maps(1, block, count=1)
    assert (confusion_matrix(labels[0], predictions[0], 19) == counted(labels[0], predictions[0], 19)).all()


def test_runs_and_pixels_count_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, predictions = maps(2, 6)
    by_runs = label_map_confusion(labels, predictions, 19)
    monkeypatch.setattr("tasks.segmentation.metrics.RUNS_SHARE", 10**9)
    assert (by_runs == label_map_confusion(labels, predictions, 19)).all()


def test_empty_and_unlabelled_maps() -> None:
    nothing = np.zeros((0, 4), np.uint8)
    assert confusion_matrix(nothing, nothing, 19).sum() == 0
    ignored = np.full((3, 4), 255, np.uint8)
    assert confusion_matrix(ignored, np.zeros((3, 4), np.uint8), 19).sum() == 0
    assert all(np.isnan(v) for v in figures_from_confusion(np.zeros((19, 19), np.int64), NAMES).values())


def test_perfect_prediction_is_100_and_absent_classes_count_zero() -> None:
    label = np.repeat(np.arange(10, dtype=np.uint8), 8).reshape(8, 10)
    figures = figures_from_confusion(confusion_matrix(label, label, 19), NAMES)
    assert figures["mIoU"] == pytest.approx(100 * 10 / 19)
    assert figures["avg_acc"] == pytest.approx(100 * 10 / 19)
    assert figures["mIoU/present"] == figures["pixel_acc"] == 100
    assert figures["absent"] == 9 and np.isnan(figures["IoU/c12"])


def test_figures_follow_from_pooled_pixels_not_from_image_means() -> None:
    # One image right with 10 pixels, one wrong with 90: pooled accuracy is 10 %, the mean of images would be 50 %.
    matrices = np.zeros((2, 2, 2), np.int64)
    matrices[0, 0, 0], matrices[1, 1, 0] = 10, 90
    figures = figures_from_confusion(matrices, ["a", "b"])
    assert figures["pixel_acc"] == pytest.approx(10)
    assert figures["mIoU"] == pytest.approx(100 * (10 / 100 + 0) / 2)


def test_merged_shards_equal_the_whole_and_counts_repeat_images() -> None:
    labels, predictions = maps(3, 4, count=6)
    matrices = label_map_confusion(labels, predictions, 19)
    ids = [f"i{k}" for k in range(6)]
    whole = stats_of(ids, matrices)
    shards = [stats_of(ids[k::2], matrices[k::2]) for k in range(2)]
    merged = {key: np.concatenate([shard[key] for shard in shards]) for key in whole}
    assert figures_from_stats(merged, NAMES) == figures_from_stats(whole, NAMES)
    counts = np.array([2, 0, 1, 0, 3, 0])
    repeated = figures_from_confusion(np.repeat(matrices, counts, axis=0), NAMES)
    assert figures_from_stats(whole, NAMES, counts) == repeated


def test_image_scores_rank_and_skip_unlabelled_images() -> None:
    label = np.zeros((4, 4), np.uint8)
    half = label.copy()
    half[:2] = 1
    stats = stats_of(
        ["a", "b", "c"], label_map_confusion([label, label, np.full_like(label, 255)], [label, half, half], 19)
    )
    scores = image_scores(stats)
    assert scores[0] == 1 and scores[1] == pytest.approx(0.25) and np.isnan(scores[2])


@pytest.mark.parametrize(
    ("label", "prediction", "classes", "message"),
    [
        (26, 0, 19, "label ids stand where train ids"),
        (59, 0, 59, "one class more: is there a background of 0"),
        (200, 0, 20, "belongs to another dataset"),
        (0, 19, 19, "expected predicted classes 0..18, got \\[19\\]"),
    ],
)
def test_ids_out_of_range_name_the_usual_cause(label: int, prediction: int, classes: int, message: str) -> None:
    truth, found = np.zeros((4, 6), np.uint8), np.zeros((4, 6), np.uint8)
    truth[1, 2], found[3, 3] = label, prediction
    with pytest.raises(ValueError, match=message):
        confusion_matrix(truth, found, classes, "frame 7")


def test_negative_labels_and_unequal_sizes_are_errors() -> None:
    with pytest.raises(ValueError, match="mark ignored pixels with 255"):
        confusion_matrix(np.full((2, 2), -1), np.zeros((2, 2), np.uint8), 19)
    with pytest.raises(ValueError, match="expected a prediction of the label's size 6x4, got 4x6"):
        confusion_matrix(np.zeros((4, 6), np.uint8), np.zeros((6, 4), np.uint8), 19)
