"""Suites: named lists of cells and the tables that they fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from benchmarks.experiment.cell import Cell

if TYPE_CHECKING:
    from typing_extensions import Self

Kind = TypeVar("Kind")


class SuiteTable(Protocol):
    """A table of a suite: which cells are its rows, and how it is filled.

    Its kinds are frozen types of `benchmarks.tables` and `benchmarks.published`.
    """

    @property
    def name(self) -> str:
        """A file name."""

    @property
    def title(self) -> str:
        """The heading."""

    @property
    def cells(self) -> tuple[str, ...]:
        """Cell ids in row order."""

    def with_cells(self, ids: Mapping[str, Sequence[str]]) -> SuiteTable:
        """The table with other cells: each id in `ids` gives way to those named for it, or to nothing."""

    def fill(self, measurements: Any) -> Sequence[Any]:
        """The filled tables (`benchmarks.tables.table.Table`), from `benchmarks.tables.rows.Measurements`."""


@dataclass(frozen=True)
class Suite:
    """A named list of cells and the tables that they fill."""

    name: str
    cells: tuple[Cell, ...]
    tables: tuple[SuiteTable, ...]
    description: str = ""

    @staticmethod
    def joined(name: str, parts: Sequence[Suite], description: str = "") -> Suite:
        """Several suites as one; a cell that several parts name is run once."""
        cells = {cell.id: cell for part in parts for cell in part.cells}
        return Suite(name, tuple(cells.values()), tuple(t for part in parts for t in part.tables), description)

    def tables_of(self, kind: type[Kind]) -> tuple[Kind, ...]:
        """The tables of one kind, in order."""
        return tuple(table for table in self.tables if isinstance(table, kind))

    def with_cells(self, instead: Mapping[str, Sequence[Cell]]) -> Suite:
        """The suite with other cells: each id in `instead` gives way to the cells named for it; the tables follow."""
        cells = {cell.id: cell for old in self.cells for cell in instead.get(old.id, (old,))}
        ids = {old: tuple(dict.fromkeys(cell.id for cell in new)) for old, new in instead.items()}
        return replace(self, cells=tuple(cells.values()), tables=tuple(table.with_cells(ids) for table in self.tables))

    def with_seeds(self, count: int) -> Suite:
        """Every trained cell under seeds 0 .. count - 1; tables name all of them.

        One that reads from another trained cell (its boxes, its weights) reads from that cell under the same seed.
        """
        if count <= 1:
            return self
        known = {cell.id: cell for cell in self.cells}
        made: dict[str, list[Cell]] = {}

        def seeded(cell: Cell) -> list[Cell]:
            if cell.id not in made:
                sources = {name: seeded(known[name]) for name in cell.sources if name in known}
                made[cell.id] = [
                    replace(
                        cell.with_sources({name: cells[min(k, len(cells) - 1)].id for name, cells in sources.items()}),
                        seed=cell.seed + k,
                    )
                    for k in range(count if cell.recipe else 1)
                ]
            return made[cell.id]

        return self.with_cells({cell.id: seeded(cell) for cell in self.cells})


class OfCells:
    """What kinds of tables share that keep the ids of their rows' cells in a field `cells`: frozen dataclasses."""

    cells: tuple[str, ...]

    def with_cells(self, ids: Mapping[str, Sequence[str]]) -> Self:
        """The table with other cells: each id in `ids` gives way to those named for it, or to nothing; repeated ids once."""
        cells = tuple(dict.fromkeys(new for old in self.cells for new in ids.get(old, (old,))))
        return replace(self, cells=cells)  # type: ignore[type-var]
