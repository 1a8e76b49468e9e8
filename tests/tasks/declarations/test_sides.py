"""Left and right: what a mirror makes change places, what is said where only an L tells, and mirrors that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import own_data
import pytest
import torch

import tasks
from tasks import build_model, get_task
from tasks.declarations.sides import look_sided, sided_pairs
from tasks.segmentation.crops.augment import mirrored


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("nose", "l_ear", "r_ear"), "l_ear and r_ear"),
        (("ear.L", "ear.R"), "ear.L and ear.R"),
        (("RKnee", "LKnee"), "LKnee and RKnee"),
        (("kneeL", "kneeR"), "kneeL and kneeR"),
        (("L-arm", "R-arm"), "L-arm and R-arm"),
        (("lip", "rip", "Lamp", "Ramp", "l_ear", "tail", "tair", "L1", "R1"), ""),
        ((), ""),
    ],
)
def test_an_l_and_an_r_are_told(names: tuple[str, ...], said: str) -> None:
    assert look_sided(names).startswith(said) and bool(look_sided(names)) == bool(said)
    assert sided_pairs(names) == ()


@pytest.fixture(autouse=True)
def _nothing_declared() -> Iterator[None]:
    yield
    for name in tasks.task_names():
        for attribute in ("datasets", "metrics"):
            get_task(name).__dict__.pop(attribute, None)


def declared(kind: str, folder: Path, old: str = "", new: str = "") -> Path:
    """An own dataset with a part of its toml exchanged."""
    getattr(own_data, kind)(folder)
    toml = folder / "dataset.toml"
    assert old in toml.read_text()
    toml.write_text(toml.read_text().replace(old, new))
    tasks.declare_below(folder)
    return folder


def test_classes_of_left_and_right_change_places_in_a_mirror(tmp_path: Path) -> None:
    task = get_task("segmentation")
    folder = declared("rooms5", tmp_path / "rooms", '"wall", "ceiling"', '"left wall", "Right Wall"')
    table = task.entry("rooms5").table(5)  # type: ignore[attr-defined]
    assert table.mirror().tolist() == [0, 2, 1, 3, 4]
    _, label = mirrored(np.zeros((1, 4, 3), np.uint8), np.array([[0, 1, 2, 255]], np.uint8), table)
    assert label.tolist() == [[255, 1, 2, 0]]
    data = task.eval_data("rooms5", folder, "val", task.protocol("rooms5", tier="smoke"))
    assert any("left wall and Right Wall change places" in note for note in data.notes)


def test_classes_of_an_l_and_an_r_are_said(tmp_path: Path) -> None:
    task = get_task("segmentation")
    folder = declared("rooms5", tmp_path / "rooms", '"wall", "ceiling"', '"L-wall", "R-wall"')
    assert task.entry("rooms5").table(5).mirror().tolist() == [0, 1, 2, 3, 4]  # type: ignore[attr-defined]
    data = task.eval_data("rooms5", folder, "val", task.protocol("rooms5", tier="smoke"))
    assert any("L-wall and R-wall look like left and right" in note for note in data.notes)


def check_mirrors_are_refused(name: str, dataset: str, folder: Path, advice: str) -> None:
    """Without pairs a network predicts and learns unmirrored; a mirror is refused, and `advice` says what to state."""
    task = get_task(name)
    protocol, recipe = task.protocol(dataset, tier="smoke"), task.recipe(dataset, "", "smoke")
    network = build_model(name, "hrnet_micro_w8", dataset).eval()
    data = task.eval_data(dataset, folder, "val", protocol)
    batch = data.collate([data[0]])
    with torch.inference_mode():
        assert len(task.predict(network, batch, protocol)) == 1
        with pytest.raises(ValueError, match=rf"Expected flip to be 0 or false .* {advice}"):
            task.predict(network, batch, replace(protocol, flip=True))
    task.train_data(dataset, folder, "train", recipe, protocol, 0)
    turned = replace(recipe, augment=replace(recipe.augment, flip_prob=0.5))
    with pytest.raises(ValueError, match=r"Expected recipe\.augment\.flip_prob to be 0"):
        task.train_data(dataset, folder, "train", turned, protocol, 0)


def test_faces_without_pairs_are_not_mirrored(tmp_path: Path) -> None:
    folder = declared("faces5", tmp_path / "faces", "flip_pairs = [[0, 1], [3, 4]]\n", "")
    check_mirrors_are_refused("landmarks", "faces5", folder, r"state points\.flip_pairs")


def test_numbered_joints_are_not_mirrored(tmp_path: Path) -> None:
    names = ", ".join(f'"{name}"' for name in own_data.HAND_NAMES)
    folder = declared("hand21", tmp_path / "hand", f"names = [{names}]\n", "")
    check_mirrors_are_refused("pose", "hand21", folder, r"keypoints\.names and flip_pairs")


def test_points_that_say_they_are_not_annotated(tmp_path: Path) -> None:
    task = get_task("landmarks")
    folder = declared("faces5", tmp_path / "faces")
    protocol = task.protocol("faces5", tier="smoke")
    lines = (folder / "val.csv").read_text().splitlines()
    place = lines[0].split(",").index("x_2")

    def opened(x: str, y: str) -> tuple[str, ...]:
        cells = lines[1].split(",")
        cells[place : place + 2] = x, y
        (folder / "val.csv").write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
        return tuple(task.eval_data("faces5", folder, "val", protocol).notes)

    with pytest.raises(ValueError, match=r"line 2 .*got point 2 at -1, -1, which says that it is not annotated"):
        opened("-1", "-1.0")
    assert any("1 of 4 lines have a point at 0, 0 (first: " in note for note in opened("0", "0.0"))
    assert not any("0, 0" in note for note in opened("0", "1"))


@pytest.mark.parametrize(("name", "dataset"), [("segmentation", "cityscapes"), ("landmarks", "wflw")])
def test_an_unknown_split_is_named(name: str, dataset: str, tmp_path: Path) -> None:
    task = get_task(name)
    protocol = task.protocol(dataset, tier="smoke")
    with pytest.raises(ValueError, match=r"Unknown split 'tset' of .*'test'"):
        task.eval_data(dataset, tmp_path, "tset", protocol)
    with pytest.raises(ValueError, match="Unknown split 'tset'"):
        task.train_data(dataset, tmp_path, "tset", task.recipe(dataset, "hrnet_micro_w8", "smoke"), protocol, 0)
