"""Charts of whole tables: an ablation's differences, and ranks across tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.analysis.figures.charts import Bar, Bars, Ranks, Series
from benchmarks.tables.across_tasks import ranks
from benchmarks.tables.table import Table
from tasks.direction import Direction


def ablation_chart(table: Table, look: Sequence[int]) -> Bars | None:
    """An ablation's main metric: a bar per variant, with its difference from the base; `look` has a number per row.

    None where fewer than two variants have a number.
    """
    column = table.columns[[c.key for c in table.columns].index("delta") - 1]
    numbered = [
        (row, number)
        for row, number in zip(table.rows, look, strict=True)
        if row.entries[column.key].number is not None
    ]
    if len(numbered) < 2:
        return None
    several = len({row.entries["body"].value for row, _ in numbered}) > 1
    groups: dict[str, list[Bar]] = {}
    for row, number in numbered:
        value, delta = row.entries[column.key], row.entries.get("delta")
        body, variant = str(row.entries["body"].value), str(row.entries["variant"].value)
        assert value.number is not None
        text = f"{value.number:.{column.digits}f}"
        if delta is not None and delta.number is not None:
            text += f" ({delta.number:+.{column.digits}f})"
        group = f"{body.split('_micro')[0]} {variant}" if several else variant
        bar = Bar(group, value.number, number, value.bounds, text)
        groups.setdefault(group, []).append(bar)
    label = column.title + (f" ({column.unit})" if column.unit else "")
    better = f", {column.direction.sentence}" if column.direction else ""
    shown = tuple((name, tuple(items)) for name, items in groups.items())
    return Bars(table.title, "In brackets: difference from the base.", shown, label + better)


def rank_chart(table: Table, colour: Mapping[str, int]) -> Ranks | None:
    """Ranks of the bodies over the columns of the cross-task table; None where fewer than two bodies have some."""
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
    if len(points) < 2:
        return None
    series = [Series(body, tuple(found), colour.get(body, 0)) for body, found in points.items()]
    datasets = [column.key.split("/")[-1] for column in columns]
    names = [
        f"{dataset} {column.key.split('/')[0]}" if datasets.count(dataset) > 1 else dataset
        for column, dataset in zip(columns, datasets, strict=True)
    ]
    return Ranks("Who leads where", "Rank by the headline figure; 1 is best.", tuple(series), tuple(names))
