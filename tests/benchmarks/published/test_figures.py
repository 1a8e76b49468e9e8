"""The tidy published figures hold every source row, and the loader refuses bad lines."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.published import figures as published

SOURCE_ROWS = 922
"""Rows of the source tables, models.csv aside."""


def test_every_source_row_is_there() -> None:
    figures = published.load()
    assert len(figures.rows()) == SOURCE_ROWS
    by_file: dict[str, set[int]] = {}
    for identity in figures.rows():
        file, number = identity.split(":")
        by_file.setdefault(file, set()).add(int(number))
    for file, numbers in by_file.items():
        assert numbers == set(range(1, len(numbers) + 1)), file


def test_known_figures() -> None:
    figures = published.load()
    [w32] = figures.select(
        benchmark="COCO keypoints",
        split="val2017",
        model="hrnet_w32",
        input_size="256x192",
        metric="AP",
        source="deep-high-resolution-net.pytorch README",
    )
    assert (w32.value, w32.unit, w32.direction, w32.protocol_id) == (
        74.4,
        "%",
        "higher",
        "boxes=detector 56.4; flip=yes; decode=quarter",
    )
    assert {
        f.value for f in figures.select(benchmark="WFLW", split="test/pose", model="hrnet_w18", source="README")
    } == {7.86}
    [below, _] = figures.select(bound="<")
    assert below.text == "< 10" and "below-ten" in below.footnotes
    assert all("mean-at-0.1" in f.footnotes for f in figures.select(metric="PCKh@0.1"))


def test_thresholds_and_normalisers_never_share_a_protocol() -> None:
    figures = published.load()
    mean = {f.protocol_id for f in figures.select(metric="PCKh@0.1", source="mmpose")}
    assert mean.isdisjoint({f.protocol_id for f in figures.select(metric="PCKh@0.1", source="deep-high")})
    mmpose = {f.protocol_id for f in figures.select(benchmark="AFLW", source="mmpose")}
    assert mmpose.isdisjoint({f.protocol_id for f in figures.select(benchmark="AFLW", source="HRNet-Facial")})


@pytest.mark.parametrize(
    ("row", "condition"),
    [
        ("coco_detection_val2017:103", "schedule 1x, SyncBN, single-scale training"),
        ("coco_detection_val2017:116", "schedule 2x, no SyncBN, single-scale training"),
        ("coco_detection_val2017:184", "schedule 2x, multi-scale training"),
        ("coco_detection_val2017:132", "schedule 28e"),
        ("cityscapes_val:28", "40k iterations"),
        ("cityscapes_val:11", "OHEM"),
        ("cityscapes_val:21", "distilled"),
        ("cityscapes_test:36", "trained on train+val, OHEM"),
        ("coco_keypoints_val2017:94", "classic decoder"),
        ("coco_keypoints_val2017:19", ""),
    ],
)
def test_training_is_read_from_the_protocol_text(row: str, condition: str) -> None:
    assert {figure.condition for figure in published.load().rows()[row]} == {condition}


@pytest.mark.parametrize(
    ("note", "wrong"),
    [
        ("mpii-w32-mean", ("mpii_val:24", "mpii_val:47")),
        ("mpii-r152-elbow", ("mpii_val:16",)),
        ("r152-testdev", ("coco_keypoints_testdev2017:29",)),
    ],
)
def test_footnotes_stand_at_rows_of_their_model(note: str, wrong: tuple[str, ...]) -> None:
    rows = {figure.id for figure in published.load() if note in figure.footnotes}
    assert rows and rows.isdisjoint(wrong)


def test_every_footnote_is_used() -> None:
    used = {note for figure in published.load() for note in figure.footnotes}
    assert used == set(published.load_footnotes())


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("value", "many", "expected a number, got 'many'"),
        ("value", "170", "expected a percentage"),
        ("metric", "APP", r"nearest: \['AP'\]"),
        ("unit", "px", "got 'px'"),
        ("direction", "lower", "higher is better"),
        ("confidence", "recalled", "expected one of"),
        ("source", "", "source is empty"),
        ("footnotes", "no-such-note", "not in footnotes.csv"),
    ],
)
def test_bad_line_is_refused_by_place(tmp_path: Path, column: str, value: str, message: str) -> None:
    shutil.copyfile(published.ROOT / "footnotes.csv", tmp_path / "footnotes.csv")
    with (published.ROOT / "coco_keypoints_val2017.csv").open(newline="", encoding="utf-8") as handle:
        record = next(iter(csv.DictReader(handle)))
    with (tmp_path / "bad.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, published.COLUMNS)
        writer.writeheader()
        writer.writerow(record | {column: value})
    with pytest.raises(ValueError, match=message) as error:
        published.load(tmp_path)
    assert "bad.csv" in str(error.value)


def test_duplicate_is_refused(tmp_path: Path) -> None:
    shutil.copyfile(published.ROOT / "footnotes.csv", tmp_path / "footnotes.csv")
    for name in ("a.csv", "b.csv"):
        shutil.copyfile(published.ROOT / "lip_val.csv", tmp_path / name)
    with pytest.raises(ValueError, match="repeats lip_val:1"):
        published.load(tmp_path)


def test_unknown_field_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="nearest: \\['model'\\]"):
        published.load().select(modle="hrnet_w32")


def test_loading_needs_no_torch() -> None:
    code = "import sys, benchmarks.published.figures as p; p.load(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=published.ROOT.parents[1])
