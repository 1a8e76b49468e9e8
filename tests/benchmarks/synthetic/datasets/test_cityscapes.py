"""Embedded Cityscapes: its layout, and its labels against cityscapesscripts."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.synthetic import WRITERS
from benchmarks.synthetic.datasets import cityscapes as cityscapes_scenes
from benchmarks.synthetic.datasets.cityscapes import CITIES, LABELS, SIZE_WH, annotation, draw_labels, write
from benchmarks.synthetic.scenes.streets.street import street

SIZES = {"train": 14, "val": 4, "test": 1}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cityscapes")
    write(folder, SIZES, seed=0)
    return folder


def read(path: Path) -> np.ndarray:
    array = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert array is not None, path
    return array


def label_files(root: Path) -> list[Path]:
    return sorted((root / "gtFine").rglob("*_labelIds.png"))


def test_label_table_is_the_official_one():
    labels = importlib.import_module("cityscapesscripts.helpers.labels")
    for name, (number, colour) in LABELS.items():
        assert labels.name2label[name].id == number
        assert labels.name2label[name].color == colour
        assert labels.name2label[name].hasInstances == (name in cityscapes_scenes.INSTANCE_LABELS)
    scored = {label.name for label in labels.labels if label.trainId not in (255, -1)}
    assert len(scored) == 19
    assert scored <= set(LABELS)


def test_registered():
    assert importlib.import_module(WRITERS["cityscapes"]).SIZES["smoke"].keys() == SIZES.keys()


def test_lists_name_existing_files_in_the_official_layout(root: Path):
    for split, count in {**SIZES, "trainval": SIZES["train"] + SIZES["val"]}.items():
        rows = (root / "list" / "cityscapes" / f"{split}.lst").read_text().splitlines()
        assert len(rows) == count
        for row in rows:
            cells = row.split("\t")
            assert len(cells) == (1 if split == "test" else 2)
            for cell in cells:
                assert (root / cell).is_file()
            _, folder, city, name = cells[0].split("/")
            assert city in CITIES[folder]
            parts = name.split("_")
            assert parts[0] == city
            assert [len(part) for part in parts[1:3]] == [6, 6]
            assert parts[3] == "leftImg8bit.png"
    assert not set(CITIES["train"]) & set(CITIES["val"])


def test_pictures_and_labels_have_one_size(root: Path):
    for path in label_files(root):
        labels = read(path)
        assert labels.dtype == np.uint8
        assert labels.shape == SIZE_WH[::-1]
        assert set(np.unique(labels)) <= {number for number, _ in LABELS.values()}
        picture = root / "leftImg8bit" / path.relative_to(root / "gtFine")
        picture = picture.with_name(path.name.replace("gtFine_labelIds", "leftImg8bit"))
        assert read(picture).shape == (*SIZE_WH[::-1], 3)


def test_official_scripts_draw_the_same_labels_from_the_json(root: Path):
    Annotation = importlib.import_module("cityscapesscripts.helpers.annotation").Annotation
    draw_ids = importlib.import_module("cityscapesscripts.preparation.json2labelImg").createLabelImage
    draw_instances = importlib.import_module("cityscapesscripts.preparation.json2instanceImg").createInstanceImage
    for path in label_files(root):
        stem = str(path).removesuffix("labelIds.png")
        described = Annotation()
        described.fromJsonFile(f"{stem}polygons.json")
        np.testing.assert_array_equal(np.asarray(draw_ids(described, "ids")), read(path))
        np.testing.assert_array_equal(
            np.asarray(draw_instances(described, "ids")), read(Path(f"{stem}instanceIds.png"))
        )
        colour = read(Path(f"{stem}color.png"))[..., [2, 1, 0, 3]]
        np.testing.assert_array_equal(np.asarray(draw_ids(described, "color")), colour)


def test_instance_ids_agree_with_label_ids(root: Path):
    counted = 0
    for path in label_files(root):
        labels = read(path).astype(int)
        instances = read(Path(str(path).replace("labelIds", "instanceIds"))).astype(int)
        np.testing.assert_array_equal(np.where(instances >= 1000, instances // 1000, instances), labels)
        with_instances = np.isin(labels, [LABELS[name][0] for name in cityscapes_scenes.INSTANCE_LABELS])
        np.testing.assert_array_equal(instances >= 1000, with_instances)
        counted += len(np.unique(instances[instances >= 1000]))
    assert counted > 5 * len(label_files(root))


def test_labels_follow_the_painted_picture():
    """Polygons only round and fill holes: they may differ from the painted items at outlines alone."""
    canvas, _ = street(np.random.default_rng([5, 6]), *SIZE_WH)
    drawn, _ = draw_labels(annotation(canvas)["objects"], SIZE_WH)
    table = np.array([LABELS[item.label][0] for item in canvas.items] + [0])
    assert (drawn != table[canvas.item_map()]).mean() < 0.03


def test_every_class_occurs_often_enough():
    """Of 40 training and 20 validation pictures, drawn without being written, each class shows up in several."""
    numbers = [number for number, _ in LABELS.values() if number > 6 and number not in (9, 10)]
    assert len(numbers) == 19
    for split, count in ((0, 40), (1, 20)):
        seen = np.zeros(40, int)
        for index in range(count):
            canvas, _ = street(np.random.default_rng([0, split, index]), *SIZE_WH)
            table = np.array([LABELS[item.label][0] for item in canvas.items] + [0])
            seen += np.bincount(table[canvas.item_map()].ravel(), minlength=40) > 40
        assert min(seen[number] for number in numbers) >= count // 10


def test_a_picture_depends_on_seed_split_and_index_alone(root: Path, tmp_path: Path):
    write(tmp_path / "again", {"val": 2}, seed=0)
    write(tmp_path / "other", {"val": 2}, seed=1)
    for path in sorted((tmp_path / "again").rglob("*.png")) + sorted((tmp_path / "again").rglob("*.json")):
        name = path.relative_to(tmp_path / "again")
        assert path.read_bytes() == (root / name).read_bytes()
        if "leftImg8bit" in path.name:
            assert path.read_bytes() != (tmp_path / "other" / name).read_bytes()
    objects = json.loads(next((tmp_path / "again").rglob("*polygons.json")).read_text())["objects"]
    assert objects[0]["label"] == "sky"
