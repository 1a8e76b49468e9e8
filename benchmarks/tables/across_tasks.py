"""The table across tasks: bodies over datasets, every column in its own unit and direction, ranks and their coverage."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.experiment.suite import OfCells
from benchmarks.tables.columns import metric_column
from benchmarks.tables.rows import Measured, Measurements, entry
from benchmarks.tables.table import Column, Entry, Table
from tasks.direction import Direction

CAPTION = (
    "Mean rank is over the columns that a body has a figure in (coverage); in brackets where others have more, "
    "for such means cannot be compared."
)


def ranks(values: Mapping[str, float], higher_is_better: bool) -> dict[str, float]:
    """Rank of each key, 1 for the best; equal values share the mean of their ranks."""
    ordered = sorted(values, key=lambda key: -values[key] if higher_is_better else values[key])
    found: dict[str, float] = {}
    for key in ordered:
        equal = [index for index, other in enumerate(ordered, 1) if values[other] == values[key]]
        found[key] = sum(equal) / len(equal)
    return found


def without_width(model: str) -> str:
    """A body's name without width and stacks of its micro size, which differ by task to match multiply-adds."""
    return re.sub(r"(_micro)(_s\d+)?(_w\d+)?$", r"\1", model)


@dataclass(frozen=True)
class AcrossTasksTable(OfCells):
    """Bodies in rows, datasets of all tasks in columns; mean rank with coverage.

    Only the headline metric of each dataset appears, and ranks alone are averaged: figures of unlike units never are.

    Attributes:
        cells: ids of one tier. Labelled cells are left out: they are variants (other boxes, another head), and a column would
            mix two protocols.
    """

    name: str
    title: str
    cells: tuple[str, ...]

    def fill(self, measurements: Measurements) -> list[Table]:
        """One table; none if no cell was asked for."""
        rows = measurements.rows(self.cells)
        if not rows:
            return []
        places = _by_dataset(rows)
        columns = [Column("body", "body")]
        bodies: dict[str, _Body] = {}
        for (task, dataset), group in places.items():
            columns.append(_dataset_column(task, dataset, group, bodies, measurements.intervals))
        columns += [Column("rank", "mean rank", "", Direction.LOWER, digits=2), Column("coverage", "coverage")]
        columns += [Column("params", "params", "M"), Column("macs", "multiply-adds", "G")]
        table = Table(self.name, self.title, columns, caption=CAPTION)
        most = max((len(body.ranks) for body in bodies.values()), default=0)
        for name, body in bodies.items():
            values: dict[str, Entry | str] = {**body.entries, "body": name}
            costs = [cost for row in body.rows if (cost := row.cost)]
            values["params"] = _range([cost.params / 1e6 for cost in costs])
            values["macs"] = _range([cost.macs / 1e9 for cost in costs])
            if body.ranks:
                values["rank"] = body.mean_rank(most)
            values["coverage"] = f"{len(body.ranks)} of {len(places)}"
            table.add(values, tier=rows[0].cell.tier)
        return [table]


@dataclass
class _Body:
    """A row in the making: entries by column, and the ranks and cells behind them."""

    entries: dict[str, Entry] = field(default_factory=dict)
    ranks: list[float] = field(default_factory=list)
    rows: list[Measured] = field(default_factory=list)

    def mean_rank(self, most: int) -> Entry:
        """The mean rank; bodies measured on fewer datasets than `most` are not ranked, and theirs is in brackets."""
        mean = sum(self.ranks) / len(self.ranks)
        return Entry(mean) if len(self.ranks) == most else Entry(text=f"({mean:.2f})")


def _range(sizes: Sequence[float]) -> Entry:
    """From the smallest to the largest."""
    if not sizes:
        return Entry(text="-")
    low, high = f"{min(sizes):.3f}", f"{max(sizes):.3f}"
    return Entry(text=low if low == high else f"{low} to {high}")


def _by_dataset(rows: Sequence[Measured]) -> dict[tuple[str, str], list[Measured]]:
    """The first unlabelled row of each body by (task, dataset)."""
    places: dict[tuple[str, str], dict[str, Measured]] = {}
    for row in rows:
        if not row.cell.label:
            group = places.setdefault((row.cell.task, row.cell.dataset), {})
            group.setdefault(without_width(row.cell.model), row)
    return {place: list(group.values()) for place, group in places.items()}


def _dataset_column(
    task: str, dataset: str, group: Sequence[Measured], bodies: dict[str, _Body], intervals: str
) -> Column:
    """The column of a dataset's headline metric; puts its entries and ranks into `bodies`."""
    from tasks import get_task

    metric, key = get_task(task).headline(dataset), f"{task}/{dataset}"
    column = metric_column(metric, group, f"{get_task(task).dataset(dataset).title} {metric}", key)
    numbers: dict[str, float] = {}
    for row in group:
        found, name = entry(row, metric, intervals), without_width(row.cell.model)
        body = bodies.setdefault(name, _Body())
        body.entries[key] = found
        body.rows.append(row)
        if found.number is not None:
            numbers[name] = found.number
    for name, rank in ranks(numbers, column.direction is Direction.HIGHER).items():
        bodies[name].ranks.append(rank)
    return column
