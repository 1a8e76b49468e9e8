"""What a dataset of classification is to the task: folders and recipe. Each stands in a file of `entries`. Torch-free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tasks.base import DatasetInfo
from tasks.classification.folders import ClassFolders
from tasks.recipe import Recipe


@dataclass(frozen=True)
class Entry:
    """A dataset.

    Attributes:
        source: its folders and classes. recipe: tier -> how it is trained.
    """

    info: DatasetInfo
    source: ClassFolders
    recipe: Callable[[str], Recipe]
