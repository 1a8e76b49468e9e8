"""Embedded detection scenes: instances as pycocotools reads them, and keypoints of the same people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from benchmarks.synthetic.datasets.coco_objects import CATEGORY_IDS, instance_records, outlines, write
from benchmarks.synthetic.raster.canvas import Canvas, ellipse_points, rectangle
from benchmarks.synthetic.scenes.gathering import KINDS, THINGS, gathering
from tasks.detection.files.annotations import read_instances
from tasks.detection.files.categories import COCO_NAMES

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools

SIZES = {"train": 24, "val": 6}
NAMES = {"ball": "sports ball", "pottedplant": "potted plant", "tvmonitor": "tv"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coco_detection")
    write(folder, SIZES, seed=0)
    return folder


@pytest.fixture(scope="module")
def coco(root: Path) -> COCO:
    return COCO(str(root / "annotations" / "instances_train2017.json"))


def test_category_ids_are_the_official_ones(coco: COCO):
    assert set(CATEGORY_IDS) == set(THINGS)
    for name, number in CATEGORY_IDS.items():
        assert COCO_NAMES[number] == NAMES.get(name, name)
    assert sorted(coco.cats) == sorted(COCO_NAMES)
    assert len(coco.cats) == 80


def test_masks_boxes_and_areas_agree(coco: COCO):
    for annotation in coco.anns.values():
        image = coco.imgs[annotation["image_id"]]
        mask = coco.annToMask(annotation).astype(bool)
        assert mask.shape == (image["height"], image["width"])
        assert mask.sum() == annotation["area"] >= 25
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        x, y, width, height = annotation["bbox"]
        assert abs(x - columns[0]) <= 1
        assert abs(y - rows[0]) <= 1
        assert abs(x + width - 1 - columns[-1]) <= 1
        assert abs(y + height - 1 - rows[-1]) <= 1
        assert isinstance(annotation["segmentation"], dict) or not annotation["iscrowd"]


def test_our_loader_reads_every_record(root: Path):
    for split, count in SIZES.items():
        instances = read_instances(root, f"{split}2017")
        assert len(instances) == count
        assert instances.fallback is None
        assert np.diff(instances.objects.start).all()
        for index in range(count):
            picture = cv2.imread(str(root / instances.files[index]))
            assert picture.shape[:2] == instances.size_hw(index)


def test_keypoints_belong_to_the_same_persons(root: Path, coco: COCO):
    pose = COCO(str(root / "annotations" / "person_keypoints_train2017.json"))
    persons = {number: a for number, a in coco.anns.items() if a["category_id"] == 1}
    assert pose.anns.keys() == persons.keys()
    assert pose.imgs == coco.imgs
    with_joints = 0
    for number, annotation in pose.anns.items():
        assert annotation["bbox"] == persons[number]["bbox"]
        assert annotation["iscrowd"] == persons[number]["iscrowd"]
        table = np.array(annotation["keypoints"]).reshape(17, 3)
        assert annotation["num_keypoints"] == (table[:, 2] > 0).sum()
        mask = pose.annToMask(annotation).astype(bool)
        for x, y, v in table:
            if v == 0:
                assert (x, y) == (0, 0)
            elif v == 2:
                assert mask[y, x]
        with_joints += annotation["num_keypoints"] > 8
    assert with_joints > 5


def test_outlines_are_filled_to_the_same_pixels():
    rng = np.random.default_rng(0)
    for _ in range(20):
        mask = cv2.GaussianBlur(rng.random((40, 60)), (0, 0), 3) > 0.5
        filled = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(outlines(mask), 40, 60))).astype(bool)
        whole = mask.astype(np.uint8)
        contours, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(whole, contours, -1, 1, cv2.FILLED)
        np.testing.assert_array_equal(filled, whole.astype(bool))


def test_what_covers_a_thing_is_not_part_of_it():
    canvas = Canvas(100, 80)
    with canvas.item("bus", instance=True):
        canvas.polygon(rectangle(10, 10, 90, 70), (200, 200, 20))
    with canvas.item("ball", instance=True):
        canvas.polygon(ellipse_points((60, 40), (15, 15)), (20, 20, 20))
    with canvas.item("car", instance=True):  # covers the ball all but wholly
        canvas.polygon(rectangle(44, 25, 74, 56), (20, 20, 200))
    bus, car = instance_records(canvas, 1)
    assert (bus["category_id"], car["category_id"]) == (6, 3)
    assert isinstance(bus["segmentation"], dict)  # it has a hole, which a polygon would fill
    assert bus["area"] == pytest.approx(80 * 60 - 30 * 31, abs=60)
    assert car["bbox"] == pytest.approx([44, 25, 30, 31], abs=1)


def test_sizes_crowds_and_categories_are_varied():
    records: list[dict[str, Any]] = []
    for index in range(80):
        canvas, _ = gathering(np.random.default_rng([7, index]), 256, 192)
        records += instance_records(canvas, index)
    areas = np.array([record["area"] for record in records])
    assert {record["category_id"] for record in records} == set(CATEGORY_IDS.values())
    assert 2 <= len(records) / 80 <= 7
    assert (areas < 32**2).sum() > 20
    assert (areas > 96**2).sum() >= 2
    assert any(record["iscrowd"] for record in records)
    short = np.array([min(record["bbox"][2:]) for record in records])
    assert (short > 12).mean() > 0.8


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_scene_holds_things(kind: str):
    canvas, picture = gathering(np.random.default_rng(5), 240, 320, kind)
    assert picture.shape == (320, 240, 3)
    assert instance_records(canvas, 1)
    assert (canvas.item_map() >= 0).all()


def test_a_picture_depends_on_seed_split_and_index_alone(root: Path, tmp_path: Path):
    write(tmp_path, {"train": 3}, seed=0)
    for path in tmp_path.rglob("*.jpg"):
        assert path.read_bytes() == (root / path.relative_to(tmp_path)).read_bytes()
    few, many = (
        json.loads((folder / "annotations" / "instances_train2017.json").read_text()) for folder in (tmp_path, root)
    )
    kept = {image["id"] for image in few["images"]}
    assert few["annotations"] == [a for a in many["annotations"] if a["image_id"] in kept]
