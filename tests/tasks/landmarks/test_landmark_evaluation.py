"""Collecting, writing and drawing predictions; `predict` and its boxes; the suite."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import tasks
from benchmarks.suites import load_suite
from benchmarks.tables.uncertainty import image_counts
from tasks.landmarks.datasets import LandmarkEvalData
from tasks.landmarks.evaluation import LandmarkEvaluation
from tasks.landmarks.files.boxes_csv import boxes_in_csv
from tasks.landmarks.predict import FaceBoxes
from tasks.options import to_plain

TASK = tasks.get_task("landmarks")


def evaluation_of(faces_root: Path, dataset: str, split: str, offset: float = 0.0) -> LandmarkEvaluation:
    """An evaluation whose predictions are the truth moved by `offset` px in x."""
    protocol = TASK.protocol(dataset, tier="smoke")
    data = TASK.eval_data(dataset, faces_root / dataset, split, protocol)
    made = TASK.evaluation(data, protocol)
    assert isinstance(made, LandmarkEvaluation)
    points = [np.concatenate([p + np.array([offset, 0]), np.ones((len(p), 1))], 1) for p in data.faces.points]
    order = np.random.default_rng(0).permutation(len(points))
    made.add(order.tolist(), [points[k] for k in order])
    return made


@pytest.mark.parametrize(
    ("dataset", "split"), [("300w", "valid"), ("aflw", "test"), ("cofw", "test"), ("wflw", "test")]
)
def test_moved_truth_scores_as_it_was_moved(faces_root: Path, dataset: str, split: str) -> None:
    exact, moved = (evaluation_of(faces_root, dataset, split, offset) for offset in (0.0, 2.0))
    figures = [TASK.figures(dataset, e.stats(), to_plain(e.protocol)) for e in (exact, moved)]
    headline = TASK.headline(dataset)
    assert figures[0][headline] == 0 and figures[0]["AUC@0.08"] == 100 and figures[0]["FR@0.08"] == 0
    stats = moved.stats()
    length = stats["length_box" if dataset == "aflw" else "length_inter_ocular"]
    assert figures[1][headline] == pytest.approx(100 * np.mean(2.0 / length))
    assert set(figures[1]) <= set(TASK.metrics)
    assert stats["image"].tolist() == moved.data.image_ids() == list(moved.data.faces.images)
    subsets = {name.partition("/")[2] for name in figures[1] if "/" in name}
    assert subsets, "every set has its subsets as columns"


def test_faces_of_one_picture_are_drawn_together_and_counted_apart(faces_root: Path, tmp_path: Path) -> None:
    """WFLW shows several faces in a picture: the bootstrap draws pictures, n counts faces."""
    shutil.copytree(faces_root / "wflw", tmp_path / "wflw")
    names = [line.split(",")[0] for line in (tmp_path / "wflw/face_landmarks_wflw_test.csv").read_text().splitlines()]
    for path in (tmp_path / "wflw").glob("face_landmarks_wflw_test*.csv"):
        path.write_text(path.read_text().replace(names[2], names[1]))
    made = evaluation_of(tmp_path, "wflw", "test", 1.0)
    stats = made.stats()
    assert len(stats["image"]) == 6 and len(set(stats["image"])) == 5
    counts = image_counts(stats["image"], 20)
    assert (counts[:, 0] == counts[:, 1]).all() and len(np.unique(counts[:, 0])) > 1
    figures, samples = TASK.figures("wflw", stats, to_plain(made.protocol)), made.counts()
    assert samples.keys() == figures.keys() and samples["NME[inter_ocular]"] == 6
    for name in ("pose", "occlusion"):
        if f"FR@0.10/{name}" in samples:
            assert samples[f"FR@0.10/{name}"] == stats[f"subset_{name}"].sum()


def test_points_by_their_flag_count_the_faces_that_have_them(faces_root: Path) -> None:
    made = evaluation_of(faces_root, "cofw", "test", 1.0)
    samples, hidden = made.counts(), made.stats()["occluded"]
    assert samples.keys() == TASK.figures("cofw", made.stats(), to_plain(made.protocol)).keys()
    assert samples["NME[inter_ocular]/occluded_points"] == hidden.any(1).sum()
    assert samples["NME[inter_ocular]/visible_points"] == (~hidden).any(1).sum()
    assert samples["AUC@0.08/occluded"] + samples["AUC@0.08/hardly_occluded"] == len(made.data)


def test_missing_predictions_are_refused(faces_root: Path) -> None:
    made = evaluation_of(faces_root, "cofw", "test")
    made.points[2] = np.nan
    with pytest.raises(ValueError, match=r"1 are missing or not finite \(first: .*record 3"):
        made.stats()


def test_predictions_name_picture_and_points(faces_root: Path, tmp_path: Path) -> None:
    made = evaluation_of(faces_root, "300w", "valid", 1.5)
    made.write_predictions(tmp_path / "predictions")
    with (tmp_path / "predictions.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["image_name"] for row in rows] == list(made.data.faces.images)
    last = rows[-1]
    np.testing.assert_allclose(
        [float(last["point_67_x"]), float(last["point_67_y"])], made.data.faces.points[-1, 67] + [1.5, 0], atol=1e-3
    )
    assert len(last) == 2 + 136


def test_a_written_csv_scores_as_the_evaluation_did(faces_root: Path, tmp_path: Path) -> None:
    """To the last bit: rounded points would move a face over a failure rate's threshold."""
    made = evaluation_of(faces_root, "wflw", "test", 1 / 3)
    made.write_predictions(tmp_path / "found.csv")
    read, _ = TASK.submission_stats("wflw", faces_root / "wflw", "test", tmp_path / "found.csv", made.protocol)
    plain = to_plain(made.protocol)
    assert TASK.figures("wflw", read, plain) == TASK.figures("wflw", made.stats(), plain)


def test_pictures_show_truth_and_prediction(faces_root: Path) -> None:
    made = evaluation_of(faces_root, "cofw", "test", 6.0)
    truth, prediction = made.picture(0, "truth"), made.picture(0, "prediction")
    assert truth.dtype == np.uint8 and truth.shape == prediction.shape and truth.shape[2] == 3
    assert (truth != prediction).any()
    assert made.sample_scores().shape == (5,) and (made.sample_scores() < 0).all()
    assert all(curve[0][0] == 0 and curve[-1][1] <= 100 for curve in made.curves().values())


def test_a_missing_split_names_those_that_are_there(faces_root: Path, tmp_path: Path) -> None:
    name = "face_landmarks_300w_test.csv"
    (tmp_path / name).write_bytes((faces_root / "300w" / name).read_bytes())
    with pytest.raises(FileNotFoundError, match=r"Expected the valid split of 300w .* present: test \(--split test\)"):
        TASK.eval_data("300w", tmp_path, "valid", TASK.protocol("300w"))


def test_data_files_tell_the_data(faces_root: Path) -> None:
    for dataset, split, count in (("300w", "valid", 1), ("aflw", "test", 2), ("cofw", "test", 1), ("wflw", "test", 7)):
        files = TASK.data_files(dataset, faces_root / dataset, split, TASK.protocol(dataset))
        assert len(files) == count and all(path.exists() for path in files)


# ---- predict ----
def test_face_boxes_come_from_the_dataset(faces_root: Path, tmp_path: Path) -> None:
    root = faces_root / "300w"
    protocol = TASK.protocol("300w", tier="smoke")
    data = TASK.eval_data("300w", root, "valid", protocol)
    torch.manual_seed(0)
    network = tasks.build_model("landmarks", "hrnet_micro_w8", "300w").eval()
    image = root / "images" / data.faces.images[1]
    picture = data.picture(1)
    found = FaceBoxes(None, [image]).of(image, (picture.shape[1], picture.shape[0]))
    assert found is not None and found.origin.endswith(".csv") and len(found.xyxy_px) == 1
    with torch.inference_mode():
        expected = TASK.predict(network, data.collate([data[1]]), protocol)[0]
        (result,) = TASK.predict_pictures(network, "300w", [picture], protocol, [found.xyxy_px])
    np.testing.assert_allclose(result.keypoints_px[0] + 1, expected[:, :2], atol=2e-3)
    lone = tmp_path / image.name
    lone.write_bytes(image.read_bytes())
    assert FaceBoxes(None, [lone]).of(lone, (picture.shape[1], picture.shape[0])) is None


def test_box_columns_go_by_their_names(tmp_path: Path) -> None:
    """The same box in every order, as corners and as centre and scale; by path ends, never by another folder's name."""
    path, image = tmp_path / "boxes.csv", tmp_path / "a" / "x.jpg"
    for text in (
        "image_name,y1,x1,y0,x0\na/x.jpg,80,110,20,10\nb/x.jpg,1,1,0,0\n",
        "image_name;center_h;scale;center_w\na\\x.jpg;50;0.5;60\n",
        "image_name,scale,box_size,center_w,center_h,original_0_x,original_0_y\na/x.jpg,0.5,100,60,50,1,2\n",
        "a/x.jpg,10,20,110,80\n",
    ):
        path.write_text(text)
        ((centre, scale),) = boxes_in_csv(path, image)
        assert centre.tolist() == [60, 50] and scale == 0.5
    for text, words in (
        ("image_name,left,top\na/x.jpg,1,2\n", "line 1: expected the columns x0, y0"),
        ("a/x.jpg,0.5,60,50,1,2,3,4\n", "line 1: expected 5 columns .*need a header"),
        ("a/x.jpg,60,50,20,10\n", "x1 > x0 .*width and height"),
        ("a/x.jpg,1,2,1e30,9\n", "expected a number in px as x1"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=words):
            boxes_in_csv(path, image)


def test_box_files(tmp_path: Path) -> None:
    path = tmp_path / "boxes.csv"
    path.write_text("image_name,x0,y0,x1,y1\na/x.jpg,10,20,110,80\nx.jpg,0,0,50,60\n")
    (centre, scale), *others = boxes_in_csv(path, tmp_path / "a" / "x.jpg")
    assert centre.tolist() == [60, 50] and scale == 0.5 and len(others) == 1
    assert len(boxes_in_csv(path, tmp_path / "b" / "x.jpg")) == 1
    with pytest.raises(ValueError, match=r"Expected a face box of y.jpg in .*; add a line"):
        FaceBoxes(path, []).of(tmp_path / "y.jpg", (9, 9))
    with pytest.raises(ValueError, match=r"line 3: expected one picture for 'x.jpg', got .*a/x.jpg and .*b/x.jpg"):
        FaceBoxes(path, [tmp_path / "a" / "x.jpg", tmp_path / "b" / "x.jpg"])
    path.write_text("x.jpg,10,20,10,20\n")
    with pytest.raises(ValueError, match="line 1: expected a face box with an area"):
        boxes_in_csv(path, tmp_path / "x.jpg")
    for content, words in (
        ("é.jpg,1,2,3,4\n".encode("latin-1"), "line 1: expected UTF-8"),
        (b"x" * 200_000, "line 1: .*csv"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"boxes\.csv, {words}"):
            boxes_in_csv(path, tmp_path / "x.jpg")
    with pytest.raises(ValueError, match="no such file; correct --boxes"):
        boxes_in_csv(tmp_path / "none.csv", tmp_path / "x.jpg")


# ---- suite ----
@pytest.mark.parametrize("tier", ["smoke", "embedded"])
def test_suite_has_the_tables_of_the_issue(tier: str) -> None:
    suite = load_suite("embedded_landmarks", tier=tier)
    tables = {table.dataset: table for table in suite.tables}
    assert set(tables) == {"300w", "aflw", "cofw", "wflw"}
    assert len(tables["300w"].cells) == 4 and all(len(table.cells) >= 2 for table in tables.values())
    for table in tables.values():
        assert set(table.columns) <= set(TASK.metrics) and any("/" in column for column in table.columns)
    for cells in ([c for c in suite.cells if c.dataset == d] for d in tables):
        assert any(c.model.startswith("hrnet") for c in cells) and any(not c.model.startswith("hrnet") for c in cells)
        assert len({str(c.protocol) for c in cells}) == 1


# ---- real faces ----
def test_two_real_faces_run_through_the_reference_protocol() -> None:
    """Item 3 of the issue without weights: points, figures and drawings of the sample's 300-W faces (palette pictures)."""
    samples = Path(os.environ.get("HRNET_SAMPLES", Path(__file__).parents[4] / "shared" / "samples")) / "300w"
    if not samples.is_dir():
        pytest.skip(f"no samples at {samples}")
    protocol = TASK.protocol("300w", model="hrnet_w18", family="face")
    data = TASK.eval_data("300w", samples, "test", protocol)
    torch.manual_seed(0)
    network = tasks.build_model("landmarks", "hrnet_micro_w8", "300w").eval()
    made = TASK.evaluation(data, protocol)
    batch = data.collate([data[0], data[1]])
    assert batch["images"].shape == (2, 3, 256, 256)
    with torch.inference_mode():
        found = TASK.predict(network, batch, protocol)
    made.add([1, 0], found[::-1])
    figures = TASK.figures("300w", made.stats(), to_plain(protocol))
    assert figures["NME[inter_ocular]"] == pytest.approx(figures["NME[inter_ocular]/indoor"])
    assert all(np.array_equal(points[:, :2], np.trunc(points[:, :2])) for points in found), "whole pixels"
    assert isinstance(data, LandmarkEvalData)
    image = samples / "images" / data.faces.images[0]
    boxes = FaceBoxes(None, [image]).of(image, (0, 0))
    assert boxes is not None
    with torch.inference_mode():
        (result,) = TASK.predict_pictures(network, "300w", [data.picture(0)], protocol, [boxes.xyxy_px])
    np.testing.assert_array_equal(result.keypoints_px[0] + 1, found[0][:, :2])
    assert result.draw(image).shape == data.picture(0).shape
