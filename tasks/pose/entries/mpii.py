"""MPII: 16 joints of single persons, scored by PCKh. See docs/protocols.md, sections 4 and 5."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from tasks.base import DatasetInfo, EvalData, Evaluation, Stats
from tasks.pose.crops.augment import PoseAugment
from tasks.pose.entry import Entry
from tasks.pose.files import mpii
from tasks.pose.files.persons import Persons
from tasks.pose.protocol import MpiiProtocol, PoseProtocol, Start, pose_protocol
from tasks.pose.recipes import SetUp, pose_recipe, with_batch
from tasks.pose.skeletons.mpii import MPII
from tasks.recipe import Recipe

START = Start(
    MpiiProtocol(),
    (128, 128),
    MpiiProtocol(shift=False, flip_merge="sum", decoder="quarter_one_based", crop="corners", normaliser="mpii_mean"),
)
SET_UP = SetUp(
    hrnet=PoseAugment(scale_factor=0.25, rotation_factor=30),
    simple_baseline=PoseAugment(scale_factor=0.25, rotation_factor=30),
    half_body_prob=0.0,
    shift_factor=0.0,
    epochs=5,
)


def r152_384x384(recipe: Recipe) -> Recipe:
    """SimpleBaseline-R152 on MPII at 384x384: 24 persons."""
    return with_batch(recipe, 24, "simple-baseline-mpii", "r152_384x384")


def _persons(root: Path, split: str, protocol: PoseProtocol) -> Persons:
    return mpii.read_persons(root, split)


def _notes(persons: Persons, split: str) -> tuple[str, ...]:
    return mpii.matching_truth(persons)[1] if mpii.has_truth(split) else ()


def _files(root: Path, split: str, protocol: PoseProtocol) -> list[Path]:
    files = [mpii.annotation_path(root, split)]
    return [*files, mpii.truth_path(root)] if mpii.has_truth(split) else files


def _evaluation(data: EvalData, protocol: PoseProtocol) -> Evaluation:
    from tasks.pose.evaluation import MpiiEvaluation

    return MpiiEvaluation(data, protocol)


def _figures(stats: Stats, counts: np.ndarray | None, wanted: Collection[str] | None) -> Mapping[str, float]:
    from tasks.pose.evaluation import mpii_figures

    return mpii_figures(stats, counts)


def _submission(root: Path, split: str, path: Path, protocol: PoseProtocol) -> tuple[Stats, tuple[str, ...]]:
    from tasks.pose.submissions import mpii_file_stats

    return mpii_file_stats(root, split, path)


ENTRIES = (
    Entry(
        DatasetInfo(
            "mpii", "MPII", "mpii", MPII.num_joints, "train", "valid", mpii.SPLITS, "PCKh@0.5", (256, 256), "mpii"
        ),
        MPII,
        _persons,
        _files,
        partial(pose_protocol, START),
        partial(pose_recipe, "mpii", SET_UP),
        _evaluation,
        _figures,
        _submission,
        person_notes=_notes,
        variants={"r152_384x384": r152_384x384},
    ),
)
