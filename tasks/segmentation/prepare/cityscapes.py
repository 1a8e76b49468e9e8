"""Cityscapes: leftImg8bit/ and gtFine/ as the archives unpack, brought to their places and counted."""

from __future__ import annotations

from pathlib import Path

from tasks.preparation import Preparation, Target, find

OFFICIAL = {"train": 2975, "val": 500, "test": 1525}


def prepare(raw: Path, target: Target) -> None:
    """Brings both trees to their places.

    Raises:
        ValueError: no leftImg8bit/ or no gtFine/.
    """
    for name in ("leftImg8bit", "gtFine"):
        folder = find(raw, (name,))
        if folder is None:
            raise ValueError(f"{raw}: expected {name}/ there or below, found none. Unpack {name}_trainvaltest.zip.")
        target.place(folder, name)
    for split, official in OFFICIAL.items():
        frames = len(list((target.folder / "leftImg8bit" / split).glob("*/*_leftImg8bit.png")))
        target.count(f"pictures of {split}", frames, official)
        if split != "test":
            maps = len(list((target.folder / "gtFine" / split).glob("*/*_gtFine_labelIds.png")))
            target.count(f"label maps of {split}", maps, official)


CITYSCAPES = Preparation(
    "segmentation", "cityscapes", "cityscapes", "leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip", prepare
)
