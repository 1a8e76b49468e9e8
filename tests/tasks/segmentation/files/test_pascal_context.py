"""PASCAL Context's forms: the json, png lists and folders; what is wrong in them is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from seg_fixtures import write_pascal

from tasks.segmentation.datasets import SegmentationEvalData
from tasks.segmentation.entries import ENTRIES


# -- PASCAL Context ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("source", ["json", "lists"])
def test_pascal_masks_and_pngs_give_the_same_labels(tmp_path: Path, source: str) -> None:
    ranks = write_pascal(tmp_path)
    for num_classes in (59, 60):
        protocol = replace(CONTEXT, num_classes=num_classes, labels=source)  # type: ignore[arg-type]
        data = SegmentationEvalData(ENTRIES["pascal_context"], tmp_path, "testval", protocol)
        assert len(data) == 2
        for k in range(2):
            expected = ranks[k] if num_classes == 60 else np.where(ranks[k] == 0, 255, ranks[k].astype(int) - 1)
            assert (data.label(k) == expected).all()


CONTEXT = ENTRIES["pascal_context"].protocol()


def test_pascal_png_folder_with_name_lists(tmp_path: Path) -> None:
    write_pascal(tmp_path, with_json=False)
    voc = tmp_path / "VOCdevkit" / "VOC2010"
    (tmp_path / "list" / "pascal_ctx" / "testval.lst").unlink()
    (voc / "labels").rename(voc / "SegmentationClassContext")
    (voc / "ImageSets" / "SegmentationContext").mkdir(parents=True)
    (voc / "ImageSets" / "SegmentationContext" / "val.txt").write_text("2008_000000\n2008_000002\n")
    data = SegmentationEvalData(ENTRIES["pascal_context"], tmp_path, "val", CONTEXT)
    assert data.image_ids() == ["2008_000000", "2008_000002"] and data.label(0) is not None


def test_val_at_the_crop_and_testval_at_the_original_size_are_told_apart(tmp_path: Path) -> None:
    write_pascal(tmp_path)
    quick = replace(CONTEXT, score_at="crop", crop_hw=(24, 24), view="whole", scales=(1.0,))
    data = SegmentationEvalData(ENTRIES["pascal_context"], tmp_path, "val", quick)
    label = data.label(0)
    assert label is not None and label.shape == (24, 24) and data[0]["images"].shape == (3, 24, 24)
    assert data[0]["size_hw"] == (24, 24) and "not the benchmark" in quick.header
    with pytest.raises(ValueError, match="score_at=original with the split 'testval'"):
        SegmentationEvalData(ENTRIES["pascal_context"], tmp_path, "testval", quick)
    assert SegmentationEvalData(ENTRIES["pascal_context"], tmp_path, "testval", CONTEXT)[0]["size_hw"] == (40, 56)


def edited_json(root: Path, **changes: object) -> None:
    path = root / "VOCdevkit" / "VOC2010" / "trainval_merged.json"
    content = json.loads(path.read_text())
    content["annos_segmentation"][1].update(changes)
    path.write_text(json.dumps(content))


def test_an_rle_of_the_wrong_size(tmp_path: Path) -> None:
    write_pascal(tmp_path)
    edited_json(tmp_path, segmentation={"size": [56, 40], "counts": "xyz"})
    with pytest.raises(
        ValueError, match=r"annos_segmentation\[1\]: expected an RLE of the picture's size 56x40, got 40x56"
    ):
        SegmentationEvalData(ENTRIES["pascal_context"], tmp_path, "val", CONTEXT).label(0)


def test_runs_that_do_not_add_up(tmp_path: Path) -> None:
    write_pascal(tmp_path)
    edited_json(tmp_path, segmentation={"size": [40, 56], "counts": [10, 20]})
    with pytest.raises(ValueError, match="expected runs over 2240 pixels, got 30"):
        SegmentationEvalData(ENTRIES["pascal_context"], tmp_path, "val", CONTEXT).label(0)


def test_a_category_outside_the_sixty(tmp_path: Path) -> None:
    write_pascal(tmp_path)
    edited_json(tmp_path, category_id=3)
    with pytest.raises(ValueError, match="expected one of the 60 category ids of PASCAL Context, got 3"):
        SegmentationEvalData(ENTRIES["pascal_context"], tmp_path, "val", CONTEXT).label(0)


def test_a_broken_json_and_one_without_this_phase(tmp_path: Path) -> None:
    write_pascal(tmp_path)
    path = tmp_path / "VOCdevkit" / "VOC2010" / "trainval_merged.json"
    content = json.loads(path.read_text())
    content["images"] = [image for image in content["images"] if image["phase"] == "val"]
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"expected images of phase 'train', got an empty list \(phases: \['val'\]\)"):
        SegmentationEvalData(ENTRIES["pascal_context"], tmp_path, "train", CONTEXT)
    for broken in (b"{", b"[" * 100_000, b"\xff"):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"trainval_merged\.json: expected .*PASCAL in Detail annotations"):
            SegmentationEvalData(ENTRIES["pascal_context"], tmp_path, "train", CONTEXT)


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        ("images", lambda r: r.pop("phase"), r"images\[1\]: expected the field 'phase'"),
        ("images", lambda r: r.pop("height"), r"images\[1\]: expected height as a number of pixels but it is missing"),
        (
            "images",
            lambda r: r.update(width="abc"),
            r"images\[1\]: expected width as a number of pixels, got 'abc'",
        ),
        ("annos_segmentation", lambda r: r.pop("segmentation"), r"annos_segmentation\[1\]: expected the field 'segmen"),
        (
            "annos_segmentation",
            lambda r: r.pop("category_id"),
            r"annos_segmentation\[1\]: expected the field 'category",
        ),
        ("annos_segmentation", lambda r: r.pop("image_id"), r"annos_segmentation\[1\]: expected the field 'image_id'"),
    ],
)
def test_a_record_without_a_field(part: str, change: Callable[[Any], Any], words: str, tmp_path: Path) -> None:
    write_pascal(tmp_path)
    path = tmp_path / "VOCdevkit" / "VOC2010" / "trainval_merged.json"
    content = json.loads(path.read_text())
    change(content[part][1])
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=words):
        SegmentationEvalData(ENTRIES["pascal_context"], tmp_path, "val", CONTEXT)


def test_a_segmentation_that_is_none_and_one_cut_short(tmp_path: Path) -> None:
    write_pascal(tmp_path)
    path = tmp_path / "VOCdevkit" / "VOC2010" / "trainval_merged.json"
    whole = json.loads(path.read_text())["annos_segmentation"][1]["segmentation"]["counts"]
    for wrong, words in (([], "run lengths with size and counts"), (whole[:-3], "expected runs over 2240 pixels")):
        edited_json(tmp_path, segmentation={"size": [40, 56], "counts": wrong} if wrong else wrong)
        with pytest.raises(ValueError, match=rf"annos_segmentation\[1\]: .*{words}"):
            SegmentationEvalData(ENTRIES["pascal_context"], tmp_path, "val", CONTEXT)[0]


@pytest.mark.parametrize("phase", ["all", "val"])
def test_no_annotations_at_all_or_none_of_this_phase(phase: str, tmp_path: Path) -> None:
    write_pascal(tmp_path)
    path = tmp_path / "VOCdevkit" / "VOC2010" / "trainval_merged.json"
    content = json.loads(path.read_text())
    train = {image["image_id"] for image in content["images"] if image["phase"] == "train"} if phase == "val" else set()
    content["annos_segmentation"] = [r for r in content["annos_segmentation"] if r["image_id"] in train]
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"trainval_merged.json: expected annotations of the 2 pictures .* empty list"):
        SegmentationEvalData(ENTRIES["pascal_context"], tmp_path, "val", CONTEXT)
