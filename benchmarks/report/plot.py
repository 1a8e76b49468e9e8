"""A plot of the page: a chart drawn as SVG, with its heading and a sentence below."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.analysis.figures.charts import Chart
from benchmarks.analysis.figures.palette import DARK, LIGHT
from benchmarks.report.svg.draw import svg
from benchmarks.report.svg.marks import legend_mark


@dataclass(frozen=True)
class Plot:
    """A drawing with its heading."""

    title: str
    note: str
    svg: str


def drawn(charts: Iterable[Chart]) -> list[Plot]:
    """The charts as SVG."""
    return [Plot(chart.title, chart.note, svg(chart)) for chart in charts]


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
