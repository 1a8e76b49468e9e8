"""Class folders of one's own, from a completed declaration; trained as ImageNet is. Torch-free."""

from __future__ import annotations

from dataclasses import replace

from tasks.base import declared_dataset
from tasks.classification.entries.imagenet import imagenet
from tasks.classification.entry import Entry
from tasks.classification.folders import ClassFolders
from tasks.declarations.declaration import Declaration
from tasks.recipe import Recipe


def declared_entry(declaration: Declaration) -> Entry:
    """The entry of a dataset whose declaration states its classes."""
    source = ClassFolders.of(declaration)
    info = declared_dataset(declaration, num_outputs=source.num_classes, headline="top1", profile_hw=(224, 224))
    return Entry(info, source, recipe)


def recipe(tier: str) -> Recipe:
    """ImageNet's; a last batch of a few pictures is left out: at the lowest resolution its statistics would be of a few values,
    and one step on them can end a training."""
    return replace(imagenet(tier), drop_last=True)
