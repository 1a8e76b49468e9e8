"""Label maps of one's own, from a completed declaration: any classes, any colours, any label that is not scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from tasks.base import declared_dataset
from tasks.declarations.declaration import FILE, Declaration, Labels
from tasks.declarations.sides import look_sided, sided_pairs
from tasks.files.opening import is_file
from tasks.images import inside
from tasks.recipe import Recipe
from tasks.segmentation.crops.augment import SegmentationAugment
from tasks.segmentation.entries.entry import Entry
from tasks.segmentation.files.classes import ClassTable, spread_colours
from tasks.segmentation.files.label_maps import LabelMaps
from tasks.segmentation.files.label_png import read_ids
from tasks.segmentation.files.layouts import Layout
from tasks.segmentation.protocol import SegmentationProtocol
from tasks.segmentation.recipes import reference


def declared_entry(declaration: Declaration) -> Entry:
    """The entry of a dataset whose declaration states its classes."""
    table = table_of(declaration)
    info = declared_dataset(declaration, num_outputs=len(table), headline="mIoU", profile_hw=(512, 512))
    return Entry(
        info,
        (table,),
        partial(_open, declaration),
        lambda ocr: SegmentationProtocol(len(table), view="tiles", crop_hw=(1024, 1024)),
        {"view": "whole", "crop_hw": (128, 128), "base_px": 128},
        recipe,
        (7, SegmentationAugment((96, 96), 128, scale_min=0.8, scale_steps=4)),
        notes=declaration.derived,
    )


def table_of(declaration: Declaration) -> ClassTable:
    """The classes that a completed declaration states."""
    labels = declaration.labels
    assert labels is not None
    count = len(labels.names)
    # The first of the spread colours is black, which says "not labelled" in a legend.
    colours = labels.colours or spread_colours(count + 1)[1:]
    place = {name: number for number, name in enumerate(labels.names)}
    pairs = tuple((place[a], place[b]) for a, b in sided_pairs(labels.names))
    return ClassTable(labels.names, colours, tuple(range(count)), (labels.ignore,), pairs)


def _open(declaration: Declaration, root: Path, split: str, protocol: SegmentationProtocol, pictures: bool) -> Layout:
    return LabelMaps(root, declaration.splits[split], table_of(declaration), declaration.shown_title, pictures)


def recipe(model: str) -> Recipe:
    """The SEG repository's training for pictures of any size (its PASCAL Context): 200 epochs, crop 480, batches of 16.

    python run_all.py train --task segmentation --dataset NAME --model hrnet_w48 --data-root D --weights W
    """
    made = reference(model, "seg-label-maps", SegmentationAugment((480, 480), 520))
    return replace(made, epochs=200, batch_size=16, lr=0.004, weight_decay=1e-4, loss="cross_entropy")


def completed(declaration: Declaration, root: Path) -> Declaration:
    """The declaration with names of its classes: those that it states, else one for each number up to the largest in its maps.
    Classes whose names differ in left and right alone change places in a mirror, which is said.

    Raises:
        ValueError: the classes are not stated, and a label map cannot be read.
    """
    labels = declaration.labels or Labels()
    if labels.names:
        said = _sides(labels.names)
        return msgspec.structs.replace(declaration, derived=(*declaration.derived, said)) if said else declaration
    held: set[int] = set()
    for split in declaration.splits.values():
        layout = LabelMaps(root, split, ClassTable((), (), ()), declaration.shown_title, pictures=False)
        for sample in layout.samples:
            path = inside(root, str(sample.label))
            if is_file(path):
                held.update(np.unique(read_ids(path, f"{declaration.shown_title} label map")).tolist())
    scored = sorted(held - {labels.ignore})
    if not scored:
        raise ValueError(
            f"{root / FILE}, labels.names: expected names of the classes, and found no labelled pixel to count."
        )
    names = tuple(f"class {number}" for number in range(scored[-1] + 1))
    if labels.colours and len(labels.colours) != len(names):
        raise ValueError(
            f"{root / FILE}, labels.colours: expected one of each of {len(names)} classes in the label maps, got "
            f"{len(labels.colours)}; state labels.names too."
        )
    said = f"classes are not named: {len(names)} are taken, 0 to the largest number in the label maps ({scored[-1]})"
    stated = msgspec.structs.replace(labels, names=names)
    return msgspec.structs.replace(declaration, labels=stated, derived=(*declaration.derived, said))


def _sides(names: Sequence[str]) -> str:
    """What is said of classes that a mirror makes change places, or may."""
    pairs = sided_pairs(names)
    if pairs:
        return (
            f"by left and right in their names, {', '.join(f'{a} and {b}' for a, b in pairs)} change places in a mirror"
        )
    alike = look_sided(names)
    return f"{alike}: write left and right in their names, or mirrors in training confuse them" if alike else ""
