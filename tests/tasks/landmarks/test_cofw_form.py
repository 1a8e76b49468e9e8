"""COFW's .mat files: read upright, or refused."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from tasks.landmarks.datasets import read_faces
from tasks.landmarks.entries import ENTRIES
from tasks.landmarks.files.cofw import CofwPictures, matlab_picture, read_cofw
from tasks.landmarks.protocol import LandmarkProtocol

PROTOCOL = LandmarkProtocol()


def write_cofw_by_hand(path: Path, pictures: list[np.ndarray], phis: np.ndarray) -> None:
    """As MATLAB stores it: every array with its axes reversed, pictures behind references."""
    with h5py.File(path, "w") as file:
        refs = file.create_group("#refs#")
        cells = file.create_dataset("IsT", (1, len(pictures)), h5py.ref_dtype)
        for index, picture in enumerate(pictures):
            stored = np.zeros(picture.shape[::-1], np.uint8)
            for place in np.ndindex(picture.shape):
                stored[place[::-1]] = picture[place]
            cells[0, index] = refs.create_dataset(f"p{index}", data=stored).ref
        file["phisT"] = phis.T


def test_cofw_pictures_and_points_lie_upright(tmp_path: Path) -> None:
    """Each landmark's pixel is lit; a picture or points read transposed would find dark ones."""
    rng = np.random.default_rng(0)
    height, width = 14, 33
    pictures, phis = [], []
    for grey in (False, True):
        x, y = rng.permutation(width - 1)[:29] + 1, rng.integers(1, height + 1, 29)
        picture = np.zeros((height, width) if grey else (height, width, 3), np.uint8)
        picture[y - 1, x - 1] = 200 if grey else (250, 120, 30)
        pictures.append(picture)
        phis.append(np.concatenate([x, y, rng.integers(0, 2, 29)]))
    write_cofw_by_hand(tmp_path / "COFW_test_color.mat", pictures, np.array(phis, float))
    faces = read_cofw(tmp_path, "test", 29)
    stored = CofwPictures(tmp_path / "COFW_test_color.mat", "test")
    for index, colour in enumerate(((250, 120, 30), (200, 200, 200))):
        picture = stored[index]
        assert picture.shape == (height, width, 3)
        lit = faces.points[index].astype(int) - 1
        np.testing.assert_array_equal(picture[lit[:, 1], lit[:, 0]], np.tile(colour, (29, 1)))
    np.testing.assert_array_equal(faces.occluded, np.array(phis)[:, 58:] > 0)


def test_cofw_cells_may_stand_in_a_row_or_a_column(tmp_path: Path) -> None:
    pictures = [np.full((4, 5), value, np.uint8) for value in (10, 20)]
    phis = np.tile(np.linspace(1, 4, 87), (2, 1))
    path = tmp_path / "COFW_test_color.mat"
    write_cofw_by_hand(path, pictures, phis)
    with h5py.File(path, "r+") as file:
        cells = file["IsT"][()]
        del file["IsT"]
        column = file.create_dataset("IsT", (2, 1), h5py.ref_dtype)
        column[...] = cells.T
    assert len(read_cofw(tmp_path, "test", 29)) == 2
    stored = CofwPictures(path, "test")
    assert [int(stored[index][0, 0, 0]) for index in (0, 1)] == [10, 20]


def test_a_transposed_cofw_picture_is_noticed(faces_root: Path) -> None:
    """The eyes of the embedded faces are darker than the skin between them; in a transposed picture they are not there."""
    root = faces_root / "cofw"
    faces = read_faces(ENTRIES["cofw"], root, "train", PROTOCOL)
    stored = CofwPictures(root / "COFW_train_color.mat", "train")

    def darkness(transposed: bool) -> float:
        found = []
        for index in range(len(faces)):
            picture = stored[index].astype(float).mean(-1)
            picture = picture.T if transposed else picture
            hidden = faces.occluded[index]
            x, y = (faces.points[index] - 1).round().astype(int).T
            inside = (x < picture.shape[1]) & (y < picture.shape[0]) & ~hidden
            pupils = [p for p in (16, 17) if inside[p]]
            skin = [p for p in (20,) if inside[p]]
            if pupils and skin:
                found.append(picture[y[skin], x[skin]].mean() - picture[y[pupils], x[pupils]].mean())
        return float(np.mean(found))

    assert darkness(False) > 20 > darkness(True)


def test_cofw_subsets_follow_the_flags(faces_root: Path) -> None:
    faces = read_faces(ENTRIES["cofw"], faces_root / "cofw", "test", PROTOCOL)
    assert faces.occluded is not None and faces.occluded.shape == (5, 29)
    np.testing.assert_array_equal(faces.subsets["occluded"], faces.occluded.mean(1) > 0.25)


def test_an_old_mat_file(tmp_path: Path) -> None:
    from scipy.io import savemat

    with (tmp_path / "COFW_test_color.mat").open("wb") as handle:
        savemat(handle, {"phisT": np.zeros((2, 87))})
    with pytest.raises(ValueError, match=r"Expected a MATLAB v7.3 file .* '-v7.3'"):
        read_cofw(tmp_path, "test", 29)


def test_a_mat_file_that_is_cut_off(faces_root: Path, tmp_path: Path) -> None:
    whole = (faces_root / "cofw" / "COFW_test_color.mat").read_bytes()
    (tmp_path / "COFW_test_color.mat").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"COFW_test_color\.mat cannot be read: it is cut off"):
        read_cofw(tmp_path, "test", 29)


def test_a_mat_file_whose_cells_are_no_pictures(tmp_path: Path) -> None:
    path = tmp_path / "COFW_test_color.mat"
    with h5py.File(path, "w") as file:
        file["IsT"], file["phisT"] = np.zeros((1, 2)), np.ones((87, 2))
    with pytest.raises(ValueError, match=r"COFW_test_color\.mat cannot be read: .* its fields are of another kind"):
        CofwPictures(path, "test")[0]


def test_a_mat_file_without_a_field(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "COFW_test_color.mat", "w") as file:
        file["phisT"] = np.zeros((87, 2))
    with pytest.raises(ValueError, match=r"Expected the field 'IsT' in .* but got \['phisT'\]"):
        read_cofw(tmp_path, "test", 29)


def test_a_mat_file_that_is_not_transposed(tmp_path: Path) -> None:
    write_cofw_by_hand(tmp_path / "COFW_test_color.mat", [np.zeros((4, 5), np.uint8)] * 2, np.zeros((87, 2)))
    with pytest.raises(ValueError, match=r"phisT of shape \(87, 2\) .* got \(2, 87\)"):
        read_cofw(tmp_path, "test", 29)


def test_a_picture_of_another_type() -> None:
    with pytest.raises(ValueError, match=r"record 3: expected a picture stored as .* float64"):
        matlab_picture(np.zeros((3, 4, 5)), "record 3")


def test_points_that_are_no_numbers(tmp_path: Path) -> None:
    phis = np.tile(np.linspace(1, 4, 87), (2, 1))
    phis[1, 3] = np.nan
    write_cofw_by_hand(tmp_path / "COFW_test_color.mat", [np.zeros((4, 5), np.uint8)] * 2, phis)
    with pytest.raises(ValueError, match=r"phisT of record 2: expected finite numbers"):
        read_cofw(tmp_path, "test", 29)
