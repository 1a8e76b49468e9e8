"""The embedded videos: the official layout, people who walk, cross and hide one another, the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.synthetic.datasets import posetrack
from benchmarks.synthetic.people.video import render_video
from tasks import get_task
from tasks.pose.posetrack.files.form_2018 import KEYPOINTS
from tasks.pose.posetrack.files.splits import official_image_id, read_split
from tasks.pose.posetrack.metrics import figures, sequence_sums, stats_of


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embedded") / "posetrack18"
    posetrack.write(folder, posetrack.SIZES["smoke"], 0)
    return folder


def test_files_are_read_by_the_task(root: Path) -> None:
    task = get_task("pose")
    assert posetrack.KEYPOINTS == KEYPOINTS
    videos = read_split(root, "val")
    assert len(videos) == posetrack.SIZES["smoke"]["val"] and all(len(video.frames) == 14 for video in videos)
    for video in videos:
        assert all(frame.image_id == official_image_id(frame.file, -1) for frame in video.frames)
        assert 7 <= sum(frame.labelled for frame in video.frames) < 14
        assert all(frame.labelled or not len(frame.people) for frame in video.frames)
    data = task.eval_data("posetrack18", root, "val", task.protocol("posetrack18", tier="smoke"))
    assert sum(len(boxes) for boxes, _ in data.inputs[0].boxes) > 14
    recipe = task.recipe("posetrack18", "hrnet_micro_w8", "smoke")
    train = task.train_data("posetrack18", root, "train", recipe, data.protocol, 0)
    assert len(train) > 8 and train[(0, 0)]["images"].shape == (3, 128, 96)


def test_the_annotation_matches_itself(root: Path) -> None:
    videos = read_split(root, "val")
    sums = [sequence_sums(video.frames, [frame.people for frame in video.frames]) for video in videos]
    made = figures(stats_of((video.name for video in videos), sums))
    assert made["MOTA"] == 100 and made["MOTP"] == pytest.approx(100) and made["Rec"] == 100


def test_written_twice_alike(root: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    posetrack.write(again, {"val": 1}, 0)
    first = sorted(path.relative_to(again) for path in again.rglob("0000*") if path.is_file())
    assert len(first) == 15
    for path in first:
        assert (root / path).read_bytes() == (again / path).read_bytes()


def test_people_cross_and_hide_one_another() -> None:
    hidden = 0.0
    for seed in range(3):
        frames = render_video(np.random.default_rng(seed), (240, 160), 14)
        middles = np.array([[frame.people[n].joints[:, 0].mean() for n in (0, 1)] for frame in frames])
        order = np.sign(middles[:, 0] - middles[:, 1])
        assert order[0] != order[-1], "the first two do not cross"
        steps = np.abs(np.diff(middles, axis=0))
        assert steps.max() < 25 and steps.mean() > 1
        seen = [frame.people[1].mask.sum() / max(1, frame.people[1].full_area) for frame in frames]
        hidden = max(hidden, 1 - min(seen))
    assert hidden > 0.5


def test_the_camera_pans_over_a_still_background() -> None:
    frames = render_video(np.random.default_rng(5), (240, 160), 14, group=0.0)
    first, other = (frame.image[:50].astype(float).mean(2) for frame in (frames[0], frames[4]))
    still = np.abs(first[:, 60:180] - other[:, 60:180]).mean()
    moved = min(np.abs(first[:, 60:180] - other[:, 60 + shift : 180 + shift]).mean() for shift in range(-40, 41))
    assert moved < still
