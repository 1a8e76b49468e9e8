"""Files of MPII: read as they stand, or refused; both files of the validation set describe the same persons."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mpii_on_disk import write_mpii
from scipy.io import loadmat, savemat

from tasks import get_task
from tasks.pose.files import mpii
from tasks.pose.protocol import MpiiProtocol


def test_mpii_counts_from_zero_and_grows_the_box(mpii_root: Path) -> None:
    persons = mpii.read_persons(mpii_root, "valid")
    np.testing.assert_allclose(persons.centres[0], [149, 120 + 15 * 0.8 - 1])
    np.testing.assert_allclose(persons.scales[0], [1.0, 1.0])
    np.testing.assert_allclose(persons.joints[0, 0], [99, 59])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"joints": [[1, 2]] * 15}, "record 1: expected joints of 32 numbers but got 30"),
        ({"joints": [[math.inf, 2]] * 16}, "Infinity"),
        ({"scale": 0.0}, "record 1: expected a positive scale"),
        ({"scale": 160.0}, "record 1: expected a positive scale of at most 30 but got 160; a size in px"),
        ({"joints": [[1e30, 2]] * 16}, r"record 1: expected joints within 100000 px but got \[1e\+30"),
        ({"center": [1]}, "record 1: expected a centre .* of 2 numbers but got 1"),
        ({"center": ["1", 2]}, r"entry 1\.center\[0\]: expected a number, got '1'"),
        ({"image": None}, r"entry 1\.image: expected text, got None"),
        ({"joints": None}, "record 1: expected the field 'joints'"),
        ({"center": [math.nan, 1]}, "NaN"),
    ],
)
def test_bad_mpii_record_is_named(mpii_root: Path, changes: dict[str, Any], message: str) -> None:
    entries = json.loads((mpii_root / "annot" / "valid.json").read_text())
    entries[1] |= changes
    write_mpii(mpii_root, entries)
    with pytest.raises(ValueError, match=message):
        mpii.read_persons(mpii_root, "valid")


def test_mpii_truth_missing_or_of_another_split(mpii_root: Path) -> None:
    task, protocol = get_task("pose"), MpiiProtocol(input_wh=(128, 128))
    data = task.eval_data("mpii", mpii_root, "valid", protocol)
    entries = json.loads((mpii_root / "annot" / "valid.json").read_text())
    write_mpii(mpii_root, entries[:1])
    with pytest.raises(ValueError, match="same release"):
        task.evaluation(task.eval_data("mpii", mpii_root, "valid", protocol), protocol)
    path = mpii.truth_path(mpii_root)
    path.write_bytes(b"no matlab file")
    with pytest.raises(ValueError, match="cannot be read"):
        task.evaluation(data, protocol)
    path.unlink()
    with pytest.raises(ValueError, match=r"gt_valid\.mat"):
        task.evaluation(data, protocol)


@pytest.mark.parametrize(("name", "said"), [("pos_gt_src", "joint 3"), ("headboxes_src", "finite corners")])
def test_nan_in_the_mpii_truth_is_no_missing_joint(mpii_root: Path, name: str, said: str) -> None:
    path = mpii.truth_path(mpii_root)
    data = {key: value for key, value in loadmat(str(path)).items() if not key.startswith("_")}
    missing = data["jnt_missing"].copy()
    data[name] = data[name].astype(float)
    place = (3, 0, 1) if name == "pos_gt_src" else (1, 0, 1)
    data[name][place] = np.nan
    savemat(path, data)
    with pytest.raises(ValueError, match=rf"gt_valid\.mat, {name} of record 1.*{said}"):
        mpii.read_truth(path)
    if name == "pos_gt_src":
        # What is missing may have no coordinates.
        missing[3, 1] = 1
        savemat(path, data | {"jnt_missing": missing})
        assert len(mpii.read_truth(path)) == 2


# -- MPII: both files of the validation set ------------------------------------------------------------------------
def write_mpii_persons(root: Path, joints: np.ndarray, images: list[str] | None = None) -> None:
    """valid.json and gt_valid.mat of persons (N, 16, 2), counted from 1, heads of 30x40 px."""
    count = len(joints)
    names = images or ["a.jpg"] * count
    entries = [
        {"image": name, "center": [150.0, 120.0], "scale": 0.8, "joints": points.tolist(), "joints_vis": [1] * 16}
        for name, points in zip(names, joints, strict=True)
    ]
    write_mpii(root, entries)
    heads = np.repeat(np.array([[100.0, 60.0], [130.0, 100.0]])[:, :, None], count, 2)
    missing = np.zeros((16, count), np.uint8)
    savemat(
        root / "annot/gt_valid.mat",
        {"pos_gt_src": joints.transpose(1, 2, 0), "jnt_missing": missing, "headboxes_src": heads},
    )


def mpii_persons(count: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(40, 200, (count, 16, 2)).round(2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda entries: entries[::-1], "4 of 4 persons .*another order, or another set"),
        (lambda entries: [entries[1], entries[0], *entries[2:]], "2 of 4 persons"),
        (
            lambda entries: [{**e, "joints": (np.array(e["joints"]) - 1).tolist()} for e in entries],
            "4 of 4 persons .*counts pixels from 0",
        ),
        (lambda entries: entries[:3], "the 3 persons .* but it holds 4"),
        (lambda entries: [{**e, "joints": np.round(e["joints"]).tolist()} for e in entries], None),
    ],
    ids=["reversed", "two swapped", "from zero", "one less", "rounded"],
)
def test_both_mpii_files_describe_the_same_persons(mpii_root: Path, change: Any, words: str | None) -> None:
    """PCKh of perfect predictions is 100, or the pair is refused before a network runs, by eval and score alike."""
    joints = mpii_persons(4)
    write_mpii_persons(mpii_root, joints)
    path = mpii.annotation_path(mpii_root, "valid")
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    savemat(mpii_root / "pred.mat", {"preds": joints})
    task, protocol = get_task("pose"), MpiiProtocol(input_wh=(128, 128))
    if words is None:
        assert task.eval_data("mpii", mpii_root, "valid", protocol).notes == ()
        stats, _ = task.submission_stats("mpii", mpii_root, "valid", mpii_root / "pred.mat", protocol)
        assert task.figures("mpii", stats, {})["PCKh@0.5"] == 100
        return
    with pytest.raises(ValueError, match=words):
        task.eval_data("mpii", mpii_root, "valid", protocol)
    with pytest.raises(ValueError, match=words):
        task.submission_stats("mpii", mpii_root, "valid", mpii_root / "pred.mat", protocol)


def test_one_person_in_two_hundred_that_differs_is_noted(mpii_root: Path) -> None:
    joints = mpii_persons(200)
    write_mpii_persons(mpii_root, joints)
    path = mpii.annotation_path(mpii_root, "valid")
    entries = json.loads(path.read_text())
    entries[7]["joints"] = (np.array(entries[7]["joints"]) + 5).tolist()
    path.write_text(json.dumps(entries))
    notes = get_task("pose").eval_data("mpii", mpii_root, "valid", MpiiProtocol(input_wh=(128, 128))).notes
    assert len(notes) == 1 and "1 of 200 persons" in notes[0] and "record 7" in notes[0] and "[5.0, 5.0] px" in notes[0]


def test_mpii_predictions_are_scored_without_the_pictures(mpii_root: Path) -> None:
    """One joint of 64 lies 11 head sizes off; pelvis and thorax do not count: 55 of 56 are right."""
    joints = mpii_persons(4)
    write_mpii_persons(mpii_root, joints)
    (mpii_root / "images/a.jpg").unlink()
    (mpii_root / "images").rmdir()
    found = joints.copy()
    found[2, 0] += 300
    savemat(mpii_root / "pred.mat", {"preds": found})
    task = get_task("pose")
    arguments = ("mpii", mpii_root, "valid", mpii_root / "pred.mat", MpiiProtocol())
    figures = task.figures("mpii", task.submission_stats(*arguments)[0], {})
    assert figures["PCKh@0.5"] == pytest.approx(100 * 55 / 56) and figures["PCKh@0.5/Ankle"] == pytest.approx(87.5)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("pos_gt_src", lambda a: np.where(np.arange(2) == 1, 1e30, a), "record 1: expected joints within 100000 px"),
        ("headboxes_src", lambda a: a * np.where(np.arange(2) == 1, 200, 1), "record 1: expected a head box smaller"),
        ("pos_gt_src", lambda a: np.full(a.shape, "x"), r"but got \(0,\)"),
        ("jnt_missing", lambda a: a[:, 0], r"but got .*\(1, 16\)"),
    ],
)
def test_outliers_of_the_mpii_truth_are_named(mpii_root: Path, name: str, change: Any, words: str) -> None:
    path = mpii.truth_path(mpii_root)
    data = {key: value for key, value in loadmat(str(path)).items() if not key.startswith("_")}
    savemat(path, data | {name: change(data[name].astype(float))})
    with pytest.raises(ValueError, match=rf"gt_valid\.mat.*{words}|{words}"):
        mpii.read_truth(path)


def test_mpii_pictures_of_equal_names_stay_apart(mpii_root: Path) -> None:
    write_mpii_persons(mpii_root, mpii_persons(3), ["x/a.jpg", "y\\a.jpg", "y/a.jpg"])
    persons = mpii.read_persons(mpii_root, "valid")
    assert persons.files == ("images/x/a.jpg", "images/y/a.jpg") and persons.image_ids == ("x/a.jpg", "y/a.jpg")


@pytest.mark.parametrize("name", ["annot/valid.json", "annot/gt_valid.mat", "images/a.jpg"])
def test_a_pipe_in_place_of_an_mpii_file(mpii_root: Path, name: str) -> None:
    (mpii_root / name).unlink()
    os.mkfifo(mpii_root / name)
    with pytest.raises(ValueError, match=rf"{name}.* is a pipe"):
        get_task("pose").eval_data("mpii", mpii_root, "valid", MpiiProtocol(input_wh=(128, 128)))


def test_a_person_far_outside_the_picture_is_named(mpii_root: Path) -> None:
    write_mpii_persons(mpii_root, np.concatenate([mpii_persons(2), mpii_persons(1) + 5000]))
    with pytest.raises(
        ValueError, match=r"record 2 \(images/a\.jpg\): expected points in or near its picture of 320x240"
    ):
        get_task("pose").eval_data("mpii", mpii_root, "valid", MpiiProtocol(input_wh=(128, 128)))
