"""What a dataset.toml leaves out is derived from the dataset's files, and said; recipe and protocol are looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_data import FLOWERS, MAKERS, MOUSE_NAMES, PART_NAMES

import tasks
from tasks.declarations import declaration


@pytest.fixture(autouse=True)
def _nothing_declared() -> Iterator[None]:
    yield
    _forget()


def _forget() -> None:
    for name in tasks.task_names():
        for attribute in ("datasets", "metrics"):
            tasks.get_task(name).__dict__.pop(attribute, None)


def test_what_is_derived_of_keypoints_and_categories(tmp_path: Path) -> None:
    for name in ("hand21", "mouse9", "parts3"):
        MAKERS[name][1](tmp_path / name)
    tasks.declare_below(tmp_path)
    mouse = tasks.get_task("pose").dataset("mouse9").declaration
    assert mouse is not None and mouse.keypoints is not None and mouse.keypoints.names == tuple(MOUSE_NAMES)
    assert mouse.keypoints.flip_pairs == (("left_ear", "right_ear"), ("left_hip", "right_hip"))
    assert mouse.keypoints.bones is not None and mouse.keypoints.bones[0] == ("nose", "neck")
    assert tasks.get_task("pose").dataset("hand21").num_outputs == 21
    parts = tasks.get_task("detection").dataset("parts3")
    assert parts.declaration is not None and dict(parts.declaration.categories) == PART_NAMES
    assert parts.num_outputs == 3


def test_joints_without_names_are_never_mirrored(tmp_path: Path) -> None:
    MAKERS["mouse9"][1](tmp_path)
    for split in ("train", "val"):
        path = tmp_path / f"{split}.json"
        plain = json.loads(path.read_text())
        del plain["categories"][0]["keypoints"]
        path.write_text(json.dumps(plain))
    tasks.declare_below(tmp_path)
    task = tasks.get_task("pose")
    data = task.eval_data("mouse9", tmp_path, "val", task.protocol("mouse9"))
    assert data.skeleton.num_joints == 9 and not task.protocol("mouse9").flip  # type: ignore[attr-defined]
    assert task.recipe("mouse9", "hrnet_w32", "full").augment.flip_prob == 0
    assert any("joints are not named: 9" in note for note in data.notes)


def test_a_category_may_have_the_number_0(tmp_path: Path) -> None:
    MAKERS["mouse9"][1](tmp_path)
    for split in ("train", "val"):
        path = tmp_path / f"{split}.json"
        plain = json.loads(path.read_text())
        for record in plain["annotations"]:
            record["category_id"] = 0
        plain["categories"][0]["id"] = 0
        path.write_text(json.dumps(plain))
    tasks.declare_below(tmp_path)
    task = tasks.get_task("pose")
    mouse = task.dataset("mouse9").declaration
    assert mouse is not None and mouse.keypoints is not None and mouse.keypoints.category == (0, "mouse")
    data: Any = task.eval_data("mouse9", tmp_path, "val", task.protocol("mouse9"))
    assert data.persons.truth.person == 0


def test_areas_and_face_boxes_are_derived_and_said(tmp_path: Path) -> None:
    MAKERS["mouse9"][1](tmp_path / "mouse9")
    path = tmp_path / "mouse9" / "val.json"
    path.write_text(path.read_text().replace('"area"', '"surface"'))
    MAKERS["faces5"][1](tmp_path / "faces5")
    path = tmp_path / "faces5" / "val.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()]
    path.write_text("\n".join(",".join([row[0], *row[4:]]) for row in rows) + "\n")
    tasks.declare_below(tmp_path)
    pose, faces = tasks.get_task("pose"), tasks.get_task("landmarks")
    mice: Any = pose.eval_data("mouse9", tmp_path / "mouse9", "val", pose.protocol("mouse9"))
    assert mice.persons.areas.tolist() == [56 * 40] * 4 and any("no annotation has an area" in n for n in mice.notes)
    found: Any = faces.eval_data("faces5", tmp_path / "faces5", "val", faces.protocol("faces5"))
    points = np.array(rows[1][4:], float).reshape(5, 2)
    low, high = np.floor(points.min(0)), np.ceil(points.max(0))
    assert found.faces.centres[0].tolist() == ((low + high) / 2).tolist()
    assert found.faces.scales[0] == (high - low).max() / 200 and any("boxes follow" in note for note in found.notes)


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("mouse9", '"nose"', '"left_ear"', "val.json: expected every joint's name once"),
        ("hand21", '"wrist", ', "", "hand21/dataset.toml.*20 joints, got 21"),
        ("parts3", '"name": "nut"', '"name": "bolt"', "expected every category's name once, got 'bolt'"),
    ],
)
def test_what_cannot_be_completed_is_named(name: str, old: str, new: str, words: str, tmp_path: Path) -> None:
    MAKERS[name][1](tmp_path / name)
    for path in (tmp_path / name / "dataset.toml", *(tmp_path / name).rglob("*.json")):
        path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ValueError, match=words):
        tasks.declare_below(tmp_path)
        tasks.get_task(MAKERS[name][0]).dataset(name)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("crop = 32", "crops = 32", r"dataset.toml, protocol: Unknown protocol field.*'crops'.*crop"),
        (
            "[protocol]",
            "[recipe]\nepoch = 3\n[protocol]",
            r"dataset.toml, recipe: Unknown recipe field 'epoch'.*epochs",
        ),
    ],
)
def test_an_unknown_field_of_recipe_or_protocol_names_the_nearest(
    old: str, new: str, words: str, tmp_path: Path
) -> None:
    MAKERS["flowers"][1](tmp_path)
    (tmp_path / "dataset.toml").write_text(FLOWERS.replace(old, new))
    tasks.declare_below(tmp_path)
    with pytest.raises(ValueError, match=words):
        tasks.get_task("classification").dataset("flowers")


def test_a_recipe_of_the_toml_counts_but_in_the_smoke_tier(tmp_path: Path) -> None:
    MAKERS["flowers"][1](tmp_path)
    (tmp_path / "dataset.toml").write_text(FLOWERS + "[recipe]\nepochs = 7\n[recipe.augment]\nflip_prob = 0.25\n")
    tasks.declare_below(tmp_path)
    task = tasks.get_task("classification")
    recipe = task.recipe("flowers", "hrnet_w18", "full")
    assert recipe.epochs == 7 and recipe.augment.flip_prob == 0.25
    assert task.recipe("flowers", "hrnet_w18", "smoke").epochs == 1 and task.protocol("flowers").crop == 32
    # Two pictures alone in a last batch would give statistics of two values, and a step that ends in NaN.
    assert recipe.drop_last and not task.recipe("imagenet", "hrnet_w18", "full").drop_last


def test_a_declaration_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    MAKERS["rooms5"][1](tmp_path)
    read, reading = [], declaration.read_declaration

    def counted(path: Path) -> declaration.Declaration:
        read.append(path)
        return reading(path)

    monkeypatch.setattr(declaration, "read_declaration", counted)
    for _ in range(3):
        tasks.declare_below(tmp_path)
        tasks.get_task("segmentation").dataset("rooms5")
    assert len(read) == 1
