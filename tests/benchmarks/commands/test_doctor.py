"""doctor: what is missing, and what to do."""

from __future__ import annotations

import shutil
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from benchmarks.cli import entry
from benchmarks.synthetic.cache import ensure


def test_doctor_opens_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = ensure("coco", tmp_path / "data", "smoke")
    words = ["doctor", "--data-root", str(tmp_path / "data"), "--out", str(tmp_path)]

    def told() -> str:
        entry(words)
        return next(line for line in capsys.readouterr().out.splitlines() if "pose/coco" in line)

    assert "ok" in told() and "all 1 annotation files" in told()
    shutil.rmtree(root / "person_detection_results")
    assert told().lstrip().startswith("!") and "COCO_val2017_detections" in told()
    shutil.rmtree(root / "images" / "val2017")
    assert told().lstrip().startswith("!") and "val2017" in told()


def test_doctor_names_a_folder_that_takes_no_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert entry(["doctor", "--out", str(tmp_path / "file" / "results")]) == 1
    (line,) = (line for line in capsys.readouterr().out.splitlines() if str(tmp_path) in line)
    assert line.lstrip().startswith("!") and f"{tmp_path / 'file'} is no writable folder" in line and "GiB" not in line


def test_doctor_reports_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "coco" / "annotations").mkdir(parents=True)
    assert entry(["doctor", "--data-root", str(tmp_path), "--out", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "person_keypoints_val2017.json" in out
    assert f"`run_all.py prepare coco --from RAW --data-root {tmp_path}` makes it" in out
    assert f"`run_all.py prepare DATASET --from RAW --data-root {tmp_path}` makes one" in out


def test_opencv_without_windows_is_enough(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {"opencv-python-headless": "4.11.0", "torch": "2.9"}

    def found(name: str) -> str:
        if name not in there:
            raise PackageNotFoundError(name)
        return there[name]

    monkeypatch.setattr("benchmarks.commands.doctor.version", found)
    lines = [line.split() for line in _told(["doctor", "--all", "--out", str(tmp_path)], capsys)]
    assert ["ok", "opencv-python-headless", "4.11.0"] in [line[:3] for line in lines]
    assert [line[0] for line in lines if line[1:2] == ["numpy"]] == ["!"]
    there.clear()
    lines = [line.split() for line in _told(["doctor", "--all", "--out", str(tmp_path)], capsys)]
    assert ["!", "opencv-python", "missing:", "pip", "install", "opencv-python"] in lines


def _told(words: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert entry(words) == 1
    return capsys.readouterr().out.splitlines()
