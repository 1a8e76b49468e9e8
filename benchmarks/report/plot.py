"""A plot of the page: a drawing with its heading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Plot:
    """A drawing with its heading."""

    title: str
    svg: str
    wide: bool = False


def drawn(plots: Iterable[Plot | None]) -> list[Plot]:
    """The plots that have something to show."""
    return [plot for plot in plots if plot is not None and plot.svg]
