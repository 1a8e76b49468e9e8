"""What is kept on the disk is never a reason to fail: damage, several processes, full disks, limits, and those who want none."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import judged
import pytest
from read_twice import itself, refuse, same, things, write

from benchmarks.cli import entry
from tasks import get_task
from tasks.check import check_split
from tasks.coco.objects import read_objects
from tasks.readings import kept


def cut(entry: Path) -> None:
    os.truncate(entry, entry.stat().st_size // 2)


def emptied(entry: Path) -> None:
    entry.write_bytes(b"")


def zeros_at_the_end(entry: Path) -> None:
    content = entry.read_bytes()
    entry.write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))


def one_bit(entry: Path) -> None:
    content = bytearray(entry.read_bytes())
    content[-200] ^= 1
    entry.write_bytes(content)


def another_file(entry: Path) -> None:
    entry.write_bytes(json.dumps(things()).encode())


def another_entry(entry: Path) -> None:
    other = write(entry.parent.parent / "other.json", judged.things())
    read_objects(other, "skip")
    entry.unlink()
    next(entry.parent.iterdir()).rename(entry)


def of_another_form(entry: Path) -> None:
    parts = kept.packed({"name": entry.stem, "kept": {"notes": 1}}, {})
    entry.write_bytes(b"".join(kept.with_digest(parts)))


@pytest.mark.parametrize(
    "spoil", [cut, emptied, zeros_at_the_end, one_bit, another_file, another_entry, of_another_form]
)
def test_a_damaged_entry_is_replaced(
    spoil: Callable[[Path], None], tmp_path: Path, cache: Path, no_reading: Any
) -> None:
    path = write(tmp_path / "file.json", things())
    right = read_objects(path, "skip")
    [kept_at] = cache.iterdir()
    good = kept_at.read_bytes()
    spoil(kept_at)
    assert same(read_objects(path, "skip"), right)
    assert kept_at.read_bytes() == good
    no_reading()
    assert same(read_objects(path, "skip"), right)


def _in_process(path: Path, wait: Any, answers: Any) -> None:
    wait.wait(20)
    answers.put(read_objects(path, "skip").boxes.tobytes())


@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_several_processes_at_once(tmp_path: Path, cache: Path) -> None:
    path = write(tmp_path / "file.json", things())
    context = multiprocessing.get_context("fork")
    wait, answers = context.Barrier(4), context.Queue()
    processes = [context.Process(target=_in_process, args=(path, wait, answers)) for _ in range(4)]
    for process in processes:
        process.start()
    found = {answers.get(timeout=20) for _ in processes}
    for process in processes:
        process.join()
    assert found == {itself(lambda: read_objects(path, "skip")).boxes.tobytes()}
    assert [entry.suffix for entry in cache.iterdir()] == [kept.SUFFIX]


def test_a_full_disk_keeps_nothing_and_fails_nothing(tmp_path: Path, cache: Path, monkeypatch: Any) -> None:
    path = write(tmp_path / "file.json", things())

    def full(parts: Any) -> Iterator[Any]:
        yield parts[0]
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(kept, "with_digest", full)
    assert read_objects(path, "skip").skipped == 1 and not list(cache.iterdir())


def test_the_last_of_a_disk_is_left_free(tmp_path: Path, cache: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(kept, "SPARE_BYTES", 2**60)
    assert read_objects(write(tmp_path / "file.json", things()), "skip").skipped == 1 and not list(cache.iterdir())


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv(kept.VARIABLE, str(tmp_path / "file"))
    path = write(tmp_path / "file.json", things())
    assert read_objects(path, "skip").skipped == read_objects(path, "skip").skipped == 1
    assert kept.held() == kept.empty() == (0, 0) and (tmp_path / "file").read_text() == "no folder"


def test_what_was_not_used_for_longest_goes(tmp_path: Path, cache: Path, monkeypatch: Any) -> None:
    paths = [write(tmp_path / f"{name}.json", things()) for name in "abcd"]
    entries = []
    for age, path in enumerate(paths[:3]):
        read_objects(path, "skip")
        entries += sorted(set(cache.iterdir()) - set(entries))
        os.utime(entries[-1], (1000 + age, 1000 + age))
    read_objects(paths[0], "skip")  # used: now the youngest
    left = cache / f"killed{kept.UNFINISHED}"
    left.write_bytes(b"half of it")
    monkeypatch.setattr(kept, "MOST_BYTES", kept.held()[1] + 100)
    read_objects(paths[3], "skip")
    assert entries[0].exists() and not entries[1].exists() and entries[2].exists() and left.exists()
    assert kept.held()[0] == 3 and kept.held()[1] <= kept.MOST_BYTES
    os.utime(left, (1000, 1000))
    monkeypatch.setattr(kept, "MOST_BYTES", 10)
    read_objects(write(tmp_path / "e.json", things()), "skip")  # larger than all that may be kept
    assert kept.held()[0] == 3
    monkeypatch.setattr(kept, "MOST_BYTES", kept.held()[1])
    read_objects(write(tmp_path / "f.json", things()), "skip")
    assert kept.held()[0] == 3 and not left.exists()


def test_small_files_and_those_who_want_none(tmp_path: Path, cache: Path, monkeypatch: Any) -> None:
    path = write(tmp_path / "file.json", things())
    monkeypatch.setattr(kept, "LEAST_BYTES", path.stat().st_size + 1)
    read_objects(path, "skip")
    monkeypatch.setattr(kept, "LEAST_BYTES", path.stat().st_size)
    with kept.reading_anew():
        read_objects(path, "skip")
    monkeypatch.setenv(kept.VARIABLE, "OFF")
    read_objects(path, "skip")
    assert kept.folder() is None and kept.held() == (0, 0) and not cache.exists()
    monkeypatch.setenv(kept.VARIABLE, str(tmp_path / "cache"))
    read_objects(path, "skip")
    assert len(list(cache.iterdir())) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="XDG's folders")
def test_it_lies_in_the_users_cache(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.delenv(kept.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    read_objects(write(tmp_path / "file.json", things()), "skip")
    [found] = (tmp_path / "xdg" / "hrnet-benchmark" / "annotations").iterdir()
    assert found.parent.stat().st_mode & 0o077 == 0


def test_doctor_reads_the_file_itself_and_empties_the_cache(
    tmp_path: Path, cache: Path, monkeypatch: Any, capsys: Any
) -> None:
    root, task = judged.lay(tmp_path, judged.things(), "instances"), get_task("detection")
    task.eval_data("coco", root, "val2017", task.protocol("coco"))
    assert len(list(cache.iterdir())) == 1
    with monkeypatch.context() as context:
        context.setattr(kept, "_found", refuse)
        assert check_split(task, "coco", root, "val2017", task.protocol("coco")).problem == ""
        with pytest.raises(AssertionError):
            task.eval_data("coco", root, "val2017", task.protocol("coco"))
    entry(["doctor", "--out", str(tmp_path)])
    assert str(cache) in (out := capsys.readouterr().out) and "1 entries" in out and list(cache.iterdir())
    entry(["doctor", "--out", str(tmp_path), "--empty-cache"])
    assert "1 entries" in capsys.readouterr().out and not list(cache.iterdir())
