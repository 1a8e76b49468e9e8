"""MPII from a raw file in the owners' form to what the loader reads: joints, order, split, head boxes, counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from benchmarks.cli import entry
from tasks import get_task
from tasks.pose.files.mpii import matching_truth, read_persons

JOINTS = {
    (number, person): np.round(np.random.default_rng([number, person]).uniform(20, 180, (16, 2)), 4)
    for number in range(1, 21)
    for person in (1, 2)
}
MISSING = {(3, 1): (6, 7)}
"""Joints that a person has no annotation of."""


def _struct(**fields: Any) -> np.ndarray:
    made = np.zeros((1, 1), dtype=[(name, object) for name in fields])
    for name, value in fields.items():
        made[0, 0][name] = value
    return made


def _rows(structs: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(structs, axis=1) if structs else np.zeros((0, 0))


def _person(number: int, person: int, train: bool) -> np.ndarray:
    place = _struct(x=np.array([[100.0 + person]]), y=np.array([[90.0 + number]]))
    if not train:
        return _struct(scale=np.array([[1.0 + number / 100]]), objpos=place)
    points = [
        _struct(x=x, y=y, id=np.array([[joint]], np.uint8), is_visible="1" if joint % 2 else np.zeros((0, 0)))
        for joint, (x, y) in enumerate(JOINTS[number, person].tolist())
        if joint not in MISSING.get((number, person), ())
    ]
    head = {"x1": 50.0, "y1": 40.0, "x2": 80.0 + number, "y2": 90.0}
    return _struct(**head, annopoints=_struct(point=_rows(points)), scale=1.0 + number / 100, objpos=place)


def raw_mpii(folder: Path, number: int = 20, pictures: bool = True) -> Path:
    """Pictures 1..number: odd ones train with one person, and every fourth a second; the others test, two persons, one alone."""
    folder.mkdir(parents=True)
    annolist, alone = [], np.empty((number, 1), dtype=object)
    trains = np.array([[n % 2 for n in range(1, number + 1)]], np.uint8)
    for n in range(1, number + 1):
        people = [_person(n, 1, bool(n % 2))] + ([_person(n, 2, bool(n % 2))] if n % 4 == 1 or not n % 2 else [])
        annolist.append(_struct(image=_struct(name=f"{n:09d}.jpg"), annorect=_rows(people), frame_sec=np.zeros((0, 0))))
        alone[n - 1, 0] = np.array([[1]], np.uint8) if n != 2 else np.zeros((0, 0))
    # A training picture without persons.
    annolist.append(_struct(image=_struct(name="empty.jpg"), annorect=np.zeros((0, 0)), frame_sec=np.zeros((0, 0))))
    trains = np.append(trains, [[1]], axis=1)
    alone = np.append(alone, np.empty((1, 1), dtype=object), axis=0)
    alone[-1, 0] = np.zeros((0, 0))
    release = {"annolist": _rows(annolist), "img_train": trains, "single_person": alone, "version": "12"}
    savemat(folder / "mpii_human_pose_v1_u12_1.mat", {"RELEASE": release}, do_compression=True)
    if pictures:
        (folder / "images").mkdir()
        for n in range(1, number + 1):
            cv2.imwrite(str(folder / "images" / f"{n:09d}.jpg"), np.full((200, 220, 3), n, np.uint8))
    return folder


def tompson(folder: Path, keys: list[tuple[int, int]]) -> None:
    pictures, persons = (np.array([column], np.uint16) for column in zip(*keys, strict=True))
    savemat(folder / "detections.mat", {"RELEASE_img_index": pictures, "RELEASE_person_index": persons})


def _run(raw: Path, root: Path, *words: str) -> int:
    return entry(["prepare", "mpii", "--from", str(raw), "--data-root", str(root), *words])


def test_the_files_are_hrnets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw, root = raw_mpii(tmp_path / "raw" / "unpacked"), tmp_path / "data"
    tompson(raw, [(3, 1), (5, 2)])
    assert _run(tmp_path / "raw", root) == 0
    told = capsys.readouterr().out
    assert "! persons of valid: 2, but the official set has 2,958" in told
    assert "ok valid: 2 samples" in told
    valid = json.loads((root / "mpii/annot/valid.json").read_text())
    assert [record["image"] for record in valid] == ["000000003.jpg", "000000005.jpg"]
    assert valid[0]["center"] == [101.0, 93.0] and valid[0]["scale"] == 1.03
    assert valid[1]["joints"] == JOINTS[5, 2].tolist() and valid[1]["joints_vis"] == [1] * 16
    assert [valid[0]["joints"][joint] for joint in MISSING[3, 1]] == [[-1.0, -1.0]] * 2
    assert [valid[0]["joints_vis"][joint] for joint in MISSING[3, 1]] == [0, 0]
    train = json.loads((root / "mpii/annot/train.json").read_text())
    # The other person of picture 5 is neither trained on nor validated.
    assert "000000005.jpg" not in {record["image"] for record in train}
    assert len(train) == 13 - 2 - 1 + 2 and len(json.loads((root / "mpii/annot/trainval.json").read_text())) == 15
    test = json.loads((root / "mpii/annot/test.json").read_text())
    assert len(test) == 9 and "joints" not in test[0] and "000000002.jpg" not in {record["image"] for record in test}
    truth = loadmat(root / "mpii/annot/gt_valid.mat")
    assert truth["pos_gt_src"].shape == (16, 2, 2) and truth["headboxes_src"][:, :, 0].tolist() == [[50, 40], [83, 90]]
    assert np.flatnonzero(truth["jnt_missing"][:, 0]).tolist() == list(MISSING[3, 1])
    persons = read_persons(root / "mpii", "valid")
    assert persons.joints[1].tolist() == (JOINTS[5, 2] - 1).tolist()
    assert matching_truth(persons)[1] == () and persons.notes == ()


def test_a_second_call_changes_nothing_and_nothing_is_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw, root = raw_mpii(tmp_path / "raw"), tmp_path / "data"
    tompson(raw, [(3, 1)])
    assert _run(raw, root) == 0
    before = {path: path.stat().st_mtime_ns for path in (root / "mpii/annot").iterdir()}
    assert _run(raw, root) == 0
    assert {path: path.stat().st_mtime_ns for path in (root / "mpii/annot").iterdir()} == before
    (root / "mpii/annot/train.json").write_text("[]")
    capsys.readouterr()
    assert _run(raw, root) == 2
    assert "train.json is there already and says something else" in capsys.readouterr().err
    assert (root / "mpii/annot/train.json").read_text() == "[]"


def test_files_that_other_tools_wrote_are_read_alike(tmp_path: Path) -> None:
    """SciPy stores lists of dictionaries as cells, and lists of equal lists as plain arrays."""
    raw = tmp_path / "raw"
    raw.mkdir()
    points = [{"x": 10.0 + joint, "y": 20.0, "id": joint, "is_visible": 1} for joint in range(16)]
    person = {"x1": 1, "y1": 2, "x2": 31, "y2": 42, "scale": 1.5, "objpos": {"x": 50, "y": 60}}
    train = {"image": {"name": "a.jpg"}, "annorect": [{**person, "annopoints": {"point": points}}]}
    test = {"image": {"name": "b.jpg"}, "annorect": [{"scale": 2.0, "objpos": {"x": 5, "y": 6}}]}
    release = {"annolist": [train, test], "img_train": [1, 0], "single_person": [[1], [1]]}
    savemat(raw / "mpii_human_pose_v1_u12_1.mat", {"RELEASE": release})
    tompson(raw, [(1, 1)])
    assert _run(raw, tmp_path / "data") == 0
    annot = tmp_path / "data/mpii/annot"
    [valid], [other] = json.loads((annot / "valid.json").read_text()), json.loads((annot / "test.json").read_text())
    assert valid["joints"][3] == [13.0, 20.0] and valid["center"] == [50.0, 60.0]
    assert other == {"image": "b.jpg", "center": [5.0, 6.0], "scale": 2.0}


@pytest.mark.parametrize("form", ["records", "joints"])
def test_the_split_comes_in_other_forms(tmp_path: Path, form: str) -> None:
    raw, root = raw_mpii(tmp_path / "raw"), tmp_path / "data"
    if form == "records":
        records = [{"isValidation": float(n == 7), "annolist_index": n, "people_index": 1.0} for n in (3, 7)]
        (raw / "mpii_annotations.json").write_text(json.dumps(records))
    else:
        joints = JOINTS[7, 1][..., None] + 1e-5
        savemat(raw / "detections_our_format.mat", {"pos_gt_src": joints, "jnt_missing": np.zeros((16, 1), np.uint8)})
    assert _run(raw, root) == 0
    assert [record["image"] for record in json.loads((root / "mpii/annot/valid.json").read_text())] == ["000000007.jpg"]


def test_without_a_list_the_split_is_our_own_and_every_figure_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data" / "mpii"
    raw_mpii(root)  # the raw file lies in the dataset's own folder
    assert _run(root, root) == 0
    assert _run(root, root) == 0
    assert "Figures on it compare with no published one" in capsys.readouterr().out
    task = get_task("pose")
    data = task.eval_data("mpii", root, "valid", task.protocol("mpii"))
    assert len(data) == 4 and "compare with no published one" in data.notes[0]
    tompson(root, [(3, 1)])
    assert _run(root, root) == 2
    assert "Move annot/ away and prepare again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("no raw file", "expected MPII's annotations (mpii_human_pose_v1_u12_1.mat)"),
        ("cut", "it is cut short or damaged"),
        ("other mat", "expected the structure RELEASE"),
        ("strangers", "names 1 persons that the raw file has not"),
        ("no head", "expected a head box"),
    ],
)
def test_what_cannot_be_prepared_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], how: str, expected: str
) -> None:
    raw = raw_mpii(tmp_path / "raw", 4, pictures=False)
    path = raw / "mpii_human_pose_v1_u12_1.mat"
    if how == "no raw file":
        path.unlink()
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:400])
    elif how == "other mat":
        savemat(path, {"x": 1})
    elif how == "strangers":
        tompson(raw, [(2, 1)])
    else:
        person = _struct(annopoints=_struct(point=_struct(x=1.0, y=2.0, id=0)), scale=1.0, objpos=_struct(x=3.0, y=4.0))
        pictures = _struct(image=_struct(name="a.jpg"), annorect=person)
        savemat(path, {"RELEASE": {"annolist": pictures, "img_train": np.array([[1]])}})
    assert _run(raw, tmp_path / "data") == 2
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_annotations_alone_say_where_the_pictures_belong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw, root = raw_mpii(tmp_path / "raw", pictures=False), tmp_path / "data"
    tompson(raw, [(3, 1)])
    assert _run(raw, root) == 0
    told = capsys.readouterr().out
    assert f"put them into {root / 'mpii/images'}" in told and "The annotations are ready" in told
