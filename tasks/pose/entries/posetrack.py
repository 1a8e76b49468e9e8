"""PoseTrack 2017 and 2018: 15 joints of persons in videos, and their tracks. tasks/pose/posetrack/README.md."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tasks.base import DatasetInfo, EvalData, Evaluation, Stats
from tasks.pose.entries.coco import SET_UP, START
from tasks.pose.entry import Entry
from tasks.pose.files.persons import Persons
from tasks.pose.posetrack import metrics
from tasks.pose.posetrack.files import persons, splits
from tasks.pose.posetrack.protocol import PoseTrackProtocol, posetrack_protocol
from tasks.pose.posetrack.recipes import posetrack_recipe
from tasks.pose.protocol import PoseProtocol
from tasks.pose.skeletons.posetrack import POSETRACK


def _persons(root: Path, split: str, protocol: PoseProtocol) -> Persons:
    assert isinstance(protocol, PoseTrackProtocol)
    return persons.read_persons(root, split, protocol)


def _files(name: str, root: Path, split: str, protocol: PoseProtocol) -> list[Path]:
    assert isinstance(protocol, PoseTrackProtocol)
    return splits.files_of(root, name, split, protocol.boxes == "detector", protocol.boxes_file)


def _open(name: str, root: Path, split: str, protocol: PoseProtocol) -> EvalData:
    from tasks.pose.posetrack.datasets import PoseTrackEvalData

    assert isinstance(protocol, PoseTrackProtocol)
    return PoseTrackEvalData(name, root, split, protocol)


def _evaluation(data: EvalData, protocol: PoseProtocol) -> Evaluation:
    from tasks.pose.posetrack.datasets import PoseTrackEvalData
    from tasks.pose.posetrack.evaluation import PoseTrackEvaluation

    assert isinstance(data, PoseTrackEvalData) and isinstance(protocol, PoseTrackProtocol)
    return PoseTrackEvaluation(data, protocol)


def _figures(stats: Stats, counts: np.ndarray | None, wanted: Collection[str] | None) -> Mapping[str, float]:
    return metrics.figures(stats, counts, wanted)


def _submission(root: Path, split: str, path: Path, protocol: PoseProtocol) -> tuple[Stats, tuple[str, ...]]:
    from tasks.pose.posetrack.evaluation import submission_stats

    return submission_stats(root, split, path), ()


def _outputs(options: dict[str, Any], joints: int) -> int:
    return splits.network_outputs(options.pop("num_joints", joints))


def _entry(year: int) -> Entry:
    name = f"posetrack{year}"
    embedded = name if year == 18 else None
    title, size_hw = f"PoseTrack20{year}", (256, 192)
    info = DatasetInfo(
        name, title, name, POSETRACK.num_joints, "train", "val", splits.SPLITS, "MOTA", size_hw, embedded
    )
    return Entry(
        info,
        POSETRACK,
        _persons,
        partial(_files, name),
        partial(posetrack_protocol, START),
        partial(posetrack_recipe, name, SET_UP),
        _evaluation,
        _figures,
        _submission,
        open=partial(_open, name),
        outputs=_outputs,
        maps_joints=True,
    )


ENTRIES = (_entry(17), _entry(18))
