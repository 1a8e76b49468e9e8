"""`describe`: a first dataset.toml from what a folder holds, which the verbs then take; what it cannot tell is one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from own_data import MAKERS

import tasks
from benchmarks.cli import entry
from tasks.declarations.declaration import read_declaration
from tasks.describing.describe import describe


@pytest.fixture(autouse=True)
def _nothing_declared() -> Iterator[None]:
    yield
    for name in tasks.task_names():
        for attribute in ("datasets", "metrics"):
            tasks.get_task(name).__dict__.pop(attribute, None)


@pytest.mark.parametrize("name", MAKERS)
def test_what_is_described_can_be_opened(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task, make = MAKERS[name]
    folder = tmp_path / name
    make(folder)
    stated = read_declaration(folder / "dataset.toml")
    (folder / "dataset.toml").unlink()
    assert entry(["describe", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "Written: " in told and "Guessed:" in told and "Check:" in told
    found = read_declaration(folder / "dataset.toml")
    assert (found.name, found.task, found.layout, found.splits) == (name, task, stated.layout, stated.splits)
    before = (folder / "dataset.toml").read_text()
    assert entry(["describe", str(folder)]) == 0
    assert "is there already" in capsys.readouterr().out and (folder / "dataset.toml").read_text() == before
    assert entry(["doctor", "--data-root", str(folder), "--out", str(tmp_path / "out")]) == 0
    assert f"{task}/{name}" in capsys.readouterr().out


def test_what_is_guessed_and_what_has_to_be_checked(tmp_path: Path) -> None:
    for name in MAKERS:
        MAKERS[name][1](tmp_path / name)
    mouse = describe(tmp_path / "mouse9")
    assert any("left_ear and right_ear" in line for line in mouse.guessed) and not mouse.check
    hand = describe(tmp_path / "hand21")
    assert '"joint 20"' in hand.text and any("keypoints.names" in line for line in hand.check)
    assert any("1 bolt, 5 nut, 9 washer" in line for line in describe(tmp_path / "parts3").guessed)
    rooms = describe(tmp_path / "rooms5")
    assert any("5 classes, 0 to 4" in line for line in rooms.guessed) and any("255 is not" in g for g in rooms.guessed)
    faces = describe(tmp_path / "faces5")
    assert "count = 5" in faces.text and any("flip_pairs" in line for line in faces.check)


def test_a_json_is_described_with_its_like(tmp_path: Path) -> None:
    MAKERS["parts3"][1](tmp_path / "Nuts & Bolts")
    folder = tmp_path / "Nuts & Bolts"
    (folder / "dataset.toml").unlink()
    found = describe(folder / "annotations" / "val.json")
    assert found.path == folder / "dataset.toml" and 'name = "nuts_bolts"' in found.text
    assert "[splits.train]" in found.text
    (folder / "annotations" / "train.json").unlink()
    assert any("no train" in line for line in describe(folder).check)


def test_the_only_split_is_evaluated_and_that_is_said(tmp_path: Path) -> None:
    MAKERS["faces5"][1](tmp_path)
    (tmp_path / "val.csv").unlink()
    found = describe(tmp_path)
    assert "[splits.val]" in found.text and any("how well it fits" in line for line in found.check)


def test_what_cannot_be_told_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.json").write_text('{"a": 1}')
    (tmp_path / "text.txt").write_text("")
    MAKERS["mouse9"][1](tmp_path / "mouse9")
    plain = json.loads((tmp_path / "mouse9" / "val.json").read_text())
    (tmp_path / "lost").mkdir()
    (tmp_path / "lost" / "val.json").write_text(json.dumps(plain))
    for place, words in (
        ("nothing", "found nothing"),
        ("empty", "found none of them"),
        ("other.json", "expected COCO's form"),
        ("text.txt", "expected a folder or a json file"),
        ("lost", "expected its pictures below"),
    ):
        assert entry(["describe", str(tmp_path / place)]) == 2
        [line] = capsys.readouterr().err.strip().splitlines()
        assert words in line and place in line
