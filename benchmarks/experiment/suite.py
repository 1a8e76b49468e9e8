"""Suites: named lists of cells and the tables that they fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.experiment.cell import Cell


@dataclass(frozen=True)
class TableSpec:
    """A table that a suite fills: which cells are its rows, which figures its columns.

    ``cells`` are cell ids in row order; ``columns`` metric names of the task; ``kind`` "task" (one protocol per table),
    "ablation", "cross" or "published"; ``extra`` whatever that kind needs.
    """

    name: str
    title: str
    task: str
    dataset: str
    cells: tuple[str, ...]
    columns: tuple[str, ...]
    kind: str = "task"
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Suite:
    """A named list of cells and the tables that they fill."""

    name: str
    cells: tuple[Cell, ...]
    tables: tuple[TableSpec, ...]
    description: str = ""

    @staticmethod
    def joined(name: str, parts: Sequence[Suite], description: str = "") -> Suite:
        """Several suites as one; a cell that several parts name is run once."""
        cells = {cell.id: cell for part in parts for cell in part.cells}
        return Suite(name, tuple(cells.values()), tuple(t for part in parts for t in part.tables), description)

    def with_seeds(self, count: int) -> Suite:
        """Every trained cell under seeds 0 .. count - 1; tables name all of them."""
        if count <= 1:
            return self
        copies = {c.id: [replace(c, seed=c.seed + k) if c.recipe else c for k in range(count)] for c in self.cells}
        cells = {c.id: c for group in copies.values() for c in group}
        tables = tuple(
            replace(t, cells=tuple(c.id for i in t.cells for c in {x.id: x for x in copies[i]}.values()))
            for t in self.tables
        )
        return Suite(self.name, tuple(cells.values()), tables, self.description)
