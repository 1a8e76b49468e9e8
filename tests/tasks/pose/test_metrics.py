"""PCKh on the published predictions for the whole MPII validation set, and its invariants."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tasks.pose import metrics

SAMPLES = Path(os.environ.get("HRNET_SAMPLES", Path(__file__).parents[4] / "shared" / "samples"))


@pytest.fixture(scope="module")
def tompson() -> np.ndarray:
    """Errors of a real published prediction set (Tompson et al.) over all 2958 persons."""
    from scipy.io import loadmat

    from tasks.pose.files.mpii import read_truth

    folder = SAMPLES / "mpii_val2958"
    if not folder.is_dir():
        pytest.skip(f"no sample data at {folder}; set HRNET_SAMPLES")
    truth = read_truth(folder / "gt_valid.mat")
    predicted = loadmat(str(folder / "tompson_predictions.mat"))["pos_pred_src"].transpose(2, 0, 1)
    assert len(truth) == len(predicted) == 2958
    # Both files count from 1.
    return metrics.head_normalised_errors(predicted, truth.joints, truth.missing, truth.head_boxes)


def test_published_figures(tompson: np.ndarray) -> None:
    figures = metrics.pckh_hrnet(tompson)
    assert figures["Mean"] == pytest.approx(82.33672, abs=5e-6)
    assert figures["Mean@0.11"] == pytest.approx(33.13817, abs=5e-6)
    assert metrics.pckh_pytorch_pose(tompson) == pytest.approx(81.45844, abs=5e-6)


def test_published_joints(tompson: np.ndarray) -> None:
    rates = metrics.joint_rates(tompson)
    assert rates[0] == pytest.approx(65.2009, abs=5e-5)
    assert rates[15] == pytest.approx(77.0712, abs=5e-5)
    assert np.isnan(tompson).sum(0).tolist() == [843, 473, 69, 70, 480, 839, 80, 26, 26, 26, 30, 23, 14, 14, 26, 49]


def toy() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = rng.uniform(50, 400, (6, 16, 2))
    boxes = np.stack([truth[:, 9] - 30, truth[:, 9] + 30], 1)
    missing = (rng.random((6, 16)) < 0.2).astype(np.uint8)
    return truth + rng.normal(0, 12, truth.shape), truth, missing, boxes


def test_perfect_is_hundred_and_far_is_zero() -> None:
    _, truth, missing, boxes = toy()
    perfect = metrics.head_normalised_errors(truth, truth, missing, boxes)
    assert set(metrics.pckh_hrnet(perfect).values()) == {100.0}
    far = metrics.head_normalised_errors(truth + 1000, truth, missing, boxes)
    assert set(metrics.pckh_hrnet(far).values()) == {0.0}


def test_strict_and_inclusive_thresholds() -> None:
    truth = np.zeros((1, 16, 2))
    boxes = np.array([[[0.0, 0.0], [3.0, 4.0]]])  # diagonal 5, head size 3
    errors = metrics.head_normalised_errors(truth + np.array([1.5, 0.0]), truth, np.zeros((1, 16)), boxes)
    assert metrics.pckh_hrnet(errors)["Mean"] == 100
    assert metrics.pckh_pytorch_pose(errors) == 0


def test_rescaled_picture_changes_nothing() -> None:
    predicted, truth, missing, boxes = toy()
    one = metrics.head_normalised_errors(predicted, truth, missing, boxes)
    np.testing.assert_allclose(metrics.head_normalised_errors(3 * predicted, 3 * truth, missing, 3 * boxes), one)


def test_joint_that_never_occurs_is_left_out() -> None:
    predicted, truth, missing, boxes = toy()
    missing[:, 9] = 1
    figures = metrics.pckh_hrnet(metrics.head_normalised_errors(predicted, truth, missing, boxes))
    assert np.isnan(figures["Head"]) and np.isfinite(figures["Mean"])


def test_bad_shapes_and_boxes_are_refused() -> None:
    predicted, truth, missing, boxes = toy()
    with pytest.raises(ValueError, match="same split"):
        metrics.head_normalised_errors(predicted[:4], truth, missing, boxes)
    boxes[2, 1] = boxes[2, 0]
    with pytest.raises(ValueError, match=r"\[2\]"):
        metrics.head_normalised_errors(predicted, truth, missing, boxes)


@pytest.mark.parametrize("which", [0, 1])
def test_a_nan_is_not_a_missing_joint(which: int) -> None:
    predicted, truth, missing, boxes = toy()
    seen = np.argwhere(missing == 0)[0]
    (predicted, truth)[which][tuple(seen)] = np.nan
    with pytest.raises(ValueError, match=rf"joint {seen[1]} of record {seen[0]}; a NaN is not a missing joint"):
        metrics.head_normalised_errors(predicted, truth, missing, boxes)
