"""PASCAL Context, LIP and Cityscapes from files in their owners' forms to what the loader reads; failures included."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from benchmarks.cli import entry
from tasks import get_task

HW = (60, 80)


def _picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*HW, 3), 90, np.uint8))


def _labels(path: Path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full(HW, value, np.uint8))


def _run(dataset: str, raw: Path, root: Path, *words: str) -> int:
    return entry(["prepare", dataset, "--from", str(raw), "--data-root", str(root), *words])


def _mask(rows: slice, columns: slice) -> dict[str, object]:
    held = np.zeros(HW, np.uint8, order="F")
    held[rows, columns] = 1
    rle = coco_mask.encode(held)
    return {"size": list(HW), "counts": rle["counts"].decode()}


def _raw_context(raw: Path) -> None:
    voc = raw / "VOCdevkit" / "VOC2010"
    images, masks = [], []
    for number, phase in enumerate(("train", "val", "val")):
        name = f"2008_{number:06d}"
        _picture(voc / "JPEGImages" / f"{name}.jpg")
        size = {"height": HW[0], "width": HW[1]}
        images.append({"image_id": number, "file_name": f"{name}.jpg", "phase": phase, **size})
        # A sky (360) over everything, and a person (284) painted over a part of it.
        masks.append({"image_id": number, "category_id": 360, "segmentation": _mask(slice(0, 40), slice(None))})
        masks.append({"image_id": number, "category_id": 284, "segmentation": _mask(slice(20, 50), slice(0, 30))})
    raw.joinpath("trainval_merged.json").write_text(json.dumps({"images": images, "annos_segmentation": masks}))


def test_context_json_becomes_pngs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw, root = tmp_path / "raw", tmp_path / "data"
    _raw_context(raw)
    assert _run("pascal_context", raw, root) == 0
    told = capsys.readouterr().out
    assert "! pictures of val: 2, but the official set has 5,104 or 5,105" in told and "ok val: 2 samples" in told
    voc = root / "pascal_context" / "VOCdevkit" / "VOC2010"
    labels = cv2.imread(str(voc / "SegmentationClassContext/2008_000001.png"), cv2.IMREAD_UNCHANGED)
    wanted = np.zeros(HW, np.uint8)
    wanted[:40] = 47  # sky by its rank among the 60
    wanted[20:50, :30] = 37  # person, painted later
    assert (labels == wanted).all()
    task = get_task("segmentation")
    data = task.eval_data("pascal_context", root / "pascal_context", "val", task.protocol("pascal_context"))
    assert data.image_ids() == ["2008_000001", "2008_000002"]
    assert _run("pascal_context", raw, root) == 0
    assert "0 label maps of val written, 2 there" in capsys.readouterr().out
    _labels(voc / "SegmentationClassContext/2008_000001.png", 3)
    assert _run("pascal_context", raw, root) == 2
    assert "2008_000001.png is there already and says something else" in capsys.readouterr().err


def test_context_names_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = tmp_path / "raw"
    _raw_context(raw)
    path = raw / "trainval_merged.json"
    path.write_text(path.read_text().replace('"category_id": 284', '"category_id": 285', 1))
    assert _run("pascal_context", raw, tmp_path / "data") == 2
    assert "expected one of the 60 category ids of PASCAL Context, got 285" in capsys.readouterr().err
    path.unlink()
    assert _run("pascal_context", raw, tmp_path / "data") == 2
    assert "expected the PASCAL in Detail annotations (trainval_merged.json)" in capsys.readouterr().err


def test_lip_lists_follow_the_owners_ids(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw, root = tmp_path / "raw", tmp_path / "data"
    for split, names in (("train", ("7_1", "3_2")), ("val", ("9_9",))):
        for number, name in enumerate(names):
            _picture(raw / "TrainVal_images" / f"{split}_images" / f"{name}.jpg")
            # As the archive of label maps unpacks: one level deeper than it should.
            folder = raw / "TrainVal_parsing_annotations" / "TrainVal_parsing_annotations" / f"{split}_segmentations"
            _labels(folder / f"{name}.png", number)
        (raw / "TrainVal_images" / f"{split}_id.txt").write_text("".join(f"{name}\n" for name in names))
    assert _run("lip", raw, root) == 0
    assert "! pictures of train: 2, but the official set has 30,462" in capsys.readouterr().out
    assert (root / "lip/trainList.txt").read_text().splitlines() == [
        f"train_images/{name}.jpg train_segmentations/{name}.png" for name in ("7_1", "3_2")
    ]
    task = get_task("segmentation")
    assert task.eval_data("lip", root / "lip", "val", task.protocol("lip")).image_ids() == ["9_9"]
    assert _run("lip", raw, root) == 0
    next(raw.rglob("3_2.png")).unlink()
    assert _run("lip", raw, tmp_path / "other") == 2
    assert (
        "expected a label map for each of the 2 pictures of train, 1 lack (first: 3_2.png)" in capsys.readouterr().err
    )
    assert not (tmp_path / "other").exists()


def test_cityscapes_is_linked_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw, root = tmp_path / "raw", tmp_path / "data"
    _picture(raw / "leftImg8bit/val/a/a_000000_000019_leftImg8bit.png")
    assert _run("cityscapes", raw, tmp_path / "other") == 2
    assert "Unpack gtFine_trainvaltest.zip" in capsys.readouterr().err
    _labels(raw / "gtFine/val/a/a_000000_000019_gtFine_labelIds.png", 7)
    assert _run("cityscapes", raw, root) == 0
    told = capsys.readouterr().out
    assert "! label maps of val: 1, but the official set has 500" in told and "ok val: 1 samples" in told
