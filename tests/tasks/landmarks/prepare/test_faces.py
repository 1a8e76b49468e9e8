"""The four face sets from files in their owners' forms to what the loader reads; failures included."""

from __future__ import annotations

from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from scipy.io import savemat

from benchmarks.cli import entry
from tasks import get_task
from tasks.landmarks.datasets import read_faces
from tasks.landmarks.entries import ENTRIES
from tasks.landmarks.files.faces import Faces


def _points(count: int, number: int) -> np.ndarray:
    return np.round(np.random.default_rng(number).uniform(30, 170, (count, 2)), 3)


def _picture(path: Path, size_wh: tuple[int, int] = (220, 210)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((size_wh[1], size_wh[0], 3), 90, np.uint8))


def _run(dataset: str, raw: Path, root: Path, *words: str) -> int:
    return entry(["prepare", dataset, "--from", str(raw), "--data-root", str(root), *words])


def _faces(dataset: str, root: Path, split: str) -> Faces:
    return read_faces(ENTRIES[dataset], root / dataset, split, get_task("landmarks").protocol(dataset))


FOLDERS_300W = (
    "afw",
    "helen/trainset",
    "lfpw/trainset",
    "helen/testset",
    "lfpw/testset",
    "ibug",
    "300W/01_Indoor",
    "300W/02_Outdoor",
)


def _raw_300w(raw: Path, folders: tuple[str, ...] = FOLDERS_300W) -> None:
    for number, folder in enumerate(folders):
        for name in ("b 1", "a,2"):
            _picture(raw / folder / f"{name}.png")
            body = "\n".join(f"{x} {y}" for x, y in _points(68, number).tolist())
            (raw / folder / f"{name}.pts").write_text(f"version: 1\nn_points:  68\n{{\n{body}\n}}\n")


def test_300w_gives_a_csv_per_split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw, root = tmp_path / "raw", tmp_path / "data"
    _raw_300w(raw)
    assert _run("300w", raw, root) == 0
    told = capsys.readouterr().out
    assert "! faces of train: 6, but the official set has 3,148" in told and "ok valid: 6 samples" in told
    test = _faces("300w", root, "test")
    assert test.annotation.suffix == ".csv"
    assert test.images == tuple(f"Test/{f}/{n}.png" for f in ("01_Indoor", "02_Outdoor") for n in ("a,2", "b 1"))
    assert test.points[0].tolist() == _points(68, 6).tolist()
    low, high = np.floor(_points(68, 6).min(0)), np.ceil(_points(68, 6).max(0))
    assert test.scales[0] == (high - low).max() / 200 and test.centres[0].tolist() == ((low + high) / 2).tolist()
    assert len(_faces("300w", root, "valid")) == 6 == len(_faces("300w", root, "valid_common")) + 2
    assert _run("300w", raw, root) == 0
    assert "there already, the same" in capsys.readouterr().out


def test_300w_in_part_makes_the_splits_that_are_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw, root = tmp_path / "raw", tmp_path / "data"
    _raw_300w(raw, ("helen/testset", "lfpw/testset", "ibug"))
    assert _run("300w", raw, root) == 0
    told = capsys.readouterr().out
    assert "! train: not made, there is no afw nor helen/trainset nor lfpw/trainset" in told
    assert sorted(path.stem for path in (root / "300w").glob("*.csv")) == [
        f"face_landmarks_300w_{name}" for name in ("valid", "valid_challenge", "valid_common")
    ]
    (raw / "ibug" / "b 1.pts").write_text("version: 1\n{\n1 2\n}\n")
    assert _run("300w", raw, tmp_path / "other") == 2
    assert "expected 68 points but got 1" in capsys.readouterr().err
    assert _run("300w", tmp_path / "data" / "300w" / "images" / "ibug", tmp_path / "third") == 2
    assert "found no split whole" in capsys.readouterr().err


def _raw_wflw(raw: Path) -> None:
    folder = raw / "WFLW_annotations" / "list_98pt_rect_attr_train_test"
    folder.mkdir(parents=True)
    for split, count in (("train", 3), ("test", 4)):
        lines = []
        for number in range(count):
            name = f"0--Parade/{split}_{number}.jpg"
            _picture(raw / "WFLW_images" / name)
            flags = [int(number == 0), 0, 0, int(number < 2), 0, int(number == 3)]
            numbers = [*_points(98, number).ravel().tolist(), 10, 20, 180, 190, *flags]
            lines.append(" ".join(str(value) for value in numbers) + f" {name}\n")
        (folder / f"list_98pt_rect_attr_{split}.txt").write_text("".join(lines))


def test_wflw_gives_its_subsets_by_the_flags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw, root = tmp_path / "raw", tmp_path / "data"
    _raw_wflw(raw)
    assert _run("wflw", raw, root) == 0
    assert "! faces of test_makeup: 2, but the official set has 206" in capsys.readouterr().out
    test = _faces("wflw", root, "test")
    assert test.annotation.name == "face_landmarks_wflw_test.csv"
    assert test.points[1].tolist() == _points(98, 1).tolist() and test.images[1] == "0--Parade/test_1.jpg"
    assert {name: flags.tolist() for name, flags in test.subsets.items() if flags.any()} == {
        "pose": [True, False, False, False],
        "makeup": [True, True, False, False],
        "blur": [False, False, False, True],
    }
    assert _run("wflw", raw, root) == 0
    path = raw / "WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_test.txt"
    path.write_text(path.read_text().replace(" 10 20 180", " 10 180", 1))
    assert _run("wflw", raw, tmp_path / "other") == 2
    assert "list_98pt_rect_attr_test.txt, line 1: expected 207 fields" in capsys.readouterr().err


def _raw_aflw(raw: Path, **changes: np.ndarray) -> np.ndarray:
    """Six faces; returns their points."""
    raw.mkdir(parents=True)
    points = np.stack([_points(19, number) for number in range(6)])
    names = np.empty((6, 1), dtype=object)
    for number in range(6):
        names[number, 0] = f"{number % 2}/image{number:05d}.jpg"
        _picture(raw / "flickr" / names[number, 0])
    held = {
        "bbox": np.array([[20.0, 180, 25, 185]] * 6) + np.arange(6)[:, None],
        "data": np.concatenate([points[..., 0], points[..., 1]], axis=1),
        "mask_new": np.ones((6, 19), np.uint8),
        "nameList": names,
        "ra": np.array([[4, 1, 6, 2, 5, 3]], np.uint16),
    }
    held["mask_new"][4, 0] = 0
    savemat(raw / "AFLWinfo_release.mat", {**held, **changes})
    return points


def test_aflw_follows_the_owners_order_and_rectangle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw, root = tmp_path / "raw", tmp_path / "data"
    points = _raw_aflw(raw)
    assert _run("aflw", raw, root) == 0
    assert "! faces of train: 4, but the official set has 20,000" in capsys.readouterr().out
    train, test = _faces("aflw", root, "train"), _faces("aflw", root, "test")
    assert [image[-9:-4] for image in (*train.images, *test.images)] == [f"{n:05d}" for n in (3, 0, 5, 1, 4, 2)]
    assert train.images[0] == "flickr/1/image00003.jpg" and train.points[0].tolist() == points[3].tolist()
    assert train.box_size is not None and train.box_size[0] == 160 and train.scales[0] == 0.8
    assert train.centres[0].tolist() == [103.0, 108.0]
    assert test.subsets["frontal"].tolist() == [False, True]
    for name, value, text in (
        ("ra", np.array([[1, 1, 2, 3, 4, 5]]), "expected ra to name each of the 6 faces once"),
        ("data", np.zeros((6, 21)), "expected data as finite numbers (6, 38), got (6, 21)"),
        ("bbox", np.array([[180.0, 20, 185, 25]] * 6), "expected left, right, top, bottom"),
    ):
        _raw_aflw(tmp_path / f"raw_{name}", **{name: value})
        assert _run("aflw", tmp_path / f"raw_{name}", tmp_path / f"{name}_data") == 2
        assert text in capsys.readouterr().err


def test_cofw_is_checked_and_linked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw, root = tmp_path / "raw", tmp_path / "data"
    (raw / "nested").mkdir(parents=True)
    points = np.stack([_points(29, number) for number in range(2)])
    for split, suffix in (("train", "Tr"), ("test", "T")):
        with h5py.File(raw / "nested" / f"COFW_{split}_color.mat", "w") as file:
            table = np.concatenate([points[..., 0], points[..., 1], np.zeros((2, 29))], axis=1)
            file[f"phis{suffix}"] = table.T
            pictures = [file.create_dataset(f"p{n}", data=np.full((3, 220, 210), 90, np.uint8)) for n in range(2)]
            cells = file.create_dataset(f"Is{suffix}", (2, 1), dtype=h5py.ref_dtype)
            cells[:, 0] = [picture.ref for picture in pictures]
    assert _run("cofw", raw, root) == 0
    assert "! faces of test: 2, but the official set has 507" in capsys.readouterr().out
    assert _faces("cofw", root, "test").points.tolist() == points.tolist()
    assert (root / "cofw/COFW_test_color.mat").is_symlink()
    assert _run("cofw", raw, tmp_path / "copied", "--copy") == 0
    assert not (tmp_path / "copied/cofw/COFW_test_color.mat").is_symlink()
    (raw / "nested/COFW_train_color.mat").write_bytes(b"MATLAB 5.0 MAT-file")
    assert _run("cofw", raw, tmp_path / "other") == 2
    assert "Expected a MATLAB v7.3 file" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
