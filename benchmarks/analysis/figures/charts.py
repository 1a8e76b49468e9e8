"""Charts: what a plot shows, between which bounds, in words and numbers. Who draws them is free in style alone."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.analysis.figures.axes import Axis, axis, nice_ticks

EMPTY = Axis("", 0, 1)


@dataclass(frozen=True)
class Series:
    """A named set of points (x, y) in the look of a number; `intervals` are (low, high) of y per point, or None."""

    name: str
    points: tuple[tuple[float, float], ...]
    look: int = 0
    intervals: tuple[tuple[float, float] | None, ...] = ()


@dataclass(frozen=True)
class Bar:
    """A bar of a group: value with an optional interval, and the text behind it."""

    name: str
    value: float | None
    look: int = 0
    interval: tuple[float, float] | None = None
    text: str = ""


@dataclass(frozen=True)
class Chart:
    """A plot: `title` is its heading, `note` a sentence below it."""

    title: str
    note: str = ""

    @property
    def slug(self) -> str:
        """The title as a file name."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True)
class Points(Chart):
    """One labelled point per series over a cost, with intervals and the Pareto front."""

    series: tuple[Series, ...] = ()
    x_label: str = ""
    y_label: str = ""
    higher_is_better: bool = True

    def axes(self) -> tuple[Axis, Axis]:
        """Costs (logarithmic over more than fourfold) and values with their intervals."""
        costs = [item.points[0][0] for item in self.series]
        values = [item.points[0][1] for item in self.series]
        values += [edge for item in self.series for pair in item.intervals if pair for edge in pair]
        log = min(costs) > 0 and max(costs) / min(costs) > 4
        return axis(self.x_label, costs, log), axis(self.y_label, values)

    def front(self) -> list[tuple[float, float]]:
        """The points that no other beats in both, in order of cost; none if a single one leads."""
        points = [item.points[0] for item in self.series]
        found = pareto(points, self.higher_is_better)
        return [points[index] for index in found] if len(found) > 1 else []


@dataclass(frozen=True)
class Lines(Chart):
    """A line per series between stated axes."""

    series: tuple[Series, ...] = ()
    x_axis: Axis = EMPTY
    y_axis: Axis = EMPTY


@dataclass(frozen=True)
class Ranks(Chart):
    """Ranks (1 on top) of bodies over columns; x of a point is the column's index."""

    series: tuple[Series, ...] = ()
    columns: tuple[str, ...] = ()

    def axes(self) -> tuple[Axis, Axis]:
        """Columns by name, and ranks from 1 downwards."""
        worst = max(y for item in self.series for _, y in item.points)
        names, last = self.columns, len(self.columns)
        x_axis = Axis("", -0.2, last - 0.8, ticks=tuple(map(float, range(last))), names=names)
        ticks = tuple(float(rank) for rank in range(1, math.ceil(worst) + 1))
        return x_axis, Axis("rank", 0.6, max(worst + 0.4, 1.8), reverse=True, ticks=ticks)


@dataclass(frozen=True)
class Bars(Chart):
    """Horizontal bars from zero, in named groups."""

    groups: tuple[tuple[str, tuple[Bar, ...]], ...] = ()
    label: str = ""

    @property
    def shown(self) -> list[Bar]:
        """The bars that have a value."""
        return [bar for _, items in self.groups for bar in items if bar.value is not None]

    def axis(self) -> Axis:
        """From zero, or the least value below it, to the greatest."""
        values = [bar.value for bar in self.shown if bar.value is not None]
        values += [edge for bar in self.shown if bar.interval for edge in bar.interval]
        low, high = min(0.0, *values), max(0.0, *values)
        high = high if high > low else low + 1.0
        return Axis(self.label, low, high, ticks=nice_ticks(low, high, 4))


def pareto(points: Sequence[tuple[float, float]], higher_is_better: bool) -> list[int]:
    """Indices of points that no other beats in both cost (lower) and value, in order of cost."""
    order = sorted(
        range(len(points)), key=lambda i: (points[i][0], -points[i][1] if higher_is_better else points[i][1])
    )
    front: list[int] = []
    best: float | None = None
    for index in order:
        value = points[index][1] if higher_is_better else -points[index][1]
        if best is None or value > best:
            front.append(index)
            best = value
    return front


def stretches(points: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Points over whole numbers x, in order, cut where a number is passed over; only stretches of two and more."""
    made: list[list[tuple[float, float]]] = []
    for point in sorted(points):
        if made and point[0] - made[-1][-1][0] <= 1:
            made[-1].append(point)
        else:
            made.append([point])
    return [stretch for stretch in made if len(stretch) > 1]
