"""The table of one metric by class: classes in rows, bodies in columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from benchmarks.experiment.suite import OfCells
from benchmarks.tables.columns import bracketed, count_text, counts_of, metric_column
from benchmarks.tables.rows import Measurements, entry
from benchmarks.tables.table import Column, Table


@dataclass(frozen=True)
class ClassTable(OfCells):
    """A metric by class, from figures named METRIC/CLASS: classes in rows and bodies in columns.

    Attributes:
        cells: ids in column order.
        metric: what is measured of each class ("IoU").
        classes: names of the classes in row order.
    """

    name: str
    title: str
    task: str
    dataset: str
    cells: tuple[str, ...]
    metric: str
    classes: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the figures, class by class."""
        return tuple(f"{self.metric}/{name}" for name in self.classes)

    def fill(self, measurements: Measurements) -> list[Table]:
        """One table; none if no cell was asked for. The caption says what all classes are pooled over, or a column does."""
        rows = measurements.rows(self.cells)
        if not rows:
            return []
        figures = self.columns
        first = metric_column(figures[0], rows)
        columns = [Column("class", "class")]
        columns += [Column(row.cell.id, row.body, first.unit, digits=first.digits) for row in rows]
        counts = {figure: counts_of(figure, rows) for figure in figures}
        shared = counts[figures[0]] if len({tuple(found) for found in counts.values() if found}) == 1 else []
        better = f"{self.metric}, {first.direction.sentence}." if first.direction else ""
        caption = " ".join(text for text in (better, count_text(shared)) if text)
        if not shared and any(counts.values()):
            columns.append(Column("n", "n"))
        table = Table(self.name, self.title + bracketed(rows), columns, caption=caption)
        for name, figure in zip(self.classes, figures, strict=True):
            values: dict[str, Any] = {"class": name}
            if not shared and counts[figure]:
                values["n"] = count_text(counts[figure]).removeprefix("n=")
            for row in rows:
                values[row.cell.id] = replace(entry(row, figure, "none"), direction=None)
            table.add(values, tier=rows[0].cell.tier)
        return [table]
