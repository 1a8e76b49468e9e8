"""Submission files of other programs, read back and scored as our own predictions are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.base import Stats
from tasks.coco.categories import Categories
from tasks.coco.results import keypoint_records, read_results
from tasks.coco.scored.scoring import keypoint_matches
from tasks.files.mat_file import read_mat
from tasks.pose.evaluation import mpii_stats
from tasks.pose.files import coco, mpii
from tasks.pose.skeletons.mpii import MPII

FARTHEST_PX = 1e6
"""Beyond any picture, and what a network may say of it: such numbers are damage."""


def coco_stats(
    root: Path, split: str, path: Path, places: coco.CocoFiles = coco.OFFICIAL
) -> tuple[Stats, tuple[str, ...]]:
    """Match lists of a COCO keypoint results file, and what a reader of its figures must know.

    Raises:
        ValueError: no such file, not a results file, results for other pictures, a broken record, a split without truth.
    """
    if not places.has_truth(split):
        raise ValueError(f"{split} has no public ground truth: upload {path} to the benchmark's server")
    truth, skeleton = places.read_truth(root, split), places.skeleton
    coco.require_areas(truth)
    only = Categories((truth.person,), (truth.person_name,))
    results = read_results(path, truth.pictures, only, num_numbers=3 * skeleton.num_joints)
    records = keypoint_records(results, truth.pictures, skeleton.num_joints)
    return keypoint_matches(truth, records, skeleton.sigmas()), (*truth.notes, *results.notes)


def mpii_file_stats(root: Path, split: str, path: Path) -> tuple[Stats, tuple[str, ...]]:
    """Errors of a pred.mat: `preds` (N, 16, 2), 1-based, in the order of the split's persons; the pictures need not be there.

    Raises:
        ValueError: no such file, no such array, another number of persons, a split without truth.
    """
    if not mpii.has_truth(split):
        raise ValueError(f"{split} has no public ground truth: send {path} to the benchmark's authors")
    persons = mpii.read_persons(root, split, pictures=False)
    truth, notes = mpii.matching_truth(persons)
    points = _points(path)
    if len(points) != len(truth) or len(points) != len(persons):
        raise ValueError(
            f"{path}: expected predictions of the {len(persons)} persons of {split} (truth: {len(truth)}), got {len(points)}; "
            "choose the split that they were made for"
        )
    return mpii_stats(persons, truth, points), notes


def _points(path: Path) -> NDArray[np.float64]:
    held = read_mat(path, "MPII predictions", fix="write the predictions again")
    points = held.get("preds")
    if (
        not isinstance(points, np.ndarray)
        or points.ndim != 3
        or points.shape[1] != MPII.num_joints
        or points.shape[2] < 2
    ):
        found = f"{points.shape}" if isinstance(points, np.ndarray) else f"{sorted(held)}"
        raise ValueError(
            f"{path}: expected `preds` (persons, {MPII.num_joints}, 2), got {found}; write the predictions again"
        )
    try:
        found_xy = np.asarray(points[..., :2], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: expected `preds` of numbers, got {error}; write the predictions again") from None
    wrong = np.argwhere(~(np.abs(found_xy) <= FARTHEST_PX).all(-1))
    if len(wrong):
        person, joint = wrong[0].tolist()
        raise ValueError(
            f"{path}, `preds` of person {person}, joint {joint}: expected finite coordinates within {FARTHEST_PX:g} px, got "
            f"{found_xy[person, joint].tolist()} ({len(wrong)} such joints); write the predictions again"
        )
    return found_xy
