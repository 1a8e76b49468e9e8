"""Columns of a face csv go by the header's names; outliers and boxes of another picture are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from faces_on_disk import POINTS, csv_line, header, write_300w
from PIL import Image

from tasks import get_task
from tasks.landmarks.crops.augment import FaceAugment
from tasks.landmarks.datasets import LandmarkEvalData, LandmarkTrainData, read_faces
from tasks.landmarks.entries import ENTRIES
from tasks.landmarks.files.csv_form import read_csv
from tasks.landmarks.protocol import LandmarkProtocol

PROTOCOL = LandmarkProtocol()


# ---- headers and outliers ----
def shuffled(names: list[str], fields: list[str], order: list[int]) -> str:
    return ",".join(names[k] for k in order) + "\n" + ",".join(fields[k] for k in order) + "\n"


@pytest.mark.parametrize("style", ["original_{}_{}", "{}_{}", "point-{}-{}", "axis_first", "from_one"])
def test_columns_go_by_their_names(tmp_path: Path, style: str) -> None:
    """Columns in any order and under exporters' names give the same face."""
    names = ["image_name", "scale", "center_w", "center_h"]
    for k in range(68):
        for axis in "xy":
            plain = {"axis_first": f"{axis}_{k}", "from_one": f"lm_{k + 1}_{axis}"}.get(style)
            names.append(plain or style.format(k, axis))
    fields = csv_line("a.png", POINTS, (2.0, 60.0, 70.0)).split(",")
    order = np.random.default_rng(len(style)).permutation(len(names)).tolist()
    path = tmp_path / "face_landmarks_300w_test.csv"
    path.write_text(shuffled([*names, "yaw"], [*fields, "3"], [*order, len(names)]))
    faces = read_csv(path, 68, tmp_path)
    np.testing.assert_array_equal(faces.points[0], POINTS)
    assert faces.images == ("a.png",) and faces.centres[0].tolist() == [60, 70] and faces.scales[0] == 2
    assert faces.notes == ("face_landmarks_300w_test.csv: 1 columns are not read (yaw)",)


def test_numbered_columns_keep_the_official_order(tmp_path: Path) -> None:
    path = tmp_path / "face_landmarks_300w_test.csv"
    names = ["image_name", "scale", "center_w", "center_h", *(f"p{k}" for k in range(136))]
    path.write_text(",".join(names) + "\n" + csv_line("a.png", POINTS) + "\n")
    np.testing.assert_array_equal(read_csv(path, 68, tmp_path).points[0], POINTS)
    names[5], names[6] = names[6], names[5]
    path.write_text(",".join(names) + "\n" + csv_line("a.png", POINTS) + "\n")
    with pytest.raises(ValueError, match=r"line 1: expected columns x and y of 68 points .*name the columns"):
        read_csv(path, 68, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("original_3_y", "original_3_x", "once but got 'original_3_x' twice"),
        ("original_3_y", "point_3_x", "one column of x of point 3"),
        ("original_67_y", "original_68_y", "numbered from 0 or 1"),
        ("scale", "size", "expected a column scale"),
        ("center_h", "height", "expected a column center_w|expected a column center_h"),
        ("image_name", "file", "header that begins with image_name"),
    ],
)
def test_headers_that_do_not_tell_are_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = write_300w(tmp_path, csv_line("a.png", POINTS))
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ValueError, match=rf"300w_test\.csv, line 1: .*({words})"):
        read_csv(path, 68, tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_of_other_systems(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = write_300w(tmp_path, csv_line("b\\Zoë.png", POINTS))
    path.write_bytes(path.read_text().replace(",", delimiter).replace("\n", "\r\n").encode(encoding))
    faces = read_csv(path, 68, tmp_path)
    assert faces.images == ("b/Zoë.png",) and (faces.points[0] == POINTS).all()


def moved(**changes: float) -> tuple[np.ndarray, tuple[float, float, float]]:
    """A face of 136 px around (78, 78), with one thing wrong."""
    points, box = POINTS.copy(), [0.7, 78.0, 78.0]
    if "point" in changes:
        points[17, 0] = changes["point"]
    box[0] = changes.get("scale", box[0])
    box[1] = changes.get("centre", box[1])
    return points, (box[0], box[1], box[2])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"point": 1e30}, "within 100000 px"),
        ({"point": -5000.0}, "near their face box"),
        ({"centre": 5000.0}, "near their face box"),
        ({"scale": 140.0}, "scale in px"),
        ({"scale": 0.01}, "near their face box"),
        ({}, None),
        ({"point": 400.0}, None),
    ],
)
def test_an_outlier_is_named_and_not_averaged_in(tmp_path: Path, changes: dict[str, float], words: str | None) -> None:
    path = write_300w(tmp_path, csv_line("a.png", POINTS, (0.7, 78.0, 78.0)), csv_line("b.png", *moved(**changes)))
    if words is None:
        assert len(read_faces(ENTRIES["300w"], tmp_path, "test", PROTOCOL)) == 2
        return
    with pytest.raises(ValueError, match=rf"{path.name}, line 3 \(b\.png\): .*{words}.*\(1 such faces\)"):
        read_faces(ENTRIES["300w"], tmp_path, "test", PROTOCOL)


def test_a_box_size_of_another_unit_is_named(tmp_path: Path) -> None:
    """AFLW's errors are divided by it: one face of 0.02 would rule the mean."""
    points = np.random.default_rng(0).uniform(100, 300, (19, 2))
    rows = [csv_line(name, points, (1.0, size, 200.0, 200.0)) for name, size in (("a.jpg", 200.0), ("b.jpg", 0.02))]
    path = tmp_path / "face_landmarks_aflw_test.csv"
    path.write_text("\n".join([header(19, "scale,box_size,center_w,center_h"), *rows]) + "\n")
    with pytest.raises(ValueError, match=r"line 3 \(b\.jpg\): expected a box_size of about the face's size"):
        read_faces(ENTRIES["aflw"], tmp_path, "test", PROTOCOL)


def test_an_outlier_among_points_that_make_their_own_box(tmp_path: Path) -> None:
    """Raw releases have no box of their own: the point is far from the others."""
    folder = tmp_path / "Test" / "01_Indoor"
    folder.mkdir(parents=True)
    Image.new("RGB", (200, 200)).save(folder / "a.png")
    points = POINTS.copy()
    points[5] = (5000, 20)
    text = "\n".join(f"{x} {y}" for x, y in points)
    (folder / "a.pts").write_text(f"version: 1\nn_points: 68\n{{\n{text}\n}}\n")
    with pytest.raises(ValueError, match=r"a\.pts .*points of one face near each other"):
        read_faces(ENTRIES["300w"], tmp_path, "test", PROTOCOL)


def test_a_box_or_points_of_another_picture_are_refused_when_opened_and_when_read(tmp_path: Path) -> None:
    """The face lies 5000 px outside, box and all: only the picture's size tells."""
    (tmp_path / "images").mkdir()
    Image.new("RGB", (160, 160)).save(tmp_path / "images" / "a.png")
    write_300w(tmp_path, csv_line("a.png", POINTS, (0.7, 78.0, 78.0)))
    assert len(get_task("landmarks").eval_data("300w", tmp_path, "test", PROTOCOL)) == 1
    write_300w(tmp_path, csv_line("a.png", POINTS + 5000, (0.7, 5078.0, 5078.0)))
    with pytest.raises(ValueError, match=r"line 2 \(a\.png\): expected a box that touches its picture of 160x160"):
        get_task("landmarks").eval_data("300w", tmp_path, "test", PROTOCOL)
    with pytest.raises(ValueError, match=r"line 2 \(a\.png\): expected a box that touches its picture"):
        LandmarkEvalData(ENTRIES["300w"], tmp_path, "test", PROTOCOL)[0]
    (tmp_path / "face_landmarks_300w_test.csv").rename(tmp_path / "face_landmarks_300w_train.csv")
    with pytest.raises(ValueError, match=r"line 2 \(a\.png\): expected a box that touches its picture"):
        LandmarkTrainData(ENTRIES["300w"], tmp_path, "train", PROTOCOL, FaceAugment(), 0)
