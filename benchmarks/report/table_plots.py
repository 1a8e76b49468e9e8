"""Plots of whole tables: an ablation's differences, and ranks across tasks."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.report.plot import Plot
from benchmarks.report.svg.bars import Bar, bars
from benchmarks.report.svg.lines import ranking
from benchmarks.report.svg.marks import Series
from benchmarks.tables.across_tasks import ranks
from benchmarks.tables.table import Table
from tasks.direction import Direction


def ablation_plot(table: Table, colour: Mapping[str, int]) -> Plot | None:
    """An ablation's main metric: bodies as groups, variants as bars, with their difference from the base.

    None where fewer than two variants have a number.
    """
    column = table.columns[[c.key for c in table.columns].index("delta") - 1]
    rows = [row for row in table.rows if row.entries[column.key].number is not None]
    if len(rows) < 2:
        return None
    several = len({row.entries["body"].value for row in rows}) > 1
    groups: dict[str, list[Bar]] = {}
    for row in rows:
        value, delta = row.entries[column.key], row.entries.get("delta")
        body, variant = str(row.entries["body"].value), str(row.entries["variant"].value)
        assert value.number is not None
        text = f"{value.number:.{column.digits}f}"
        if delta is not None and delta.number is not None:
            text += f" ({delta.number:+.{column.digits}f})"
        group = f"{body.split('_micro')[0]} {variant}" if several else variant
        bar = Bar(body, value.number, colour.get(body, 0), value.bounds, text)
        groups.setdefault(group, []).append(bar)
    label = column.title + (f" ({column.unit})" if column.unit else "")
    better = f", {column.direction.sentence}" if column.direction else ""
    return Plot(table.title, bars(table.title, list(groups.items()), label + better))


def rank_plot(table: Table, colour: Mapping[str, int]) -> Plot | None:
    """Ranks of the bodies over the columns of the cross-task table."""
    columns = [column for column in table.columns if column.direction and column.key != "rank"]
    if len(columns) < 2:
        return None
    points: dict[str, list[tuple[float, float]]] = {}
    for index, column in enumerate(columns):
        numbers = {
            str(row.entries["body"].value): number
            for row in table.rows
            if column.key in row.entries and (number := row.entries[column.key].number) is not None
        }
        for body, rank in ranks(numbers, column.direction is Direction.HIGHER).items():
            points.setdefault(body, []).append((float(index), rank))
    if not points:
        return None
    series = [Series(body, tuple(found), colour.get(body, 0)) for body, found in points.items()]
    datasets = [column.key.split("/")[-1] for column in columns]
    names = [
        f"{dataset} {column.key.split('/')[0]}" if datasets.count(dataset) > 1 else dataset
        for column, dataset in zip(columns, datasets, strict=True)
    ]
    return Plot("Who leads where", ranking("ranks", names, series))
