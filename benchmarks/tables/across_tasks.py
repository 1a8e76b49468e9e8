"""The cross-task table: bodies over tasks, every column in its own unit and direction, ranks and their coverage.  Torch-free."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.tables.filling import Measured, entry, metric_column
from benchmarks.tables.table import HIGHER, LOWER, Column, Entry, Table


def ranks(values: Mapping[str, float], higher_is_better: bool) -> dict[str, float]:
    """Rank of each key, 1 for the best; equal values share the mean of their places."""
    ordered = sorted(values, key=lambda key: -values[key] if higher_is_better else values[key])
    places: dict[str, float] = {}
    for key in ordered:
        equal = [index for index, other in enumerate(ordered, 1) if values[other] == values[key]]
        places[key] = sum(equal) / len(equal)
    return places


CAPTION = (
    "Mean rank is over the columns that a body has a figure in (coverage); in brackets where others have more, "
    "for such means cannot be compared."
)


def family(model: str) -> str:
    """A body's name without the width of its micro size, which differs by task to match multiply-adds."""
    return re.sub(r"(_micro)_w\d+$", r"\1", model)


def cross_table(name: str, title: str, rows: Sequence[Measured], tier: str, intervals: str = "none") -> Table:
    """Bodies in rows, datasets of all tasks in columns, each in its own unit and direction; mean rank with coverage.

    Only the headline metric of each dataset appears, and ranks alone are averaged: figures of unlike units never are.
    """
    from tasks import get_task

    places: dict[tuple[str, str], list[Measured]] = {}
    seen: set[tuple[str, str, str]] = set()
    for row in rows:
        place = (row.cell.task, row.cell.dataset)
        # Labelled cells are variants (other boxes, another head): their column would hold two protocols.
        if not row.cell.label and (*place, family(row.cell.model)) not in seen:
            seen.add((*place, family(row.cell.model)))
            places.setdefault(place, []).append(row)
    columns = [Column("body", "body")]
    bodies: dict[str, dict[str, Entry]] = {}
    ranked: dict[str, list[float]] = {}
    for (task, dataset), group in places.items():
        metric = get_task(task).headline(dataset)
        key = f"{task}/{dataset}"
        info = get_task(task).dataset(dataset)
        column = metric_column(metric, group, f"{info.title} {metric}", key)
        columns.append(column)
        numbers: dict[str, float] = {}
        for row in group:
            found = entry(row, metric, intervals)
            bodies.setdefault(family(row.cell.model), {})[key] = found
            if found.number is not None:
                numbers[family(row.cell.model)] = found.number
        for body, rank in ranks(numbers, column.direction == HIGHER).items():
            ranked.setdefault(body, []).append(rank)
    columns += [Column("rank", "mean rank", "", LOWER, digits=2), Column("coverage", "coverage")]
    columns += [Column("params", "params", "M"), Column("macs", "multiply-adds", "G")]
    table = Table(name, title, columns, caption=CAPTION)
    most = max((len(found) for found in ranked.values()), default=0)
    for body, entries in bodies.items():
        values: dict[str, Any] = dict(entries)
        values["body"] = body
        own = [row for group in places.values() for row in group if family(row.cell.model) == body]
        for cost, scale in (("params", 1e6), ("macs", 1e9)):
            sizes = [size / scale for row in own if (size := row.model(cost)) is not None]
            values[cost] = Entry(text=_range(sizes))
        if body in ranked:
            mean = sum(ranked[body]) / len(ranked[body])
            # Who is in few columns only has met few rivals: its mean is shown, but not placed among the others.
            placed = len(ranked[body]) == most
            values["rank"] = Entry(mean) if placed else Entry(text=f"({mean:.2f})")
        values["coverage"] = f"{len(ranked.get(body, []))} of {len(places)}"
        table.add(values, tier=tier)
    return table


def _range(values: Sequence[float]) -> str:
    if not values:
        return "-"
    low, high = f"{min(values):.3f}", f"{max(values):.3f}"
    return low if low == high else f"{low} to {high}"
