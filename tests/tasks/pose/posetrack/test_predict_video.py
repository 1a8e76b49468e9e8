"""Persons in a video keep one id and one colour, in arrays and in a file, with a detector whose boxes come in any order."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tasks.pose.posetrack.inference import track_video
from tasks.pose.predict import PoseResult
from tasks.pose.task import TASK
from tasks.predictor.predictor import Predictor
from tasks.predictor.sources import Shown
from tasks.predictor.video import VideoWriter
from tasks.results.box_source import GivenBoxes
from tasks.results.tracks import track_colour

DATASETS = ("coco", "mpii", "posetrack18")
PLACES = np.array([(0.3, 0.1), (0.7, 0.9), *np.random.default_rng(0).uniform((0.3, 0.1), (0.7, 0.9), (15, 2))])
"""Where a joint lies in a crop, as shares of its sides: over a card's whole extent."""


class InEveryBox(nn.Module):
    """Finds the joints at the same places of every box, so that a pose goes where its box goes."""

    def __init__(self, dataset: str) -> None:
        super().__init__()
        self.dataset, self.num_outputs = dataset, TASK.dataset(dataset).num_outputs
        self.level = nn.Parameter(torch.tensor(0.9))

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[2] // 4, images.shape[3] // 4
        maps = torch.zeros(len(images), self.num_outputs, height, width)
        for joint in range(self.num_outputs):
            x, y = PLACES[joint]
            maps[:, joint, int(y * height), int(x * width)] = self.level
        return maps


class Detector:
    """The two cards' boxes (frames, 2, 4), in another order in every second frame, and none of the first in the fourth frame."""

    min_score = 0.0

    def __init__(self, joints: np.ndarray) -> None:
        self.cards = np.concatenate([joints.min(2), joints.max(2)], -1)

    def of(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        kept = [1] if frame == 3 else [1, 0] if frame % 2 else [0, 1]
        return self.cards[frame, kept], np.array([0.8, 0.9])[kept]

    def boxes(self, pictures: list[Shown]) -> list[GivenBoxes]:
        found = [self.of(int(shown.frame or 0)) for shown in pictures]
        return [GivenBoxes(boxes, "the detector", "", scores) for boxes, scores in found]


def predictor(dataset: str, detector: Detector) -> Predictor:
    protocol = replace(TASK.protocol(dataset, model="hrnet_micro_w8"), flip=False)
    chained: Any = detector
    cpu = torch.device("cpu")
    return Predictor(TASK, InEveryBox(dataset), dataset, protocol, cpu, detector=chained, batch_size=4)


def shown(pictures: list[np.ndarray]) -> list[Shown]:
    return [Shown(picture, "clip.mp4", number, number / 10) for number, picture in enumerate(pictures)]


def card_of(result: PoseResult, row: int, cards: np.ndarray) -> int:
    away = np.abs(cards[result.frame] - result.boxes_xyxy_px[row]).max(1)
    assert away.min() < 12
    return int(np.argmin(away))


@pytest.mark.parametrize("dataset", DATASETS)
def test_persons_keep_their_ids_and_colours(
    dataset: str, card_pictures: list[np.ndarray], card_joints: np.ndarray
) -> None:
    detector = Detector(card_joints)
    results = list(predictor(dataset, detector).frames(shown(card_pictures)))
    assert [(result.frame, result.boxes_from) for result in results] == [
        (k, "the detector") for k in range(len(card_joints))
    ]
    ids: dict[int, set[int]] = {0: set(), 1: set()}
    for result in results:
        assert result.track_ids is not None and len(set(result.track_ids.tolist())) == len(result)
        drawn = result.draw()
        for row, name in enumerate(result.track_ids.tolist()):
            ids[card_of(result, row, detector.cards)].add(name)
            assert (drawn == track_colour(name)).all(-1).any()
        assert [record["track_id"] for record in result.to_coco()] == result.track_ids.tolist()
        assert [person["track_id"] for person in result.to_plain()["persons"]] == result.track_ids.tolist()
    assert {frozenset(found) for found in ids.values()} == {frozenset({0}), frozenset({1})}
    assert [len(result) for result in results] == [2] * len(results)  # whom the detector misses is carried over by flow


def test_frames_of_posetrack_go_the_way_of_its_evaluation(
    card_pictures: list[np.ndarray], card_joints: np.ndarray
) -> None:
    detector = Detector(card_joints)
    asked = predictor("posetrack18", detector)
    boxes = [detector.of(frame) for frame in range(len(card_joints))]
    expected = track_video(TASK, asked.network, card_pictures, boxes, asked.protocol)
    for result, frame in zip(asked.frames(shown(card_pictures)), expected, strict=True):
        np.testing.assert_array_equal(result.track_ids, frame.ids)
        np.testing.assert_array_equal(result.keypoints_px, frame.keypoints[..., :2].astype(np.float32))
        np.testing.assert_array_equal(result.boxes_xyxy_px, frame.boxes)


def test_a_frame_whose_boxes_hold_nobody_says_so(
    card_pictures: list[np.ndarray], card_joints: np.ndarray, tmp_path: Path
) -> None:
    asked = predictor("coco", Detector(card_joints))
    with torch.no_grad():
        asked.network.level.fill_(0.3)
    results = list(asked.frames(shown(card_pictures)))
    assert all(len(result) == 0 and result.note == "no pose of 4 joints or more above 0.4" for result in results)
    assert (results[0].draw() == card_pictures[0]).all() and results[0].to_coco() == []
    alone = list(asked.stream(shown(card_pictures)))  # pictures keep whatever is found in their boxes
    assert [len(result) for result in alone] == [2, 2, 2, 1, 2, 2] and alone[0].track_ids is None


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_whole_picture_is_one_person(
    dataset: str, card_pictures: list[np.ndarray], card_joints: np.ndarray, tmp_path: Path
) -> None:
    pytest.importorskip("av")
    with VideoWriter(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for picture in card_pictures:
            writer.add(picture)
    asked = predictor(dataset, Detector(card_joints))
    results = list(asked(tmp_path / "clip.mp4", boxes="whole"))
    assert [result.track_ids.tolist() for result in results] == [[0]] * len(card_joints)
    height, width = card_pictures[0].shape[:2]
    assert all(result.boxes_xyxy_px.tolist() == [[0, 0, width, height]] for result in results)
    again = list(asked(tmp_path / "clip.mp4"))  # another video begins anew
    assert again[0].track_ids.tolist() == [0, 1]
