"""A declared dataset is read by type; what is wrong is named with its field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.declarations.declaration import declaration_of, declared_below, read_declaration

ROOMS = """
name = "rooms5"
task = "segmentation"
layout = "label-maps"
[splits.train]
images = "images/train"
labels = "labels/train"
[splits.val]
list = "val.lst"
[labels]
names = ["floor", "wall"]
colours = [[128, 64, 128], [70, 70, 70]]
[recipe]
epochs = 3
"""


def plain(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": "mouse9",
        "task": "pose",
        "layout": "coco-keypoints",
        "splits": {"val": {"annotations": "val.json", "images": "frames"}},
    }
    return {**made, **changes}


def test_a_declaration_is_read_by_type(tmp_path: Path) -> None:
    (tmp_path / "rooms").mkdir()
    (tmp_path / "rooms" / "dataset.toml").write_text(ROOMS)
    [(folder, declared)] = declared_below(tmp_path)
    assert folder == tmp_path / "rooms" and declared == read_declaration(folder / "dataset.toml")
    assert declared.splits["val"].list == "val.lst" and declared.recipe == {"epochs": 3}
    assert declared.labels is not None and declared.labels.colours[0] == (128, 64, 128)
    assert declared.shown_title == "rooms5"
    assert [found for _, found in declared_below(folder)] == [declared]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Mouse 9"}, "name: expected small letters"),
        ({"layout": "coco-keypoint"}, "layout: unknown layout.*'coco-keypoints'"),
        ({"task": "landmarks"}, "task: expected 'pose' for the layout"),
        ({"splits": {"train": {"annotations": "a", "images": "b"}}}, "splits: expected a split val, got train"),
        ({"splits": {"val": {"images": "b"}}}, "splits.val: expected annotations and images, got images"),
        ({"splits": {"val": {"annotations": "/etc/a.json", "images": "b"}}}, "splits.val.annotations: expected a path below"),
        ({"splits": {"val": {"annotations": "..\\a.json", "images": "b"}}}, "splits.val.annotations: expected a path below"),
        ({"splits": {"val": {"annotation": "a"}}}, r"splits\[...\]: unknown field 'annotation'.*'annotations'"),
        ({"keypoints": {"names": ["a", "a"]}}, "keypoints.names: .*'a' twice"),
        ({"keypoints": {"names": ["a", "b"], "sigmas": [0.1]}}, "keypoints.sigmas: .*2 joints, got 1"),
        ({"keypoints": {"names": ["a", "b"], "flip_pairs": [["a", "c"]]}}, "keypoints.flip_pairs: unknown point 'c'"),
        ({"keypoints": {"names": ["a", "b"], "flip_pairs": [["a", "a"]]}}, "keypoints.flip_pairs: .*'a' twice"),
        ({"labels": {"names": ["a"], "ignore": 0}}, "labels.ignore: expected a label that is no class"),
        ({"labels": {"names": ["a"], "colours": [[0, 0, 300]]}}, "labels.colours: expected values from 0 to 255"),
        ({"points": {"count": "5"}}, "points.count: expected a whole number, got a text"),
        ({"points": {"count": 5, "normaliser": [0, 5]}}, "points.normaliser: expected two of the 5 points"),
        ({"points": {"count": 5, "flip_pairs": [[0, 7]]}}, "points.flip_pairs: unknown point 7"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_field(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=f"^d.toml, {words}.*docs/own_datasets.md"):
        declaration_of(plain(**changes), "d.toml")


def test_points_need_their_number() -> None:
    faces = plain(task="landmarks", layout="points-csv", splits={"val": {"csv": "v.csv", "images": "i"}})
    with pytest.raises(ValueError, match="points: expected a table with count"):
        declaration_of(faces, "d.toml")
    assert declaration_of({**faces, "points": {"count": 5}}, "d.toml").points.normaliser == "box"  # type: ignore[union-attr]


def test_what_is_no_toml_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "dataset.toml"
    path.write_text("name = \n")
    with pytest.raises(ValueError, match=r"dataset.toml: expected toml.*line 1"):
        read_declaration(path)
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(ValueError, match=r"dataset.toml"):
        read_declaration(path)
