"""Slots: the columns of a paper's table. Figures stand in one column if metric, split and protocol are equal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.published.figures import Figure


class Slot(NamedTuple):
    """What makes a column of a paper's table."""

    metric: str
    split: str
    protocol: str

    @property
    def key(self) -> str:
        """The column's key in a filled table."""
        return f"{self.metric}|{self.split}|{self.protocol}"


MAIN: dict[str, tuple[tuple[str, str], ...]] = {
    "MPII": (("PCKh@0.5", ""),),
    "LIP": (("mIoU", ""),),
    "300W": (("NME", "full"), ("NME", "test")),
}
"""Which figure a row is judged by, (metric, split), where it is not the first; the last stands for rows without any."""


def slot_of(figure: Figure) -> Slot:
    """The slot of a figure."""
    return Slot(figure.metric, figure.split, figure.protocol_id)


def main_slot(figures: Sequence[Figure]) -> Slot:
    """The slot by which a source row is judged and grouped with others."""
    head = figures[0]
    wanted = MAIN.get(head.benchmark, ())
    for metric, split in wanted:
        for figure in figures:
            if figure.metric == metric and split in ("", figure.split):
                return slot_of(figure)
    if wanted:
        metric, split = wanted[-1]
        return Slot(metric, split or head.split, head.protocol_id)
    return slot_of(head)


def setting(figure: Figure) -> str:
    """Representation, input size, condition and initialisation, which tell rows of one network apart; "" if there are none."""
    parts = [figure.representation, figure.input_size, figure.condition]
    if figure.pretrained:
        parts.append("from scratch" if figure.pretrained.startswith("no") else figure.pretrained)
    return ", ".join(part for part in parts if part)
