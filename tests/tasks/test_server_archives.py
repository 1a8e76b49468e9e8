"""What evaluation servers take for splits whose truth they keep: archives by their names, and by mail a file with a word."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from tasks.pose.evaluation import CocoEvaluation, MpiiEvaluation
from tasks.pose.posetrack.evaluation import PoseTrackEvaluation
from tasks.segmentation.evaluation import SegmentationEvaluation

CITY = "berlin_000000_000019_leftImg8bit.png"


class Samples(SimpleNamespace):
    """A dataset as far as an archive needs it."""

    def __len__(self) -> int:
        return 1


def made(kind: type[Any], **parts: Any) -> Any:
    evaluation = kind.__new__(kind)
    evaluation.truth = None
    evaluation.data = Samples(
        label=lambda index: None, layout=SimpleNamespace(submission_name=lambda index: CITY), **parts
    )
    return evaluation


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        return opened.namelist()


def test_keypoints_of_coco(tmp_path: Path) -> None:
    """[type]_[testset]_[alg]_results.zip with a json of the same name."""
    (tmp_path / "predictions.json").write_text("[]")
    data = {"split": "test-dev2017", "persons": SimpleNamespace(truth=None)}
    said = made(CocoEvaluation, **data).write_submission(tmp_path / "predictions")
    archive = tmp_path / "person_keypoints_test-dev2017_pose_results.zip"
    assert names(archive) == ["person_keypoints_test-dev2017_pose_results.json"] and archive.name in said
    data = {"split": "val2017", "persons": SimpleNamespace(truth=object())}
    assert made(CocoEvaluation, **data).write_submission(tmp_path / "predictions") == ""


def test_mpii_says_what_its_owners_ask_for_beside_the_file(tmp_path: Path) -> None:
    said = made(MpiiEvaluation, split="test").write_submission(tmp_path / "predictions")
    for word in ("predictions.mat", "by mail", "order of their list", "counted from 1", "the paper", "training data"):
        assert word in said
    known = made(MpiiEvaluation, split="valid")
    known.truth = object()
    assert known.write_submission(tmp_path) == ""


def test_label_maps_of_cityscapes(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / CITY), np.zeros((4, 8), np.uint8))
    said = made(SegmentationEvaluation).write_submission(tmp_path)
    assert names(tmp_path / "submission.zip") == [CITY] and "submission.zip" in said


@pytest.mark.parametrize("split", ["test", "val"])
def test_videos_of_posetrack(tmp_path: Path, split: str) -> None:
    """One json a sequence, named as its annotation file, none of them in a folder."""
    (tmp_path / "000693_mpii_test.json").write_text(json.dumps({"images": []}))
    said = made(PoseTrackEvaluation, split=split, videos=[SimpleNamespace(name="000693_mpii_test")]).write_submission(
        tmp_path
    )
    assert (tmp_path / "submission.zip").exists() == bool(said) == (split == "test")
    assert not said or names(tmp_path / "submission.zip") == ["000693_mpii_test.json"]
