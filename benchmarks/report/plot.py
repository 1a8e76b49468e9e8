"""A plot of the page: a chart drawn as SVG, with its heading and a sentence below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.analysis.figures.charts import Bars, Chart
from benchmarks.analysis.figures.palette import DARK, LIGHT
from benchmarks.report.svg.draw import svg
from benchmarks.report.svg.marks import legend_mark

TALL = 16
"""Bars of a plot that make it higher than wide."""
ROOMS = {1: ("one", 400), 2: ("two", 400), 3: ("three", 300)}
"""By the plots of a row: the style of each, and the width of its drawing in user units, so that letters keep their size."""


@dataclass(frozen=True)
class Plot:
    """A drawing with its heading; `room` says how many stand in its row on a wide screen ("one", "two", "three")."""

    title: str
    note: str
    svg: str
    room: str
    tall: bool = False


def drawn(charts: Sequence[Chart]) -> list[Plot]:
    """The charts as SVG, in rows of three and of two, so that none is left alone."""
    rooms = [ROOMS[size] for size in row_sizes(len(charts)) for _ in range(size)]
    tall = any(_is_tall(chart) for chart in charts)  # all then stand in two columns
    return [
        Plot(c.title, c.note, svg(c, 400 if tall else width), room, _is_tall(c))
        for c, (room, width) in zip(charts, rooms, strict=True)
    ]


def _is_tall(chart: Chart) -> bool:
    """Whether it is higher than wide: its neighbours then stand below each other beside it."""
    return isinstance(chart, Bars) and sum(len(items) for _, items in chart.groups) > TALL


def row_sizes(count: int) -> list[int]:
    """Sizes of rows of three and two; one where there is but one."""
    if count < 3:
        return [count] if count else []
    rest = count % 3
    twos = {0: 0, 1: 2, 2: 1}[rest]
    return [3] * ((count - 2 * twos) // 3) + [2] * twos


def marked(legend: Iterable[tuple[str, int]]) -> list[tuple[str, str]]:
    """(name, svg mark) of each entry of a legend."""
    return [(name, legend_mark(look)) for name, look in legend]


def palette_css() -> str:
    """The style sheet's colours of bodies, for both themes."""
    light = " ".join(f"--k{number}: {colour};" for number, colour in enumerate(LIGHT))
    dark = " ".join(f"--k{number}: {colour};" for number, colour in enumerate(DARK))
    rules = [f":root {{ {light} }}", f':root[data-theme="dark"] {{ {dark} }}']
    for number in range(len(LIGHT)):
        rules.append(f".mark.k{number}, .bar.k{number} {{ fill: var(--k{number}); }}")
        rules.append(f".line.k{number}, .whisker.k{number} {{ stroke: var(--k{number}); }}")
    return "\n".join(rules)
