"""The people data sets on disk: the official tools read them, and they say what the pictures show."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from scipy.io import loadmat

from benchmarks.synthetic.datasets import coco_people
from benchmarks.synthetic.datasets import lip as lip_people
from benchmarks.synthetic.datasets import mpii as mpii_people

SEED = 5
# pycocotools 2.0 decodes through an array protocol that numpy 2 deprecates; nothing of ours is meant.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")


@pytest.fixture(scope="module")
def coco_root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("coco")
    coco_people.write(root, {"train": 4, "val": 14}, SEED)
    return root


@pytest.fixture(scope="module")
def mpii_root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("mpii")
    mpii_people.write(root, {"train": 4, "valid": 12, "test": 2}, SEED)
    return root


@pytest.fixture(scope="module")
def lip_root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("lip")
    lip_people.write(root, {"train": 3, "val": 10}, SEED)
    return root


def _annotations(root: Path, split: str) -> dict:
    return json.loads((root / "annotations" / f"person_keypoints_{split}2017.json").read_text())


@pytest.mark.parametrize(
    ("writer", "splits"),
    [(coco_people, ("train", "val")), (mpii_people, ("train", "valid")), (lip_people, ("train", "val"))],
)
def test_a_picture_does_not_depend_on_how_many_are_written(writer, splits, tmp_path):
    writer.write(tmp_path / "few", dict.fromkeys(splits, 1), 3)
    writer.write(tmp_path / "more", dict.fromkeys(splits, 2), 3)
    few = {path.relative_to(tmp_path / "few"): path for path in (tmp_path / "few").rglob("*.jpg")}
    assert len(few) == 2
    for name, path in few.items():
        assert path.read_bytes() == (tmp_path / "more" / name).read_bytes()
    assert len({path.read_bytes() for path in (tmp_path / "more").rglob("*.jpg")}) == 4


def test_coco_tools_load_annotations_and_detections(coco_root, capsys):
    truth = COCO(str(coco_root / "annotations" / "person_keypoints_val2017.json"))
    found = truth.loadRes(str(coco_root / "person_detection_results" / coco_people.DETECTIONS))
    capsys.readouterr()
    assert len(truth.imgs) == 14 and len(found.anns) > 14
    assert all(set(entry) >= {"image_id", "category_id", "bbox", "score"} for entry in found.dataset["annotations"])
    assert all(0 < entry["score"] < 1 for entry in found.dataset["annotations"])
    for annotation in truth.anns.values():
        mask = truth.annToMask(annotation)
        assert mask.sum() == pytest.approx(annotation["area"], rel=0.35, abs=40)


def test_coco_keypoints_follow_the_conventions(coco_root):
    document = _annotations(coco_root, "val")
    sizes = {image["id"]: (image["width"], image["height"]) for image in document["images"]}
    assert len({annotation["id"] for annotation in document["annotations"]}) == len(document["annotations"])
    kinds = set()
    for annotation in document["annotations"]:
        table = np.array(annotation["keypoints"]).reshape(17, 3)
        kinds |= set(table[:, 2].tolist())
        assert annotation["num_keypoints"] == (table[:, 2] > 0).sum()
        assert (table[table[:, 2] == 0] == 0).all()
        width, height = sizes[annotation["image_id"]]
        placed = table[table[:, 2] > 0]
        assert (placed[:, :2] >= 0).all() and (placed[:, 0] < width).all() and (placed[:, 1] < height).all()
        x, y, w, h = annotation["bbox"]
        seen = table[table[:, 2] == 2]
        assert (
            (seen[:, 0] >= x).all()
            and (seen[:, 0] < x + w).all()
            and (seen[:, 1] >= y).all()
            and (seen[:, 1] < y + h).all()
        )
    assert kinds == {0, 1, 2}


def test_coco_visible_keypoints_lie_in_the_segment(coco_root, capsys):
    truth = COCO(str(coco_root / "annotations" / "person_keypoints_val2017.json"))
    capsys.readouterr()
    inside = []
    for annotation in truth.anns.values():
        mask = cv2.dilate(truth.annToMask(annotation), np.ones((3, 3), np.uint8))
        table = np.array(annotation["keypoints"]).reshape(17, 3)
        seen = table[table[:, 2] == 2]
        inside.extend(mask[seen[:, 1], seen[:, 0]])
    assert len(inside) > 100 and np.mean(inside) >= 0.97


def test_coco_has_groups_and_people_without_keypoints():
    crowds = tiny = 0
    for number in range(60):
        scene, rng = coco_people.render_picture(1, "train", number)
        for annotation in coco_people.annotate(scene, number, rng):
            if annotation["iscrowd"]:
                crowds += 1
                counts = annotation["segmentation"]["counts"]
                assert sum(counts) == scene.crowd.size and sum(counts[1::2]) == annotation["area"]
            elif annotation["num_keypoints"] == 0:
                tiny += 1
    assert crowds and tiny


def test_mpii_mat_agrees_with_valid_json(mpii_root):
    records = json.loads((mpii_root / "annot" / "valid.json").read_text())
    truth = loadmat(mpii_root / "annot" / "gt_valid.mat")
    assert [str(name[0]) for name in truth["dataset_joints"][0]] == list(mpii_people.JOINT_NAMES)
    assert truth["pos_gt_src"].shape == (16, 2, len(records)) and truth["headboxes_src"].shape == (2, 2, len(records))
    assert truth["jnt_missing"].dtype == np.uint8
    for number, record in enumerate(records):
        known = np.array(record["joints_vis"]) == 1
        joints = np.array(record["joints"])
        assert (joints[~known] == -1).all() and (joints[known] >= 1).all()
        np.testing.assert_array_equal(truth["jnt_missing"][:, number] == 0, known)
        np.testing.assert_allclose(truth["pos_gt_src"][known, :, number], joints[known])
        picture = cv2.imread(str(mpii_root / "images" / record["image"]))
        assert (joints[known] <= picture.shape[1::-1]).all()
        (x1, y1), (x2, y2) = truth["headboxes_src"][:, :, number]
        assert 0.05 < (y2 - y1) / (200 * record["scale"]) < 0.5 and x2 > x1
        reach = np.abs(joints[known] - record["center"]).max()
        assert reach < 0.75 * 200 * record["scale"]


def test_mpii_splits_are_as_released(mpii_root):
    load = {
        name: json.loads((mpii_root / "annot" / f"{name}.json").read_text())
        for name in ("train", "valid", "trainval", "test")
    }
    assert load["trainval"] == load["train"] + load["valid"]
    assert all(set(record) == {"image", "scale", "center"} for record in load["test"])
    assert all(set(record) == {"joints_vis", "joints", "image", "scale", "center"} for record in load["train"])


def test_lip_lists_name_pictures_and_labels_of_one_size(lip_root):
    lines = (lip_root / "valList.txt").read_text().splitlines()
    assert len(lines) == 10 and (lip_root / "testvalList.txt").read_text().splitlines() == lines
    shapes = set()
    for line in lines + (lip_root / "trainList.txt").read_text().splitlines():
        picture, label = line.split()
        image = cv2.imread(str(lip_root / "TrainVal_images" / picture))
        parts = cv2.imread(str(lip_root / "TrainVal_parsing_annotations" / label), cv2.IMREAD_UNCHANGED)
        assert parts.ndim == 2 and parts.dtype == np.uint8 and parts.shape == image.shape[:2]
        assert parts.max() <= 19 and 0.05 < (parts > 0).mean() < 0.95
        shapes.add(parts.shape)
    assert len(shapes) > 5


def test_lip_stores_some_pictures_in_grey(tmp_path):
    grey = [number for number in range(1000) if lip_people.is_grey(0, "train", number)]
    assert 10 <= len(grey) <= 60
    first = grey[0]
    lip_people.write(tmp_path, {"train": first + 1}, 0)
    names = sorted((tmp_path / "TrainVal_images" / "train_images").iterdir())
    channels = [cv2.imread(str(name), cv2.IMREAD_UNCHANGED).ndim for name in names]
    assert channels == [3] * first + [2]
