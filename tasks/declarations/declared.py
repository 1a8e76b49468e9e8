"""The datasets of a task by name; those that files declare are completed when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tasks.declarations.dataset_info import DatasetInfo
from tasks.declarations.declaration import FILE, Declaration
from tasks.options import dotted, nearest
from tasks.recipe import Recipe


class Datasets(Mapping[str, DatasetInfo]):
    """A task's own datasets, then declared ones.

    Completing a declaration may read files of the dataset, and may fail: only who asks for that dataset pays, and is told.
    """

    def __init__(self, known: Mapping[str, DatasetInfo]) -> None:
        self._made = dict(known)
        self._waiting: dict[str, tuple[Callable[[], DatasetInfo], Callable[[], None]]] = {}

    def declare(self, name: str, make: Callable[[], DatasetInfo], check: Callable[[], None] = lambda: None) -> None:
        """Adds a dataset, or takes the place of one that was declared before.

        Args:
            make: gives its entry. check: asked once it is there; what it raises takes the dataset away again.
        """
        self._made.pop(name, None)
        self._waiting[name] = make, check

    def __getitem__(self, name: str) -> DatasetInfo:
        """Raises KeyError for an unknown name, and ValueError where a declaration cannot be completed."""
        if name not in self._made and name in self._waiting:
            make, check = self._waiting[name]
            self._made[name] = make()
            try:
                check()
            except ValueError:
                del self._made[name]
                raise
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._made or name in self._waiting

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._made, *self._waiting)))

    def __len__(self) -> int:
        return len(set(self._made) | set(self._waiting))


class OwnDatasets:
    """What a task does with datasets that files declare. ``datasets`` of the class are those that it knows itself."""

    name: str
    datasets: Mapping[str, DatasetInfo]
    protocol: Callable[..., Any]
    recipe: Callable[..., Recipe]
    protocol_with: Callable[..., Any]
    recipe_with: Callable[..., Recipe]

    def dataset(self, name: str) -> DatasetInfo:
        """Raises ValueError naming the nearest dataset of this task."""
        if name not in self.datasets:
            raise ValueError(f"Unknown dataset {name!r} of task {self.name}. {nearest(name, self.datasets)}")
        return self.datasets[name]

    def declare(self, declaration: Declaration, folder: Path) -> None:
        """Makes a declared dataset one of this task's; a later declaration of the same name takes the place of an earlier one.

        What is derived from its files, and its recipe and protocol, are looked at when the dataset is first asked for.

        Raises:
            ValueError: the name is that of a dataset which the task knows itself.
        """
        if declaration.name in type(self).datasets:
            raise ValueError(
                f"{folder / FILE}: {declaration.name!r} is the name of a dataset of task {self.name} already; choose another"
            )
        self._own_datasets().declare(
            declaration.name,
            lambda: self.declared_info(self.complete(declaration, folder)),
            partial(self._check_own, declaration.name, folder / FILE),
        )

    def declare_completed(self, declaration: Declaration) -> DatasetInfo:
        """As :meth:`declare`, of a declaration in which everything is stated: that of a stored result."""
        self._own_datasets().declare(declaration.name, partial(self.declared_info, declaration))
        return self.datasets[declaration.name]

    def _own_datasets(self) -> Datasets:
        if not isinstance(self.datasets, Datasets):
            self.datasets = Datasets(type(self).datasets)
        return self.datasets

    def _check_own(self, name: str, path: Path) -> None:
        """Raises ValueError where the recipe or the protocol of a declared dataset has a field that there is not."""
        for what, look in (
            ("protocol", lambda: self.protocol(name)),
            ("recipe", lambda: self.recipe(name, "hrnet_w32", "full")),
        ):
            try:
                look()
            except ValueError as error:
                raise ValueError(f"{path}, {what}: {error}") from None

    def with_own_protocol(self, dataset: str, protocol: Any) -> Any:
        """``protocol`` with what a declared dataset's ``[protocol]`` states."""
        declaration = self.dataset(dataset).declaration
        return protocol if declaration is None else self.protocol_with(protocol, dotted(declaration.protocol))

    def with_own_recipe(self, dataset: str, tier: str, recipe: Recipe) -> Recipe:
        """``recipe`` with what a declared dataset's ``[recipe]`` states; the few steps of the smoke tier stay as they are."""
        declaration = self.dataset(dataset).declaration
        if declaration is None or tier == "smoke":
            return recipe
        return self.recipe_with(recipe, dotted(declaration.recipe))

    def complete(self, declaration: Declaration, folder: Path) -> Declaration:
        """The declaration with everything that can be derived from the dataset's files stated; of tasks that read such.

        Raises:
            ValueError: something is missing or ambiguous; names file and fix.
        """
        raise ValueError(f"{folder / FILE}: task {self.name} reads no declared datasets yet.")

    def declared_info(self, declaration: Declaration) -> DatasetInfo:
        """The entry of a declared dataset, from its completed declaration."""
        raise NotImplementedError

    def declaration_files(self, dataset: str, root: Path) -> list[Path]:
        """The dataset.toml of a declared dataset, which is part of what identifies its data; none of the others."""
        return [] if self.dataset(dataset).declaration is None else [root / FILE]
