"""Videos frame by frame, and the documented script, as it stands, on all five tasks."""

from __future__ import annotations

import json
import runpy
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

import tasks
from tasks.predictor.video import VideoWriter, frames_of, rate_of

pytest.importorskip("av")
ROOT = Path(__file__).parents[3]
FRAMES = 5


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five frames of one colour each, brighter from frame to frame, ten a second."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with VideoWriter(path, Fraction(10)) as writer:
        for number in range(FRAMES):
            writer.add(np.full((48, 65, 3), 40 * number + 20, np.uint8))  # the odd column goes
    return path


def test_frames_come_one_by_one_with_their_times(clip: Path) -> None:
    frames = frames_of(clip)
    first = next(frames)
    assert first.picture.shape == (48, 64, 3) and first.picture.dtype == np.uint8
    found = [first, *frames]
    assert [frame.number for frame in found] == list(range(FRAMES))
    assert [frame.time_s for frame in found] == pytest.approx([0.1 * k for k in range(FRAMES)])
    assert [float(frame.picture.mean()) for frame in found] == pytest.approx(
        [40 * k + 20 for k in range(FRAMES)], abs=4
    )
    assert rate_of(clip) == 10


def test_what_is_no_video_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    for path, text in (
        (tmp_path / "none.mp4", "expected a video there, found nothing"),
        (tmp_path / "text.mp4", "expected a video, got a file that cannot be opened as one"),
    ):
        with pytest.raises(ValueError, match=text):
            frames_of(path)


def test_a_failed_video_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected frames of"), VideoWriter(tmp_path / "v.mp4", Fraction(5)) as writer:
        writer.add(np.zeros((32, 32, 3), np.uint8))
        writer.add(np.zeros((64, 32, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_the_script_of_ten_lines(
    embedded: Path, weights: Callable[..., Path], clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("pose", "landmarks", "segmentation", "detection", "classification")
    for folder in ("weights", "photos", "drawn"):
        (tmp_path / folder).mkdir()
    for name in names:
        shutil.copyfile(weights(name), tmp_path / "weights" / f"{name}.pt")
    source = sorted((embedded / "detection").rglob("*.jpg"))[0]
    for name in ("a", "b"):
        cv2.imwrite(str(tmp_path / "photos" / f"{name}.png"), cv2.imread(str(source)))
    shutil.copyfile(clip, tmp_path / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    try:
        runpy.run_path(str(ROOT / "docs" / "how-to" / "predict.py"))
    finally:
        tasks.get_task("classification").__dict__.pop("datasets", None)
    for name in names:
        records = json.loads((tmp_path / "drawn" / f"{name}.json").read_text())
        assert len(records) == 1 + 2 + FRAMES
        assert {record.get("image_id") for record in records[1]} <= {"a"}
        assert {record["image_id"] for record in records[3]} <= {"clip/0"}
        for number in range(len(records)):
            assert cv2.imread(str(tmp_path / "drawn" / f"{name}_{number}.png")) is not None
