"""What reading an annotation file gave is kept: the same to the last bit, and only for the same file, question and code."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import judged
import numpy as np
import pytest
from read_twice import itself, named, persons, same, things, write

from tasks import get_task
from tasks.coco.keypoints import read_keypoints
from tasks.coco.objects import read_objects
from tasks.detection.datasets import DetectionAugment, DetectionTrainData
from tasks.pose.skeletons.coco import COCO
from tasks.readings import kept

ROOT = Path(__file__).resolve().parents[3]
KINDS: Mapping[str, tuple[Callable[[], Any], Callable[[Path], Any]]] = {
    "objects": (things, partial(read_objects, degenerate="skip")),
    "objects of other ids": (lambda: named(things()), partial(read_objects, degenerate="skip")),
    "clean objects": (judged.things, read_objects),
    "pictures alone": (judged.things, partial(read_objects, truth=False)),
    "persons": (persons, partial(read_keypoints, joints=COCO.names)),
    "persons without truth": (
        lambda: {"images": judged.images(3)},
        partial(read_keypoints, joints=COCO.names, truth=False),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_to_the_last_bit(kind: str, tmp_path: Path, cache: Path, no_reading: Any) -> None:
    made, read = KINDS[kind]
    path = write(tmp_path / "file.json", made())
    right, first = itself(lambda: read(path)), read(path)
    assert same(right, first) and len(list(cache.iterdir())) == 1
    no_reading()
    again = read(path)
    assert same(right, again) and again.notes == right.notes
    assert bool(right.notes) == (kind in ("objects", "objects of other ids", "persons"))


def test_samples_and_what_a_reader_must_know_are_the_same(tmp_path: Path, cache: Path, no_reading: Any) -> None:
    root = judged.lay(tmp_path, things(), "instances")
    task = get_task("detection")

    def opened() -> DetectionTrainData:
        augment = DetectionAugment(short_px=(96,), long_px=(128,), masks=True)
        return DetectionTrainData(root, "val2017", augment, 0, task.protocol("coco"))

    right = itself(opened)
    opened()
    no_reading()
    found = opened()
    assert len(list(cache.iterdir())) == 1
    assert found.notes == right.notes and len(found.notes) >= 4 and len(found) == len(right) > 0
    for index in range(len(right)):
        for name, value in right[0, index].items():
            assert np.array_equal(found[0, index][name], value), name


def test_where_it_lies_now_is_what_errors_name(tmp_path: Path, cache: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
        write(folder / "file.json", things())
    read_objects(first / "file.json", "skip")
    found = read_objects(second / "file.json", "skip")
    assert len(list(cache.iterdir())) == 1 and found.where(0).startswith(str(second / "file.json"))
    assert found.path == found.pictures.path == second / "file.json"


def test_an_edit_of_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "file.json", judged.things())
    before, status = read_objects(path), path.stat()
    text = path.read_text()
    box = json.dumps(before.boxes[0].astype(int).tolist())
    changed = text.replace(box, box.replace(box[1], str(int(box[1]) + 1), 1), 1)
    assert len(changed) == len(text) and changed != text
    path.write_text(changed)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = read_objects(path)
    assert after.boxes[0, 0] != before.boxes[0, 0] and same(after, itself(lambda: read_objects(path)))
    path.write_text(text)
    assert same(read_objects(path), before)  # and back


def test_a_touched_file_is_the_same_and_another_name_another(tmp_path: Path, no_reading: Any, cache: Path) -> None:
    path = write(tmp_path / "file.json", things())
    read_objects(path, "skip")
    other = path.rename(tmp_path / "other.json")
    assert "other.json" in read_objects(other, "skip").notes[0] and len(list(cache.iterdir())) == 2
    no_reading()
    os.utime(other, (1, 1))
    assert "other.json" in read_objects(other, "skip").notes[0]


def test_what_is_asked_and_the_code_are_part_of_the_key(tmp_path: Path, cache: Path, monkeypatch: Any) -> None:
    path = write(tmp_path / "file.json", things())
    assert read_objects(path, "skip").skipped == 1
    for _ in range(2):
        with pytest.raises(ValueError, match="degenerate_boxes=skip"):
            read_objects(path, "error")
    people = write(tmp_path / "people.json", persons())
    read_keypoints(people, COCO.names)
    with pytest.raises(ValueError, match="skeleton"):
        read_keypoints(people, COCO.names[:5])
    assert len(list(cache.iterdir())) == 2
    monkeypatch.setattr(kept, "_code", lambda: "of another version")
    read_objects(path, "skip")
    assert len(list(cache.iterdir())) == 3
    monkeypatch.setattr(kept, "_code", lambda: None)
    read_objects(path, "skip")
    assert len(list(cache.iterdir())) == 3


def test_code_that_is_edited_while_a_process_runs_is_not_what_it_reads_with(monkeypatch: pytest.MonkeyPatch) -> None:
    before, content = kept._code(), Path.read_bytes
    kept._code.cache_clear()
    monkeypatch.setattr(Path, "read_bytes", lambda path: content(path) + b"# edited")
    assert kept._digest_of_sources() != kept._SOURCES
    assert kept._code() == before and kept._SOURCES is not None


def test_the_code_that_reads_is_all_in_the_digest() -> None:
    for folder in kept._READ_BY:
        for source in (ROOT / "tasks" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                own = [name.split(".") for name in modules if name.split(".")[0] in ("tasks", "hrnet", "benchmarks")]
                assert not [name for name in own if name[:1] != ["tasks"] or name[1] not in kept._READ_BY], source


def test_what_is_refused_is_refused_again(tmp_path: Path, cache: Path) -> None:
    truth = judged.things()
    truth["annotations"][3]["image_id"] = 99
    path, texts = write(tmp_path / "file.json", truth), set()
    with kept.reading_anew(), pytest.raises(ValueError) as caught:
        read_objects(path)
    texts.add(str(caught.value))
    for _ in range(2):
        with pytest.raises(ValueError) as caught:
            read_objects(path)
        texts.add(str(caught.value))
    with pytest.raises(ValueError, match=r"there is no such file; fetch it"):
        read_objects(tmp_path / "none.json", advice="fetch it")
    assert len(texts) == 1 and "image_id 99" in texts.pop() and not cache.exists()
