"""PoseTrack's files: both forms say the same, what is written is read back, and what cannot be used is refused in one line."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks import get_task
from tasks.pose.posetrack.evaluation import submission_stats
from tasks.pose.posetrack.files.form_2017 import written_2017
from tasks.pose.posetrack.files.form_2018 import written_2018
from tasks.pose.posetrack.files.frames import people
from tasks.pose.posetrack.files.splits import official_image_id, read_split, read_video
from tasks.pose.posetrack.metrics import figures


def test_both_forms_hold_the_same(cards_2017: Path, cards_2018: Path) -> None:
    for old, new in zip(read_split(cards_2017, "val"), read_split(cards_2018, "val"), strict=True):
        assert (old.form, new.form) == ("2017", "2018")
        for one, other in zip(old.frames, new.frames, strict=True):
            assert (one.file, one.image_id, one.labelled) == (other.file, other.image_id, other.labelled)
            for name in ("ids", "xy", "present", "heads"):
                np.testing.assert_array_equal(getattr(one.people, name), getattr(other.people, name))


@pytest.mark.parametrize("form", ["2017", "2018"])
def test_written_predictions_are_read_back_exactly(form: str, cards_2018: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    video = read_split(cards_2018, "val")[0]
    found = []
    for number in range(len(video.frames)):
        count = number % 3
        present = rng.random((count, 15)) < 0.7
        scores = np.where(present, rng.random((count, 15)), 0.0)
        found.append(people(rng.permutation(20)[:count], rng.normal(60, 40, (count, 15, 2)), present, scores))
    path = tmp_path / f"{video.name}.json"
    path.write_text(json.dumps((written_2017 if form == "2017" else written_2018)(video, found)))
    for before, after in zip(found, read_video(path, truth=False).frames, strict=True):
        np.testing.assert_array_equal(after.people.ids, before.ids)
        np.testing.assert_array_equal(after.people.present, before.present)
        np.testing.assert_array_equal(after.people.xy[before.present], before.xy[before.present])
        np.testing.assert_array_equal(after.people.scores[before.present], before.scores[before.present])


def test_the_truth_as_a_submission_scores_hundred(cards_2018: Path, cards_2017: Path) -> None:
    for root in (cards_2018, cards_2017):
        made = figures(submission_stats(root, "val", root / "annotations" / "val"))
        assert {made[name] for name in ("mAP", "MOTA", "MOTP", "Prec", "Rec", "AP/Head", "MOTA/Wrist")} == {100.0}


def test_pictures_are_named_as_officially() -> None:
    assert official_image_id("images/val/000342_mpii_test/000012.jpg", 5) == 10003420012
    assert official_image_id("images/bonn_5sec/020910_bonn/00000007.jpg", 5) == 20209100007
    assert official_image_id("images/val/012834_mpiinew_test/000000.jpg", 5) == 30128340000
    assert official_image_id("holiday/12.jpg", 5) == 5


def _annotation(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    return lambda document: change(document["annotations"][2])


BROKEN_2018: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "two categories": (lambda d: d["categories"].append({"name": "cat"}), "one category named 'person'"),
    "no neck": (lambda d: d["categories"][0]["keypoints"].remove("head_bottom"), "keypoint 'neck'"),
    "no names": (lambda d: d["categories"][0].pop("keypoints"), "names of the keypoints"),
    "two videos": (lambda d: d["images"][0].update(vid_id="other"), "one file per sequence"),
    "one id twice": (lambda d: d["images"][0].update(id=d["images"][1]["id"]), "occurs twice"),
    "text as id": (lambda d: d["images"][0].update(id="x"), "whole number"),
    "unknown picture": (_annotation(lambda a: a.update(image_id=7)), "image_id of a listed picture"),
    "list as picture": (_annotation(lambda a: a.update(image_id=[7])), "image_id of a listed picture"),
    "few keypoints": (_annotation(lambda a: a["keypoints"].pop()), "keypoints of 51 numbers"),
    "endless keypoint": (_annotation(lambda a: a["keypoints"].__setitem__(0, 1e300)), "finite numbers"),
    "no head": (_annotation(lambda a: a.pop("bbox_head")), "bbox_head"),
    "no track": (_annotation(lambda a: a.pop("track_id")), "track_id"),
    "large track": (_annotation(lambda a: a.update(track_id=10_000)), "from 0 to 9999"),
    "few scores": (_annotation(lambda a: a.update(scores=[0.5])), "scores of 17 numbers"),
    "region of two": (
        lambda d: d["images"][0].update(ignore_regions_x=[[1, 2]], ignore_regions_y=[[1, 2]]),
        "at least 3 corners",
    ),
    "region without y": (lambda d: d["images"][0].update(ignore_regions_x=[[1, 2, 3]]), "equal length"),
    "path outside": (lambda d: d["images"][0].pop("file_name"), "picture's path"),
}


@pytest.mark.parametrize("name", BROKEN_2018)
def test_broken_files_of_2018_are_refused(name: str, cards_2018: Path, tmp_path: Path) -> None:
    change, text = BROKEN_2018[name]
    file = next((cards_2018 / "annotations" / "val").glob("*.json"))
    document = copy.deepcopy(json.loads(file.read_text()))
    change(document)
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=text) as error:
        read_video(path, truth=True)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


BROKEN_2017: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "joint of no id": (lambda r: r["annopoints"][0]["point"][0].update(id=[15]), "joint ids from 0 to 14"),
    "joint twice": (lambda r: r["annopoints"][0]["point"][0].update(id=[1]), "occurs twice"),
    "text as x": (lambda r: r["annopoints"][0]["point"][0].update(x=["a"]), "a joint"),
    "no head": (lambda r: r.pop("x1"), "head box"),
    "no track": (lambda r: r.pop("track_id"), "track_id"),
}


@pytest.mark.parametrize("name", BROKEN_2017)
def test_broken_files_of_2017_are_refused(name: str, cards_2017: Path, tmp_path: Path) -> None:
    change, text = BROKEN_2017[name]
    document = json.loads(next((cards_2017 / "annotations" / "val").glob("*.json")).read_text())
    change(document["annolist"][1]["annorect"][0])
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=text) as error:
        read_video(path, truth=True)
    assert str(path) in str(error.value)


def test_files_of_neither_form_are_refused(tmp_path: Path) -> None:
    for content in ("[]", "{}", '{"images": 3}', "nothing", ""):
        path = tmp_path / "file.json"
        path.write_text(content)
        with pytest.raises(ValueError, match=r"file\.json"):
            read_video(path, truth=True)


def test_submissions_must_hold_every_sequence_and_frame(cards_2018: Path, tmp_path: Path) -> None:
    files = sorted((cards_2018 / "annotations" / "val").glob("*.json"))
    with pytest.raises(ValueError, match="Expected a folder"):
        submission_stats(cards_2018, "val", files[0])
    (tmp_path / files[0].name).write_text(files[0].read_text())
    with pytest.raises(ValueError, match="no such file"):
        submission_stats(cards_2018, "val", tmp_path)
    document = json.loads(files[1].read_text())
    last = document["images"].pop()["id"]
    document["annotations"] = [entry for entry in document["annotations"] if entry["image_id"] != last]
    (tmp_path / files[1].name).write_text(json.dumps(document))
    with pytest.raises(ValueError, match="expected the 6 frames"):
        submission_stats(cards_2018, "val", tmp_path)
    document = json.loads(files[1].read_text())
    for entry in document["annotations"]:
        entry["track_id"] = 3
    (tmp_path / files[1].name).write_text(json.dumps(document))
    with pytest.raises(ValueError, match="each track id once"):
        submission_stats(cards_2018, "val", tmp_path)


def test_a_missing_split_or_detector_says_what_to_do(cards_2018: Path, tmp_path: Path) -> None:
    task = get_task("pose")
    protocol = task.protocol("posetrack18")
    with pytest.raises(ValueError, match="official layout"):
        task.eval_data("posetrack18", tmp_path, "val", protocol)
    named = task.protocol_with(protocol, {"boxes": "detector", "boxes_file": "none.json"})
    with pytest.raises(ValueError, match="boxes=gt"):
        task.eval_data("posetrack18", cards_2018, "val", named)
    assert not task.data_files("posetrack18", tmp_path, "val", protocol)[0].exists()


def test_heads_without_a_size_are_told(cards_2018: Path, tmp_path: Path) -> None:
    folder = tmp_path / "annotations" / "val"
    folder.mkdir(parents=True)
    (tmp_path / "images").symlink_to(cards_2018 / "images")
    for path in (cards_2018 / "annotations" / "val").glob("*.json"):
        document = json.loads(path.read_text())
        document["annotations"][0]["bbox_head"][2:] = [0.0, 0.0]
        (folder / path.name).write_text(json.dumps(document))
    data = get_task("pose").eval_data("posetrack18", tmp_path, "val", get_task("pose").protocol("posetrack18"))
    assert data.notes == ("2 annotated persons have a head box without a size: nothing can match them",)
    made = figures(submission_stats(tmp_path, "val", folder))
    assert made["MOTA"] < 100 and made["Prec"] < 100
