"""Which persons of MPII's training pictures are validation: Tompson's list, in whichever form it is at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tasks.files.json_file import read_json
from tasks.files.mat_file import read_mat
from tasks.preparation import find

INDICES = ("detections.mat", "mpii_Tompson_test.mat")
RECORDS = ("mpii_annotations.json",)
ARRAYS = ("detections_our_format.mat", "gt_valid.mat")
SAME_PX = 0.05
"""The list repeats the raw file's joints up to their last digits."""
EVERY = 8
"""Where no list is there, one training picture of so many is held out: about as many as Tompson's."""

Key = tuple[int, int]
"""Numbers of a picture and of a person's rectangle in it, from 1."""


class _Person(Protocol):
    @property
    def joints(self) -> NDArray[np.float64]: ...
    @property
    def seen(self) -> NDArray[np.bool_]: ...


@dataclass(frozen=True)
class Split:
    """Persons of validation in order; ``own``: not the benchmark's; ``text``: where they come from."""

    keys: tuple[Key, ...]
    own: bool
    text: str


def find_split(raw: Path, known: Sequence[Key], persons: Sequence[_Person]) -> Split:
    """The split that lies in `raw` or below; where none does, one of our own.

    Args:
        known: the persons that can be validated. persons: the same, with their joints.

    Raises:
        ValueError: a list is there and is broken, or names persons that are not in the raw file.
    """
    for names, read in ((INDICES, _by_indices), (RECORDS, _by_records)):
        path = find(raw, names)
        if path is not None:
            return _checked(read(path), set(known), path)
    path = find(raw, ARRAYS)
    if path is not None and not (path.parent / "held_out.txt").exists():  # of our own split, made by an earlier call
        return _checked(_by_joints(path, known, persons), set(known), path)
    held = set(sorted({picture for picture, _ in known})[::EVERY])
    keys = tuple(key for key in known if key[0] in held)
    return Split(
        keys,
        True,
        f"no list of the benchmark's validation split lies in {raw} ({', '.join((*INDICES[:1], *RECORDS, *ARRAYS[:1]))}): one "
        f"training picture in {EVERY} was held out instead. Figures on it compare with no published one",
    )


def _checked(keys: Sequence[Key], known: set[Key], path: Path) -> Split:
    strangers = [key for key in keys if key not in known]
    if strangers:
        picture, person = strangers[0]
        raise ValueError(
            f"{path}: names {len(strangers)} persons that the raw file has not, or not with joints (first: picture {picture}, "
            f"person {person}); take both from the same release"
        )
    if not keys or len(set(keys)) != len(keys):
        raise ValueError(
            f"{path}: expected every person of the validation split once, got {len(keys)}, {len(set(keys))} different"
        )
    return Split(tuple(keys), False, f"{len(keys)} persons of {path}")


def _by_indices(path: Path) -> list[Key]:
    held = read_mat(path, "Tompson's list of the validation split")
    pictures, persons = held.get("RELEASE_img_index"), held.get("RELEASE_person_index")
    if pictures is None or persons is None or pictures.size != persons.size:
        raise ValueError(
            f"{path}: expected RELEASE_img_index and RELEASE_person_index of equal length, got {sorted(held)}; fetch it again"
        )
    return [(int(a), int(b)) for a, b in zip(pictures.ravel().tolist(), persons.ravel().tolist(), strict=True)]


def _by_records(path: Path) -> list[Key]:
    found = []
    for row, record in enumerate(read_json(path, list[dict[str, Any]], "pytorch-pose's MPII annotations")):
        try:
            if float(record["isValidation"]):
                found.append((int(record["annolist_index"]), int(record["people_index"])))
        except (KeyError, TypeError, ValueError):
            raise ValueError(
                f"{path}, record {row}: expected isValidation, annolist_index and people_index as numbers; fetch it again"
            ) from None
    return found


def _by_joints(path: Path, known: Sequence[Key], persons: Sequence[_Person]) -> list[Key]:
    """Persons by their joints, which the list repeats to the last digits."""
    held = read_mat(path, "joints of the validation split")
    joints, missing = held.get("pos_gt_src"), held.get("jnt_missing")
    if joints is None or missing is None or joints.ndim != 3 or missing.shape != (joints.shape[0], joints.shape[2]):
        raise ValueError(
            f"{path}: expected pos_gt_src (16, 2, N) and jnt_missing (16, N), got {sorted(held)}; fetch it again"
        )
    from scipy.spatial import cKDTree

    there = cKDTree(np.stack([_vector(person.joints, person.seen) for person in persons]))
    wanted = [
        _vector(joints[:, :, row].astype(np.float64), missing[:, row].astype(float) == 0)
        for row in range(joints.shape[2])
    ]
    distances, rows = there.query(np.stack(wanted))
    strangers = np.flatnonzero(distances > SAME_PX)
    if len(strangers):
        raise ValueError(
            f"{path}, record {int(strangers[0])}: no person of the raw file has these joints ({len(strangers)} such records); "
            "take both from one release"
        )
    return [known[row] for row in rows.tolist()]


def _vector(joints: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(48,): joints in px, and which are there, so weighed that no other person is near."""
    return np.concatenate([np.where(seen[:, None], joints, 0.0).ravel(), 1e4 * seen])
