"""What a dataset of segmentation is to the task: classes, files, protocol, recipe. One file of this folder each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tasks.base import DatasetInfo
from tasks.recipe import Recipe
from tasks.segmentation.crops.augment import SegmentationAugment
from tasks.segmentation.files.classes import IGNORE, ClassTable
from tasks.segmentation.files.layouts import Layout
from tasks.segmentation.protocol import SegmentationProtocol
from tasks.segmentation.recipes import OCR_SUFFIX, embedded, mmseg, with_auxiliary_loss

Open = Callable[[Path, str, SegmentationProtocol, bool], Layout]
"""(folder, split, protocol, whether the pictures must be there) -> the split. Raises FileNotFoundError or ValueError."""


@dataclass(frozen=True)
class Entry:
    """A dataset.

    Attributes:
        tables: its classes; the first unless another number of classes is asked for.
        open: opens a split.
        full_protocol: whether the OCR head reads it -> the protocol of the published figures.
        small_protocol: fields that the small tiers have otherwise.
        full_recipe: model -> how the reference trains it.
        small_recipe: epochs and augmentation of the small tiers.
        ocr_recipe: what the OCR branch changes before its auxiliary loss.
        mmseg: epochs and batch of mmseg's training; None where it has none.
        class_weights: (K,) of the "weighted" losses; None where the reference has none.
        ohem_crops: crops in each of the reference's processes, of which one keeps its number of hard pixels.
        multi_scale: the scales of the published multi-scale test.
        map_key: stem of a label map -> what a prediction is found by.
        variants: published variants of the recipe by name.
        notes: what a reader of its figures must know.
    """

    info: DatasetInfo
    tables: tuple[ClassTable, ...]
    open: Open
    full_protocol: Callable[[bool], SegmentationProtocol]
    small_protocol: Mapping[str, Any]
    full_recipe: Callable[[str], Recipe]
    small_recipe: tuple[int, SegmentationAugment]
    ocr_recipe: Callable[[Recipe], Recipe] = lambda recipe: recipe
    mmseg: tuple[int, int] | None = None
    class_weights: tuple[float, ...] | None = None
    ohem_crops: int = 4
    multi_scale: tuple[float, ...] = (1.0,)
    map_key: Callable[[str], str] = str
    variants: Mapping[str, Callable[[Recipe], Recipe]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def table(self, num_classes: int | None = None) -> ClassTable:
        """The table with that many classes.

        Raises:
            ValueError: the dataset does not come with so many.
        """
        for table in self.tables:
            if num_classes in (None, len(table)):
                return table
        sizes = " or ".join(str(len(t)) for t in self.tables)
        raise ValueError(f"Expected {sizes} classes for {self.info.name}, got {num_classes}; correct num_classes.")

    def scored(self, num_outputs: int) -> int:
        """How many classes are scored of a network with so many outputs: as many, where a table has them, else the usual table's.

        Raises:
            ValueError: the network has fewer outputs than classes, or more than a label map's bytes tell apart.
        """
        if any(num_outputs == len(table) for table in self.tables):
            return num_outputs
        usual = len(self.table())
        if not usual < num_outputs < IGNORE:
            raise ValueError(
                f"Expected a network of at least {usual} outputs, the classes of {self.info.name}, and of at most "
                f"{IGNORE - 1}, got {num_outputs}; correct model.num_outputs."
            )
        return usual

    def protocol(self, *, ocr: bool = False, tier: str = "full") -> SegmentationProtocol:
        """The protocol of the published figures; of the small tiers the same rules at their pictures' sizes."""
        made = self.full_protocol(ocr)
        return replace(made, align_corners=ocr, **({} if tier == "full" else self.small_protocol))

    def recipe(self, model: str, tier: str, origin: str) -> Recipe:
        """The recipe of a tier; ``origin`` is whose network the model is."""
        if tier != "full":
            made = embedded(self.info.name, *self.small_recipe)
            return replace(made, name=f"{made.name}-smoke", epochs=1, batch_size=4) if tier == "smoke" else made
        made = self.full_recipe(model)
        if model.endswith(OCR_SUFFIX):
            return with_auxiliary_loss(self.ocr_recipe(made), f"{made.name}-ocr")
        return mmseg(made, model, self.mmseg) if origin == "mmseg" else made
