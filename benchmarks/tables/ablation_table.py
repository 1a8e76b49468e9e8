"""The table of an ablation: variants of fixed bodies, and their difference from a base variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.tables.columns import bracketed, compared_columns, cost_columns, cost_entries, difference, run_columns
from benchmarks.tables.rows import Measured, Measurements, bases_of, entry
from benchmarks.tables.table import Column, Entry, Table


@dataclass(frozen=True)
class Variant:
    """A cell of an ablation.

    Attributes:
        cell: its id.
        label: the name of the variant; "" for the cell's own label or representation.
        notes: what a reader must know of it, as footnotes.
    """

    cell: str
    label: str = ""
    notes: tuple[str, ...] = ()

    def name(self, row: Measured) -> str:
        """What the variant is called; `row` is the cell's."""
        return self.label or row.cell.label or row.cell.representation


@dataclass(frozen=True)
class AblationTable:
    """Variants of fixed bodies: each row's metrics and its difference from the base variant of the same body.

    Attributes:
        variants: the rows in order.
        columns: metric names of the task; differences are of the first.
        axis: the heading of the variants' column.
        base: the variant that differences are taken from; the first row of a body without it.
        vary: protocol fields that the variants differ in.
    """

    name: str
    title: str
    task: str
    dataset: str
    variants: tuple[Variant, ...]
    columns: tuple[str, ...]
    axis: str = "variant"
    base: str = ""
    vary: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[str, ...]:
        """Cell ids in row order."""
        return tuple(variant.cell for variant in self.variants)

    def with_cells(self, ids: Mapping[str, Sequence[str]]) -> AblationTable:
        """The table with other cells: each id in `ids` gives way to those named for it, or to nothing; labels and notes stay."""
        changed = {new: replace(old, cell=new) for old in self.variants for new in ids.get(old.cell, (old.cell,))}
        return replace(self, variants=tuple(changed.values()))

    def variant(self, row: Measured) -> Variant:
        """The variant that a row shows."""
        return next(variant for variant in self.variants if variant.cell == row.cell.id)

    def fill(self, measurements: Measurements) -> list[Table]:
        """One table; none if no cell was asked for."""
        rows = measurements.rows(self.cells)
        if not rows:
            return []
        bases = bases_of(rows, lambda row: self.variant(row).name(row) == self.base)
        columns = [Column("body", "body"), Column("variant", self.axis), *cost_columns()]
        columns += compared_columns(self.columns, rows)
        title = self.title + ("" if self.vary else bracketed(rows))
        table = Table(self.name, title, [*columns, *run_columns()])
        for row in rows:
            table.add(self._entries(row, bases[row.cell.model], measurements.intervals), tier=row.cell.tier)
        return [table]

    def _entries(self, row: Measured, base: Measured, intervals: str) -> dict[str, Any]:
        main, variant = self.columns[0], self.variant(row)
        figures = {
            metric: entry(row, metric, intervals if metric == main else "none", self.vary) for metric in self.columns
        }
        if not row.done:
            figures[main] = Entry(status=row.status, text=row.reason)
        return {
            "body": Entry(row.cell.model, href=row.href),
            "variant": Entry(variant.name(row), footnotes=variant.notes),
            **cost_entries(row),
            **figures,
            "delta": difference(figures[main], entry(base, main, "none"), row is base),
            "n": row.n(main),
            "seconds": row.seconds,
        }
