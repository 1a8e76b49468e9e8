"""`doctor` finds in a folder what an evaluation would stumble over, and says how much was looked at."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat, savemat

from benchmarks.cli import entry
from benchmarks.synthetic.cache import ensure
from tasks import get_task
from tasks.check import check_dataset

TASKS = {
    "300w": "landmarks",
    "mpii": "pose",
    "lip": "segmentation",
    "cityscapes": "segmentation",
    "pascal_context": "segmentation",
}


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for name in TASKS:
        ensure(name, root, "smoke")
    return root


def edit(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text()))


def swap_header(root: Path) -> None:
    edit(root / "face_landmarks_300w_valid.csv", lambda text: text.replace("original_3_y", "original_3_x", 1))


def far_face(root: Path) -> None:
    lines = (root / "face_landmarks_300w_valid.csv").read_text().splitlines()
    fields = lines[2].split(",")
    fields[1:] = [fields[1], *(str(float(v) + 5000) for v in fields[2:])]
    (root / "face_landmarks_300w_valid.csv").write_text("\n".join([*lines[:2], ",".join(fields), *lines[3:]]) + "\n")


def reverse_persons(root: Path) -> None:
    edit(root / "annot/valid.json", lambda text: json.dumps(json.loads(text)[::-1]))


def huge_head(root: Path) -> None:
    data = {key: value for key, value in loadmat(root / "annot/gt_valid.mat").items() if not key.startswith("_")}
    data["headboxes_src"][1, :, 0] = 1e30
    savemat(root / "annot/gt_valid.mat", data)


def replace_first(pattern: str, make: Callable[[Image.Image], Image.Image]) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        path = min(root.rglob(pattern))
        with Image.open(path) as picture:
            made = make(picture)
        made.save(path)

    return change


def latin_list(root: Path) -> None:
    (root / "valList.txt").write_bytes(b"val_images/Zo\xeb.jpg val_segmentations/Zo\xeb.png\n")


def twelve_bits(root: Path) -> None:
    path = min(root.rglob("*.jpg"))
    with Image.open(path) as picture:
        size_hw = (picture.height, picture.width)
    Image.fromarray(np.full(size_hw, 3000, np.uint16)).save(path, "png")


FAULTS: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "header": ("300w", swap_header, "twice"),
    "far face": ("300w", far_face, "touches its picture"),
    "persons": ("mpii", reverse_persons, "same persons"),
    "head": ("mpii", huge_head, "head box smaller"),
    "12 bits": ("mpii", twelve_bits, "convert it to 8 bits"),
    "label size": (
        "lip",
        replace_first("*_segmentations/*.png", lambda p: p.resize((7, 9))),
        "label map of the picture's size",
    ),
    "label colours": (
        "lip",
        replace_first("*_segmentations/*.png", lambda p: p.convert("RGB")),
        "one class id per pixel",
    ),
    "label ids": ("lip", replace_first("val_segmentations/*.png", lambda p: p.point(lambda v: 77)), r"got \[77\]"),
    "list": ("lip", latin_list, "line 1: expected UTF-8"),
    "transparent": (
        "cityscapes",
        replace_first("val/*/*_leftImg8bit.png", lambda p: p.convert("RGBA").point(lambda v: v // 2)),
        "transparent parts",
    ),
}


def copied(pristine: Path, name: str, target: Path) -> Path:
    """A copy of a dataset that may be changed, without the stamp of embedded data."""
    root = Path(shutil.copytree(pristine / name, target / name))
    (root / "embedded.json").unlink(missing_ok=True)
    return root


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(pristine: Path, tmp_path: Path, fault: str) -> None:
    name, change, words = FAULTS[fault]
    root = copied(pristine, name, tmp_path)
    change(root)
    problems = [check.problem for check in check_dataset(get_task(TASKS[name]), name, root)]
    found = [problem for problem in problems if problem]
    assert found and re.search(words, found[0]), problems
    assert str(root) in found[0]


@pytest.mark.parametrize("name", TASKS)
def test_good_data_are_found_good(pristine: Path, name: str) -> None:
    checks = check_dataset(get_task(TASKS[name]), name, pristine / name)
    info = get_task(TASKS[name]).dataset(name)
    assert checks[0].split == info.eval_split and not any(check.problem or check.notes for check in checks)
    assert all("the headers of all" in check.read for check in checks)
    assert {info.train_split} <= {check.split for check in checks}


def test_orientation_is_told_with_what_is_done(
    pristine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = copied(pristine, "lip", tmp_path)
    path = min(root.rglob("val_images/*.jpg"))
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(path) as picture:
        picture.save(path, exif=exif)
    entry(["doctor", "--data-root", str(tmp_path), "--out", str(tmp_path / "out")])
    out = capsys.readouterr().out
    assert "EXIF asks to turn 1 of " in out and "orientation 6); the stored pixels are used" in out
    assert "segmentation/lip" in out and "pictures read" in out
