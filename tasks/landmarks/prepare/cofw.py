"""COFW: COFW_{train,test}_color.mat, which hold the pictures, checked and brought to their place."""

from __future__ import annotations

from pathlib import Path

from tasks.landmarks.entries.cofw import MARKUP
from tasks.landmarks.files.cofw import read_cofw
from tasks.preparation import Preparation, Target, find

OFFICIAL = {"train": 1345, "test": 507}


def prepare(raw: Path, target: Target) -> None:
    """Reads both files where they are, then brings them to their place.

    Raises:
        ValueError: none is there, or one is no MATLAB v7.3 file of COFW's fields.
    """
    found = {split: path for split in OFFICIAL if (path := find(raw, (f"COFW_{split}_color.mat",)))}
    if not found:
        raise ValueError(f"{raw}: expected COFW_train_color.mat and COFW_test_color.mat there or below, found none.")
    counts = {split: len(read_cofw(path.parent, split, MARKUP.num_points)) for split, path in found.items()}
    for split, path in found.items():
        target.place(path, path.name)
        target.count(f"faces of {split}", counts[split], OFFICIAL[split])
    for split in OFFICIAL.keys() - found.keys():
        target.tell(f"! no COFW_{split}_color.mat in {raw}")


COFW = Preparation(
    "landmarks", "cofw", "cofw", "COFW_color.zip: COFW_train_color.mat and COFW_test_color.mat (MATLAB v7.3)", prepare
)
