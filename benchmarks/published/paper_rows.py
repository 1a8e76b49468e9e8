"""One row of a paper's table: the printed figures, and the cells that measure them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.published.figures import Figure
from benchmarks.published.lacks import Lack
from benchmarks.published.slots import Slot, slot_of


@dataclass(frozen=True)
class Link:
    """What measures a printed figure: the id of a cell, and the task's name of the metric."""

    cell: str
    metric: str


@dataclass(frozen=True)
class PaperRow:
    """A source row.

    Attributes:
        figures: what it prints, in order.
        links: what measures its figures.
        reasons: why nothing measures the others.
    """

    figures: tuple[Figure, ...]
    links: Mapping[Slot, Link]
    reasons: Mapping[Slot, Lack]

    @property
    def id(self) -> str:
        """File and number of the source row."""
        return self.figures[0].id

    @property
    def lack(self) -> Lack | None:
        """Why the first figure without a cell has none; None if all have one."""
        return next(iter(self.reasons.values()), None)

    def link(self, figure: Figure) -> Link | None:
        """What measures one of the row's figures."""
        return self.links.get(slot_of(figure))
