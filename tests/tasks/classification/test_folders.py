"""Class folders as people have them: numbers in their order, names with their folder; and csv files of classes scored."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tasks import get_task
from tasks.classification.folders import ClassFolders, class_order, read_folders

TASK = get_task("classification")


def _of(num_classes: int) -> ClassFolders:
    return ClassFolders("Flowers", num_classes, {"train": "train", "val": "val"})


def write(root: Path, names: list[str], split: str = "val", files: tuple[str, ...] = ("0001.png",)) -> None:
    for name in names:
        (root / split / name).mkdir(parents=True)
        for file in files:
            Image.new("RGB", (8, 8)).save(root / split / name / file)


def test_numbers_stand_in_their_order(tmp_path: Path) -> None:
    """Folder 10 is class 10, not the third in the alphabet; equal file names stay apart by their folder."""
    write(tmp_path, [str(number) for number in range(12)])
    (tmp_path / "val/.ipynb_checkpoints").mkdir()
    folders = read_folders(tmp_path, "val", _of(12))
    assert folders.classes == tuple(map(str, range(12)))
    assert [int(file.split("/")[1]) for file in folders.files] == folders.labels.tolist() == list(range(12))
    assert folders.image_ids() == [f"{number}/0001" for number in range(12)]


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["b", "a"], ["a", "b"]),
        (["010", "9", "1"], ["1", "9", "010"]),
        (["n10", "n9"], ["n10", "n9"]),
        (["7", "07"], "every class number once"),
        (["7", "cat"], "named by numbers or by words"),
    ],
)
def test_order(names: list[str], order: list[str] | str) -> None:
    if isinstance(order, list):
        assert class_order(names, "val") == order
        return
    with pytest.raises(ValueError, match=order):
        class_order(names, "val")


def test_a_list_gives_the_order(tmp_path: Path) -> None:
    write(tmp_path, ["cat", "7"])
    (tmp_path / "classes.txt").write_bytes("dog\r\n7\r\ncat\r\n".encode("utf-8-sig"))
    folders = read_folders(tmp_path, "val", _of(3))
    assert folders.classes == ("dog", "7", "cat") and folders.labels.tolist() == [1, 2]
    (tmp_path / "classes.txt").unlink()
    os.mkfifo(tmp_path / "classes.txt")
    with pytest.raises(ValueError, match=r"classes\.txt but it is a pipe"):
        read_folders(tmp_path, "val", _of(3))


def test_splits_with_other_folders_are_refused(tmp_path: Path) -> None:
    write(tmp_path, ["0", "1"])
    write(tmp_path, ["cat", "dog"], "train")
    with pytest.raises(ValueError, match=r"same class folders .*'0' is in one of them alone"):
        read_folders(tmp_path, "val", _of(2))


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    write(tmp_path, ["a", "b"], files=("1.png", "1.jpg", "2.PNG"))
    (tmp_path / "val/a/notes.txt").write_text("")
    (tmp_path / "val/b/3.webp").write_text("")
    folders = read_folders(tmp_path, "val", _of(2))
    assert folders.notes == ("2 files that are no .jpeg, .jpg, .png are left out (first: val/a/notes.txt)",)
    # Two pictures of one stem keep their endings.
    assert folders.image_ids() == [f"{name}/{file}" for name in "ab" for file in ("1.jpg", "1.png", "2.PNG")]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four pictures of classes 3, 3, 998, 998; equal names in both folders."""
    names = [f"n{number:08d}" for number in range(1000)]
    write(tmp_path / "data", [names[3], names[998]], files=("a.JPEG", "b.JPEG"))
    (tmp_path / "data/classes.txt").write_text("\n".join(names))
    return tmp_path / "data"


@pytest.mark.parametrize(
    "style", ["{folder}/{stem}", "{folder}/{stem}.JPEG", "val/{folder}/{stem}.JPEG", "{folder}\\{stem}"]
)
def test_a_csv_of_classes_is_scored_without_reading_a_picture(root: Path, style: str) -> None:
    """First of five, third, fifth, and not among them: top-1 25 %, top-5 75 %."""
    for path in root.rglob("*.JPEG"):
        path.write_bytes(b"")
    best = {
        "n00000003/a": "3 1 2 4 5",
        "n00000003/b": "1 2 3 4 5",
        "n00000998/a": "1 2 3 4 998",
        "n00000998/b": "1 2 3 4 5",
    }
    lines = [f"{style.format(folder=n.split('/')[0], stem=n.split('/')[1])},{b}" for n, b in best.items()]
    (root / "out.csv").write_text("\n".join(["image,classes", *lines[::-1]]) + "\n")
    stats, notes = TASK.submission_stats("imagenet", root, "val", root / "out.csv", TASK.protocol("imagenet"))
    figures = TASK.figures("imagenet", stats, {})
    assert (figures["top1"], figures["top5"], notes) == (25, 75, ()) and len(set(stats["image"])) == 4


def test_our_own_predictions_come_back(root: Path, tmp_path: Path) -> None:
    protocol = TASK.protocol("imagenet")
    data = TASK.eval_data("imagenet", root, "val", protocol)
    evaluation = TASK.evaluation(data, protocol)
    evaluation.add(range(4), np.random.default_rng(0).normal(size=(4, 1000)) + 3 * np.eye(1000)[[3, 3, 1, 998]])
    evaluation.write_predictions(tmp_path / "out.csv")
    stats, _ = TASK.submission_stats("imagenet", root, "val", tmp_path / "out.csv", protocol)
    assert stats["image"].tolist() == evaluation.stats()["image"].tolist()
    assert TASK.figures("imagenet", stats, {}) == TASK.figures("imagenet", evaluation.stats(), {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n", "line 1: expected the header image,classes"),
        ("image,classes\nn00000003/a,1 2 3\n", "line 2: expected a picture and 5 different class numbers 0..999"),
        ("image,classes\nn00000003/a,1 2 3 4 1000\n", "line 2: expected a picture and 5"),
        ("image,classes\nn00000003/a,1 2 3 4 4\n", "line 2: expected a picture and 5"),
        ("image,classes\nn00000003/a,1 2 3 4 -5\n", "line 2: expected a picture and 5"),
        ("image,classes\na,1 2 3 4 5\n", "line 2: .*but got 'a'.*write the folder too"),
        ("image,classes\nn00000003/a,1 2 3 4 5\nn00000003/a,1 2 3 4 5\n", "line 3: expected every picture once"),
        ("image,classes\nn00000003/a,1 2 3 4 5\n", r"3 are missing \(first: n00000003/b\)"),
        ("", "line 1: expected the header"),
    ],
)
def test_other_csv_files_are_refused_by_line(root: Path, text: str, words: str) -> None:
    (root / "out.csv").write_text(text)
    with pytest.raises(ValueError, match=rf"out\.csv.*{words}"):
        TASK.submission_stats("imagenet", root, "val", root / "out.csv", TASK.protocol("imagenet"))
    shutil.rmtree(root / "val")
