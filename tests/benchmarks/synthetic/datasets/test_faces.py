"""Embedded faces on disk: official names, counts of points, box rule, and MATLAB's orientation."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from PIL import Image

from benchmarks.synthetic import WRITERS
from benchmarks.synthetic.datasets import aflw as aflw_faces
from benchmarks.synthetic.datasets import cofw as cofw_faces
from benchmarks.synthetic.datasets import w300 as w300_faces
from benchmarks.synthetic.datasets import wflw as wflw_faces
from benchmarks.synthetic.datasets.face_files import landmark_box


def read(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(newline="") as file:
        lines = list(csv.reader(file))
    return lines[0], lines[1:]


def test_box_rule_on_a_published_row() -> None:
    """Indoor_029 of the 300-W test set: extremes of its landmarks, and the scale and centre that its csv row states."""
    scale, x, y = landmark_box(np.array([[268.0, 398.882], [710.702, 482.586], [566.941, 741.209], [400.0, 265.5]]))
    assert (scale, x, y) == (2.385, 489.5, 503.5)


@pytest.fixture(scope="module")
def w300(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("300w")
    w300_faces.write(root, {"train": 8, "valid_common": 2, "valid_challenge": 2, "test": 4}, 0)
    return root


def test_300w_layout(w300: Path) -> None:
    header, rows = read(w300 / "face_landmarks_300w_valid.csv")
    common, challenge = (read(w300 / f"face_landmarks_300w_valid_{s}.csv")[1] for s in ("common", "challenge"))
    assert rows == common + challenge
    assert header[:5] == ["image_name", "scale", "center_w", "center_h", "original_0_x"] and len(header) == 4 + 136
    for row in rows:
        points = np.array(row[4:], float).reshape(68, 2)
        assert np.allclose(landmark_box(points), np.array(row[1:4], float))
        lines = (w300 / "images" / row[0]).with_suffix(".pts").read_text().splitlines()
        raw = np.array([line.split() for line in lines[3:-1]], float)
        assert lines[0].startswith("version") and lines[2] == "{" and lines[-1] == "}"
        np.testing.assert_allclose(raw, points, atol=1e-3)


def test_300w_has_pictures_in_several_modes(w300: Path) -> None:
    modes = set()
    for path in sorted((w300 / "images").rglob("*.[jp][pn]g")):
        with Image.open(path) as picture:
            modes.add(picture.mode)
    assert {"RGB", "P", "L", "RGBA"} <= modes


def test_picture_does_not_depend_on_the_count(tmp_path: Path, w300: Path) -> None:
    w300_faces.write(tmp_path, {"train": 3}, 0)
    few, many = read(tmp_path / "face_landmarks_300w_train.csv")[1], read(w300 / "face_landmarks_300w_train.csv")[1]
    assert few == many[:3]
    name = few[2][0]
    assert (tmp_path / "images" / name).read_bytes() == (w300 / "images" / name).read_bytes()


def test_aflw_layout(tmp_path: Path) -> None:
    aflw_faces.write(tmp_path, {"train": 2, "test": 8}, 0)
    header, rows = read(tmp_path / "face_landmarks_aflw_test.csv")
    _, frontal = read(tmp_path / "face_landmarks_aflw_test_frontal.csv")
    assert (
        header[:6] == ["image_name", "scale", "box_size", "center_w", "center_h", "original_0_x"]
        and len(header) == 5 + 38
    )
    assert all(row in rows for row in frontal) and 0 < len(frontal) < len(rows)
    for row in rows:
        scale, size = float(row[1]), float(row[2])
        points = np.array(row[5:], float).reshape(19, 2)
        assert scale == pytest.approx(size / 200)
        assert size >= np.ptp(points, axis=0).max()
        assert (tmp_path / "images" / row[0]).is_file()


def test_cofw_arrays_lie_as_matlab_writes_them(tmp_path: Path) -> None:
    cofw_faces.write(tmp_path, {"train": 6, "test": 2}, 0)
    assert (tmp_path / "COFW_train_color.mat").read_bytes()[:19] == b"MATLAB 7.3 MAT-file"
    with h5py.File(tmp_path / "COFW_train_color.mat") as file:
        assert file["phisTr"].shape == (87, 6) and file["bboxesTr"].shape == (4, 6) and file["IsTr"].shape == (1, 6)
        shapes = [file[file["IsTr"][0, k]].shape for k in range(6)]
        assert [len(s) for s in shapes] == [3, 3, 3, 3, 2, 3]
        for k in range(6):
            width, height = shapes[k][-2:]
            x, y = file["phisTr"][:29, k], file["phisTr"][29:58, k]
            assert x.max() < width + 5 and y.max() < height + 5
            assert set(np.unique(file["phisTr"][58:, k])) <= {0.0, 1.0}
    with h5py.File(tmp_path / "COFW_test_color.mat") as file:
        assert {"IsT", "phisT", "bboxesT"} <= set(file)


def test_wflw_layout(tmp_path: Path) -> None:
    wflw_faces.write(tmp_path, {"train": 1, "test": 12}, 0)
    _, rows = read(tmp_path / "face_landmarks_wflw_test.csv")
    lines = [line.split() for line in (tmp_path / "list_98pt_rect_attr_test.txt").read_text().splitlines()]
    assert len(rows) == len(lines) == 12 and {len(line) for line in lines} == {196 + 4 + 6 + 1}
    for k, subset in enumerate(wflw_faces.SUBSETS.values()):
        _, part = read(tmp_path / f"face_landmarks_wflw_test_{subset}.csv")
        flagged = [line[-1] for line in lines if line[200 + k] == "1"]
        assert [row[0] for row in part] == flagged and len(flagged) >= 2
    for row, line in zip(rows, lines, strict=True):
        np.testing.assert_allclose(np.array(row[4:], float), np.array(line[:196], float), atol=1e-3)
        assert cv2.imread(str(tmp_path / "WFLW_images" / row[0])) is not None


def test_every_face_set_is_registered_and_big_enough() -> None:
    for name in ("300w", "aflw", "cofw", "wflw"):
        assert WRITERS[name].startswith("benchmarks.synthetic.datasets.")
    assert wflw_faces.SIZES["embedded"]["test"] // 6 >= 25
