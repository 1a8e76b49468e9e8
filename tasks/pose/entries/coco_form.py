"""What datasets of keypoints in COCO's form have in common: reading, scoring by OKS."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tasks.base import DatasetInfo, EvalData, Evaluation, Stats
from tasks.pose.entry import Entry
from tasks.pose.files.coco import CocoFiles, read_persons
from tasks.pose.files.persons import Persons
from tasks.pose.protocol import CocoProtocol, PoseProtocol, Start, pose_protocol
from tasks.pose.recipes import SetUp, pose_recipe


def coco_entry(info: DatasetInfo, places: CocoFiles, start: Start, set_up: SetUp, **changes: Any) -> Entry:
    """An entry whose persons stand in COCO's form and are scored by OKS; ``changes`` are other fields."""
    return Entry(
        info,
        places.skeleton,
        partial(_persons, places),
        places.files,
        partial(pose_protocol, start),
        partial(pose_recipe, info.name, set_up),
        _evaluation,
        _figures,
        partial(_submission, places),
        **changes,
    )


def _persons(places: CocoFiles, root: Path, split: str, protocol: PoseProtocol) -> Persons:
    assert isinstance(protocol, CocoProtocol)
    return read_persons(root, split, protocol, places)


def _evaluation(data: EvalData, protocol: PoseProtocol) -> Evaluation:
    from tasks.pose.evaluation import CocoEvaluation

    return CocoEvaluation(data, protocol)


def _figures(stats: Stats, counts: np.ndarray | None, wanted: Collection[str] | None) -> Mapping[str, float]:
    from tasks.pose.evaluation import coco_figures

    return coco_figures(stats, counts, wanted)


def _submission(
    places: CocoFiles, root: Path, split: str, path: Path, protocol: PoseProtocol
) -> tuple[Stats, tuple[str, ...]]:
    from tasks.pose.submissions import coco_stats

    return coco_stats(root, split, path, places)
