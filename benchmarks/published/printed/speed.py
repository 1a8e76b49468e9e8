"""Printed tables of speed: TPAMI's Tables 17 to 19 (summed up in its Table 13), the segmentation code's, mmpose's.

Their hardware is not the reader's, so that no row is measured against ours; its name stands under each heading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.published.figures import METRICS, Figure, load, load_footnotes
from benchmarks.tables.rows import Measurements
from benchmarks.tables.table import Column, Entry, Table

FILES = ("ablation_speed_memory", "ablation_speed_mmpose")
TITLES = {
    "train_time": "training step",
    "train_memory": "memory in training",
    "infer_time": "inference",
    "infer_memory": "memory in inference",
    "speed": "speed",
}
"""Kinds of printed figures -> headings; the others are accuracies and keep their name."""


@dataclass(frozen=True)
class PrintedSpeed:
    """The printed figures of one source: networks in rows; accuracy, times and memory in columns."""

    name: str
    title: str
    figures: tuple[Figure, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """None: nothing is measured for it."""
        return ()

    def with_cells(self, ids: Mapping[str, Sequence[str]]) -> PrintedSpeed:
        """Itself."""
        return self

    def fill(self, measurements: Measurements) -> list[Table]:
        """One table."""
        notes = load_footnotes()
        columns = {_key(figure): _column(figure) for figure in sorted(self.figures, key=_accuracy_first)}
        head = [Column("method", "method"), Column("body", "body"), Column("input", "input")]
        head += [Column("params", "params", "M", digits=1), Column("gflops", "GFLOPs as printed", digits=2)]
        first = self.figures[0]
        table = Table(self.name, self.title, [*head, *columns.values()], caption=f"{first.source}: {first.protocol}.")
        rows: dict[str, list[Figure]] = {}
        for figure in self.figures:
            rows.setdefault(figure.id, []).append(figure)
        for held in rows.values():
            made = {_key(one): Entry(one.value, one.text, one.protocol_id, one.unit, one.direction) for one in held}
            below = tuple(notes[note] for note in held[0].footnotes)
            made |= {"method": Entry(held[0].method), "body": Entry(held[0].body), "input": Entry(held[0].input_size)}
            made |= {"params": Entry(held[0].params_m), "gflops": Entry(held[0].gflops, footnotes=below)}
            table.add(made)
        return [table]


def printed_speed() -> tuple[PrintedSpeed, ...]:
    """Every source of printed speeds."""
    sources: dict[str, list[Figure]] = {}
    for figure in load():
        if figure.file in FILES:
            sources.setdefault(figure.source, []).append(figure)
    return tuple(
        PrintedSpeed(f"printed_speed_{number}", f"Printed speed, {held[0].benchmark}, {_short(source)}", tuple(held))
        for number, (source, held) in enumerate(sources.items(), 1)
    )


def _short(source: str) -> str:
    """ "TPAMI, Table 17" of "arXiv:1908.07919v2 (TPAMI) Table 17 (summary Table 13)"."""
    journal, found, rest = source.partition("(TPAMI) ")
    return f"TPAMI, {rest.partition(' (')[0]}" if found else journal.partition(" docs/")[0]


def _accuracy_first(figure: Figure) -> bool:
    return figure.metric in TITLES


def _key(figure: Figure) -> str:
    return f"{figure.metric}|{figure.condition}"


def _column(figure: Figure) -> Column:
    """The column that a figure stands in; what was measured is its own for every metric and condition."""
    unit, better = METRICS[figure.metric]
    condition = figure.condition.removeprefix("schedule 2x").removeprefix(", ")
    title = ", ".join(part for part in (TITLES.get(figure.metric, figure.metric), condition) if part)
    label = figure.settings.get("hardware", "")
    return Column(_key(figure), title, unit, better, figure.protocol_id, label, digits=3)
