"""Reading the official forms: csv, .pts, WFLW's list, COFW's HDF5; orientation, picture modes, and what bad files say."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from tasks import get_task
from tasks.landmarks.crops.augment import FaceAugment
from tasks.landmarks.datasets import LandmarkEvalData, LandmarkTrainData, read_faces
from tasks.landmarks.entries import ENTRIES
from tasks.landmarks.files.cofw import CofwPictures, matlab_picture, read_cofw
from tasks.landmarks.files.csv_form import read_csv
from tasks.landmarks.files.faces import landmark_boxes
from tasks.landmarks.files.raw_forms import read_pts, read_wflw_list
from tasks.landmarks.protocol import LandmarkProtocol

SAMPLES = Path(os.environ.get("HRNET_SAMPLES", Path(__file__).parents[4] / "shared" / "samples"))
PROTOCOL = LandmarkProtocol()


def csv_line(name: str, points: np.ndarray, box: tuple[float, ...] = (1.0, 60.0, 70.0)) -> str:
    return ",".join([name, *map(str, box), *map(str, points.ravel())])


def header(count: int, box: str = "scale,center_w,center_h") -> str:
    return ",".join(["image_name", box, *(f"original_{k}_{axis}" for k in range(count) for axis in "xy")])


POINTS = np.arange(136, dtype=float).reshape(68, 2) + 10.5


def write_300w(root: Path, *lines: str) -> Path:
    path = root / "face_landmarks_300w_test.csv"
    path.write_text("\n".join([header(68), *lines]) + "\n")
    return path


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


# ---- COFW ----
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
    phis = np.tile(np.linspace(1, 4, 87), (2, 1))
    phis[1, 3] = np.nan
    write_cofw_by_hand(tmp_path / "COFW_test_color.mat", [np.zeros((4, 5), np.uint8)] * 2, phis)
    with pytest.raises(ValueError, match=r"phisT of record 2: expected finite numbers"):
        read_cofw(tmp_path, "test", 29)
