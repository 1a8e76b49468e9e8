"""What a dataset of pose is to the task: joints, files, protocol, recipe, scores. One file of this folder each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tasks.base import DatasetInfo, EvalData, Evaluation, Stats
from tasks.pose.files.persons import Persons
from tasks.pose.protocol import PoseProtocol
from tasks.pose.skeletons.joints import Skeleton
from tasks.recipe import Recipe

Figures = Callable[[Stats, np.ndarray | None, Collection[str] | None], Mapping[str, float]]
"""(per-image statistics, how often each image counts, names of the figures that are needed) -> figures."""


@dataclass(frozen=True)
class Entry:
    """A dataset.

    Attributes:
        skeleton: its joints.
        persons: (folder, split, protocol) -> the persons of a split. Raises ValueError.
        files: (folder, split, protocol) -> what identifies a split's data.
        protocol: (model, family, tier) -> the protocol. recipe: (model, tier) -> the recipe.
        evaluation: (data, protocol) -> what collects poses and scores them.
        figures: from per-image statistics.
        submission: (folder, split, file, protocol) -> statistics of a submission, and what to know of them.
        open: (folder, split, protocol) -> the samples of an evaluation; None where each person is one.
        person_notes: what a reader must know of the persons of a split.
        outputs: (options of the network, number of joints) -> its outputs.
        maps_joints: whether networks of other skeletons are evaluated, their joints mapped.
        beside: (picture, annotations alone) -> files of the dataset that a picture lies in, which may know its persons.
        variants: published variants of the recipe by name.
        mirrored: whether it is known which joints change places in a mirror.
        notes: what a reader of its figures must know.
    """

    info: DatasetInfo
    skeleton: Skeleton
    persons: Callable[[Path, str, PoseProtocol], Persons]
    files: Callable[[Path, str, PoseProtocol], list[Path]]
    protocol: Callable[[str, str | None, str], PoseProtocol]
    recipe: Callable[[str, str], Recipe]
    evaluation: Callable[[EvalData, PoseProtocol], Evaluation]
    figures: Figures
    submission: Callable[[Path, str, Path, PoseProtocol], tuple[Stats, tuple[str, ...]]]
    open: Callable[[Path, str, PoseProtocol], EvalData] | None = None
    person_notes: Callable[[Persons, str], tuple[str, ...]] = lambda persons, split: ()
    outputs: Callable[[dict[str, Any], int], int] = lambda options, joints: joints
    maps_joints: bool = False
    beside: Callable[[Path, bool], list[Path]] = lambda picture, annotated_only: []
    variants: Mapping[str, Callable[[Recipe], Recipe]] = field(default_factory=dict)
    mirrored: bool = True
    notes: tuple[str, ...] = ()
