"""Embedded PASCAL Context: the Detail json and the pngs hold the same label map."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from benchmarks.synthetic.datasets.pascal_context import ALIASES, DETAIL_IDS, label_map, scene, write
from benchmarks.synthetic.scenes import indoor, outdoor
from tasks.segmentation.files.class_tables.pascal_context import PASCAL_DETAIL_IDS
from tasks.segmentation.files.pascal_context import PascalContext

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools

SIZES = {"train": 10, "val": 5}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pascal_context")
    write(folder, SIZES, seed=0)
    return folder


def test_category_ids_are_the_official_ones():
    assert list(DETAIL_IDS.values()) == sorted(PASCAL_DETAIL_IDS)
    assert len(DETAIL_IDS) == 60
    assert set(ALIASES.values()) <= set(DETAIL_IDS)


def test_json_and_pngs_hold_the_same_labels(root: Path):
    voc = root / "VOCdevkit" / "VOC2010"
    content = json.loads((voc / "trainval_merged.json").read_text())
    ranks = {number: rank for rank, number in enumerate(DETAIL_IDS.values())}
    painted = {image["image_id"]: np.zeros((image["height"], image["width"]), np.uint8) for image in content["images"]}
    covered = {image_id: np.zeros(labels.shape, int) for image_id, labels in painted.items()}
    for record in content["annos_segmentation"]:
        mask = coco_mask.decode(record["segmentation"]).astype(bool)
        assert mask.sum() == record["area"] > 0
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        x, y, width, height = record["bbox"]
        assert (x, y, x + width - 1, y + height - 1) == (columns[0], rows[0], columns[-1], rows[-1])
        painted[record["image_id"]][mask] = ranks[record["category_id"]]
        covered[record["image_id"]] += mask
    assert len(painted) == sum(SIZES.values())
    for image in content["images"]:
        assert covered[image["image_id"]].max() == 1
        png = cv2.imread(
            str(voc / "SegmentationClassContext" / image["file_name"].replace("jpg", "png")), cv2.IMREAD_UNCHANGED
        )
        np.testing.assert_array_equal(png, painted[image["image_id"]])
        assert cv2.imread(str(voc / "JPEGImages" / image["file_name"])).shape == (*png.shape, 3)


def test_lists_name_existing_files(root: Path):
    rows = {
        name: (root / "list" / "pascal_ctx" / f"{name}.lst").read_text().splitlines()
        for name in ("train", "val", "testval")
    }
    assert [len(rows[name]) for name in ("train", "val", "testval")] == [10, 5, 5]
    assert rows["val"] == rows["testval"]
    for row in rows["train"] + rows["val"]:
        picture, label = row.split(" ")
        assert (root / picture).is_file()
        assert (root / label).is_file()


@pytest.mark.parametrize(("split", "count"), [("train", 10), ("val", 5), ("testval", 5)])
def test_our_loader_reads_both_forms_alike(root: Path, split: str, count: int):
    forms = [PascalContext(root, split, 60, source) for source in ("json", "lists")]
    assert [len(form.samples) for form in forms] == [count, count]
    for index in range(count):
        assert forms[0].samples[index].name == forms[1].samples[index].name
        np.testing.assert_array_equal(forms[0].label(index), forms[1].label(index))


def test_every_class_occurs():
    seen = np.zeros(60, int)
    for index in range(150):
        canvas, _ = scene(np.random.default_rng([0, 100, index]))
        seen += np.bincount(label_map(canvas).ravel(), minlength=60) > 20
    assert (seen > 0).sum() == 60
    assert seen[1:].min() >= 2


@pytest.mark.parametrize("kind", outdoor.KINDS + indoor.KINDS)
def test_every_kind_of_scene_paints_at_any_size_without_holes(kind: str):
    paint = outdoor.outdoor if kind in outdoor.KINDS else indoor.indoor
    for size_wh in ((150, 210), (230, 140)):
        canvas, picture = paint(np.random.default_rng([3, size_wh[0]]), *size_wh, kind)
        assert picture.shape == (*size_wh[::-1], 3)
        assert (canvas.item_map() >= 0).all()
        names = {ALIASES.get(item.label, item.label) for item in canvas.items}
        assert names <= {*DETAIL_IDS, ""}


def test_a_picture_depends_on_seed_split_and_index_alone(root: Path, tmp_path: Path):
    write(tmp_path, {"val": 1}, seed=0)
    for path in tmp_path.rglob("*.jpg"):
        assert path.read_bytes() == (root / path.relative_to(tmp_path)).read_bytes()
