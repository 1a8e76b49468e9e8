"""Faces in a video keep one id and one colour, with a detector whose boxes come in any order, flicker and go missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tasks.landmarks.predict import LandmarkResult
from tasks.landmarks.task import TASK
from tasks.predictor.predictor import Predictor
from tasks.predictor.sources import Shown
from tasks.results.box_source import GivenBoxes
from tasks.results.tracks import track_colour
from tasks.tracking.joining import BoxTracks

FRAMES = 8
PLACES = np.random.default_rng(0).uniform(0.2, 0.8, (68, 2))


class InEveryBox(nn.Module):
    """Finds the points at the same places of every box."""

    def __init__(self) -> None:
        super().__init__()
        self.dataset, self.num_outputs = "300w", 68
        self.level = nn.Parameter(torch.tensor(0.9))

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[2] // 4, images.shape[3] // 4
        maps = torch.zeros(len(images), 68, height, width)
        for point, (x, y) in enumerate(PLACES):
            maps[:, point, int(y * height), int(x * width)] = self.level
        return maps


def faces_of(frame: int) -> np.ndarray:
    """Two faces that pass each other; the second is not found in frames 3 and 4, and the order changes."""
    rng = np.random.default_rng(frame)
    first = np.array([10.0 + 5 * frame, 10, 60 + 5 * frame, 60])
    second = np.array([130.0 - 5 * frame, 80, 190 - 5 * frame, 140])
    boxes = np.stack([first, second]) + rng.uniform(-1, 1, (2, 4))
    return boxes[:1] if frame in (3, 4) else boxes[::-1] if frame % 2 else boxes


class Detector:
    min_score = 0.0

    def boxes(self, pictures: list[Shown]) -> list[GivenBoxes]:
        found = [faces_of(int(one.frame or 0)) for one in pictures]
        return [GivenBoxes(boxes, "the detector", "", np.full(len(boxes), 0.9)) for boxes in found]


@pytest.fixture(scope="module")
def results() -> list[LandmarkResult]:
    protocol = replace(TASK.protocol("300w", model="hrnet_micro_w8"), flip=False)
    detector: Any = Detector()
    asked = Predictor(TASK, InEveryBox(), "300w", protocol, torch.device("cpu"), detector=detector, batch_size=3)
    picture = np.zeros((160, 240, 3), np.uint8)
    shown = [Shown(picture, "clip.mp4", number, number / 10) for number in range(FRAMES)]
    alone = list(asked.stream(shown))
    made = list(asked.frames(shown))
    for one, other in zip(made, alone, strict=True):  # what is found is what the picture alone holds
        np.testing.assert_array_equal(one.keypoints_px, other.keypoints_px)
        assert other.track_ids is None and one.boxes_from == other.boxes_from
    return made


def test_faces_keep_their_ids_and_colours(results: list[LandmarkResult]) -> None:
    seen: dict[int, set[int]] = {0: set(), 1: set()}
    for frame, result in enumerate(results):
        assert result.track_ids is not None
        ids = result.track_ids.tolist()
        assert len(ids) == len(set(ids)) == len(faces_of(frame))
        drawn = result.draw()
        for row, name in enumerate(ids):
            seen[int(result.boxes_xyxy_px[row, 1] > 70)].add(name)
            assert (drawn == track_colour(name)).all(-1).any()
        assert [record["track_id"] for record in result.to_coco()] == ids
        assert [face["track_id"] for face in result.to_plain()["faces"]] == ids
    assert seen == {0: {0}, 1: {1}}


def test_a_track_waits_for_its_memory_and_no_longer() -> None:
    here, there = [0, 0, 10, 10], [100, 0, 110, 10]
    tracks = BoxTracks(memory=2)
    assert tracks([here, there]).tolist() == [0, 1]
    assert tracks([there]).tolist() == [1] and tracks([]).tolist() == []
    assert tracks([here]).tolist() == [2]  # 0 was last seen three frames ago
    assert tracks([there, here]).tolist() == [3, 2]
    assert tracks([[8, 0, 18, 10]]).tolist() == [4]  # overlaps too little
