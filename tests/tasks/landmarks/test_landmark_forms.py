"""Reading the official forms: csv, .pts, WFLW's list, COFW's HDF5; orientation, picture modes, and what bad files say."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from faces_on_disk import POINTS, csv_line, write_300w
from PIL import Image

from tasks.landmarks.datasets import LandmarkEvalData, read_faces
from tasks.landmarks.entries import ENTRIES
from tasks.landmarks.files.csv_form import read_csv
from tasks.landmarks.files.faces import landmark_boxes
from tasks.landmarks.files.raw_forms import read_pts, read_wflw_list
from tasks.landmarks.protocol import LandmarkProtocol

SAMPLES = Path(os.environ.get("HRNET_SAMPLES", Path(__file__).parents[4] / "shared" / "samples"))
PROTOCOL = LandmarkProtocol()


# ---- good files ----
def test_csv_is_read_as_it_stands(tmp_path: Path) -> None:
    path = write_300w(tmp_path, csv_line("a.png", POINTS, (2.385, 489.5, 503.5)), "", csv_line("b.png", POINTS + 1))
    faces = read_csv(path, 68, tmp_path)
    assert faces.images == ("a.png", "b.png") and faces.records == ("line 2", "line 4")
    np.testing.assert_array_equal(faces.points[0], POINTS)
    np.testing.assert_array_equal(faces.centres[0], [489.5, 503.5])
    assert faces.scales[0] == 2.385


def test_aflw_takes_its_box_from_the_file(faces_root: Path) -> None:
    faces = read_faces(ENTRIES["aflw"], faces_root / "aflw", "test", PROTOCOL)
    assert faces.box_size is not None
    np.testing.assert_allclose(faces.scales, faces.box_size / 200)
    frontal = read_faces(ENTRIES["aflw"], faces_root / "aflw", "test_frontal", PROTOCOL)
    assert faces.subsets["frontal"].sum() == len(frontal)
    assert [n for n, f in zip(faces.images, faces.subsets["frontal"], strict=True) if f] == list(frontal.images)


def test_300w_csv_and_pts_agree(faces_root: Path, tmp_path: Path) -> None:
    """The raw release, without any csv, gives the same faces and boxes."""
    (tmp_path / "images").symlink_to(faces_root / "300w" / "images")
    for split in ("train", "valid", "valid_common", "valid_challenge", "test"):
        listed, raw = (read_faces(ENTRIES["300w"], root, split, PROTOCOL) for root in (faces_root / "300w", tmp_path))
        order = np.argsort(listed.images), np.argsort(raw.images)
        assert np.array(listed.images)[order[0]].tolist() == np.array(raw.images)[order[1]].tolist()
        np.testing.assert_allclose(listed.points[order[0]], raw.points[order[1]], atol=1e-3)
        np.testing.assert_allclose(listed.scales[order[0]], raw.scales[order[1]])
        np.testing.assert_allclose(listed.centres[order[0]], raw.centres[order[1]])


def test_300w_subsets(faces_root: Path) -> None:
    valid = read_faces(ENTRIES["300w"], faces_root / "300w", "valid", PROTOCOL)
    assert valid.subsets["common"].tolist() == [True] * 3 + [False] * 2
    assert (valid.subsets["challenge"] == ~valid.subsets["common"]).all()
    test = read_faces(ENTRIES["300w"], faces_root / "300w", "test", PROTOCOL)
    assert test.subsets["indoor"].tolist() == [True, False]


def test_wflw_csv_and_list_agree(faces_root: Path, tmp_path: Path) -> None:
    root = faces_root / "wflw"
    faces = read_faces(ENTRIES["wflw"], root, "test", PROTOCOL)
    (tmp_path / "list_98pt_rect_attr_test.txt").write_bytes((root / "list_98pt_rect_attr_test.txt").read_bytes())
    raw = read_faces(ENTRIES["wflw"], tmp_path, "test", PROTOCOL)
    assert faces.images == raw.images
    np.testing.assert_allclose(faces.points, raw.points, atol=1e-3)
    np.testing.assert_allclose(faces.centres, raw.centres)
    assert set(faces.subsets) == set(raw.subsets)
    for name, members in raw.subsets.items():
        np.testing.assert_array_equal(faces.subsets[name], members)
    by_rect = read_faces(ENTRIES["wflw"], root, "test", LandmarkProtocol(box="rect"))
    assert by_rect.rects is not None and not np.allclose(by_rect.scales, faces.scales)


def test_box_rule_on_the_real_rows() -> None:
    path = SAMPLES / "300w" / "face_landmarks_300w_test.csv"
    if not path.exists():
        pytest.skip(f"no samples at {SAMPLES}")
    faces = read_csv(path, 68, path.parent)
    centres, scales = landmark_boxes(faces.points)
    np.testing.assert_array_equal(centres, faces.centres)
    np.testing.assert_allclose(scales, faces.scales)
    pictures = ENTRIES["300w"].pictures(path.parent, "test", faces, 64)
    for index in range(len(faces)):
        height, width = pictures(index).shape[:2]
        assert (faces.points[index].max(0) <= [width, height]).all() and pictures(index).std() > 20


# ---- picture modes ----
@pytest.mark.parametrize("mode", ["P", "L", "RGBA", "RGB"])
def test_every_kind_of_picture_is_read_as_rgb(tmp_path: Path, mode: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (9, 13, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    made = picture.convert("P", palette=Image.Palette.ADAPTIVE) if mode == "P" else picture.convert(mode)
    (tmp_path / "images").mkdir()
    made.save(tmp_path / "images" / "a.png")
    write_300w(tmp_path, csv_line("a.png", POINTS))
    faces = read_faces(ENTRIES["300w"], tmp_path, "test", PROTOCOL)
    read = ENTRIES["300w"].pictures(tmp_path, "test", faces, 16)(0)
    np.testing.assert_array_equal(read, np.asarray(made.convert("RGB")))


# ---- bad files ----
def test_too_few_columns_name_the_line(tmp_path: Path) -> None:
    path = write_300w(tmp_path, csv_line("a.png", POINTS), csv_line("b.png", POINTS[:67]))
    with pytest.raises(ValueError, match=r"300w_test.csv, line 3: expected 140 columns .* got 138; complete the line"):
        read_csv(path, 68, tmp_path)


@pytest.mark.parametrize("text", ["", "\n", csv_line("a.png", POINTS)])
def test_a_csv_without_its_header_loses_no_face(tmp_path: Path, text: str) -> None:
    path = tmp_path / "face_landmarks_300w_test.csv"
    path.write_text("\n".join([text, csv_line("b.png", POINTS)]) if text.strip() else text)
    with pytest.raises(ValueError, match=r"300w_test\.csv, line 1: expected a header that begins with image_name"):
        read_csv(path, 68, tmp_path)


def test_a_face_of_a_subset_that_the_whole_lacks(faces_root: Path, tmp_path: Path) -> None:
    for path in (faces_root / "aflw").glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    frontal = tmp_path / "face_landmarks_aflw_test_frontal.csv"
    lines = frontal.read_text().splitlines()
    number = len(lines) + 1
    frontal.write_text("\n".join([*lines, "0/another.jpg," + lines[1].partition(",")[2]]) + "\n")
    with pytest.raises(
        ValueError, match=rf"test_frontal\.csv, line {number} \(0/another\.jpg\): expected a face of .*aflw_test\.csv"
    ):
        read_faces(ENTRIES["aflw"], tmp_path, "test", PROTOCOL)


def test_68_points_for_a_98_point_dataset(tmp_path: Path) -> None:
    path = write_300w(tmp_path, csv_line("a.png", POINTS))
    with pytest.raises(ValueError, match=r"line 1: .*holds 68 points, and this dataset has 98"):
        read_csv(path, 98, tmp_path)


@pytest.mark.parametrize(("value", "said"), [("x7", "a number"), ("nan", "a finite number"), ("", "a number")])
def test_a_non_number_names_line_and_column(tmp_path: Path, value: str, said: str) -> None:
    fields = csv_line("a.png", POINTS).split(",")
    fields[10] = value
    path = write_300w(tmp_path, ",".join(fields))
    with pytest.raises(ValueError, match=rf"line 2: expected {said} in column 11 but got '{value}'"):
        read_csv(path, 68, tmp_path)


def test_missing_csv(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such file; put the dataset in its official layout"):
        read_faces(ENTRIES["300w"], tmp_path, "test", PROTOCOL)


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_a_box_without_area(tmp_path: Path, scale: float) -> None:
    write_300w(tmp_path, csv_line("a.png", POINTS, (scale, 60.0, 70.0)))
    with pytest.raises(ValueError, match=r"line 2 \(a.png\): expected a face box with an area"):
        read_faces(ENTRIES["300w"], tmp_path, "test", PROTOCOL)


def test_points_on_one_spot_give_no_box(tmp_path: Path) -> None:
    write_300w(tmp_path, csv_line("a.png", np.full((68, 2), 30.0)))
    with pytest.raises(ValueError, match="expected a face box with an area"):
        read_faces(ENTRIES["300w"], tmp_path, "test", LandmarkProtocol(box="landmarks"))


def test_missing_and_broken_pictures(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "broken.png").write_bytes(b"not a picture")
    write_300w(tmp_path, csv_line("gone.png", POINTS), csv_line("broken.png", POINTS))
    data = LandmarkEvalData(ENTRIES["300w"], tmp_path, "test", PROTOCOL)
    with pytest.raises(ValueError, match=r"line 2 \(gone.png\): .*no such file"):
        data[0]
    with pytest.raises(ValueError, match=r"line 3 \(broken.png\): .*cannot be decoded"):
        data[1]


def test_pts_files_that_are_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.pts"
    path.write_text("version: 1\nn_points: 2\n{\n1 2\n3 x\n}\n")
    with pytest.raises(ValueError, match=r"a.pts, line 5: expected two numbers but got '3 x'"):
        read_pts(path, 2)
    path.write_text("version: 1\nn_points: 2\n{\n1 2\n3 4\n}\n")
    with pytest.raises(ValueError, match="expected 68 points but got 2"):
        read_pts(path, 68)


def test_wflw_list_with_a_short_line(tmp_path: Path) -> None:
    path = tmp_path / "list_98pt_rect_attr_test.txt"
    path.write_text("1 2 3 name.jpg\n")
    with pytest.raises(ValueError, match=r"line 1: expected 207 fields .* got 4"):
        read_wflw_list(path, tmp_path, 98)


def test_rect_boxes_need_wflw(faces_root: Path) -> None:
    with pytest.raises(ValueError, match="Expected face rectangles for box=rect"):
        read_faces(ENTRIES["300w"], faces_root / "300w", "test", LandmarkProtocol(box="rect"))


@pytest.mark.parametrize(
    "name", ["face_landmarks_300w_test.csv", "COFW_test_color.mat", "list_98pt_rect_attr_test.txt"]
)
def test_a_pipe_in_place_of_a_file_is_refused_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    dataset = {"face": "300w", "COFW": "cofw", "list": "wflw"}[name[:4]]
    with pytest.raises(ValueError, match=rf"{name} but it is a pipe"):
        read_faces(ENTRIES[dataset], tmp_path, "test", PROTOCOL)


def test_numbers_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.pts"
    path.write_text("version: 1\n{\n1 2\nnan 4\n}\n")
    with pytest.raises(ValueError, match=r"a\.pts: expected finite points but got \[nan, 4\.0\] as number 2"):
        read_pts(path, 2)
    path = tmp_path / "list_98pt_rect_attr_test.txt"
    path.write_text(" ".join(["1"] * 10 + ["inf"] + ["1"] * 195) + " a.jpg\n")
    with pytest.raises(ValueError, match=r"line 1: expected a finite number in field 11 but got 'inf'"):
        read_wflw_list(path, tmp_path, 98)
