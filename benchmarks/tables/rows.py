"""Rows of tables: what the store holds of each cell, and the entry that a metric has there."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.experiment.cell import Cell, family_of
from benchmarks.experiment.paths import Places
from benchmarks.experiment.recount import told
from benchmarks.experiment.staleness import NOTE as STALE
from benchmarks.store.record import FIX, Figure, ModelCost, damaged
from benchmarks.store.store import Store, StoredCell
from benchmarks.tables.table import Entry, Spread
from benchmarks.tables.uncertainty import cell_spread, over_seeds


@dataclass(frozen=True)
class Measured:
    """One row: a cell and what the store holds of it, seed by seed (None: not run).

    `stale`: a finished seed was made by other code or data than are here now. `edited`: sentences about figures that were
    changed by hand.
    """

    cell: Cell
    seeds: tuple[StoredCell | None, ...]
    stale: bool = False
    edited: tuple[str, ...] = ()

    @property
    def done(self) -> list[StoredCell]:
        """The finished ones."""
        return [stored for stored in self.seeds if stored is not None and stored.done]

    @property
    def failed(self) -> StoredCell | None:
        """The first failed one."""
        return next((stored for stored in self.seeds if stored is not None and not stored.done), None)

    @property
    def status(self) -> str:
        """The status of a row without a number: "failed" or "not attempted"."""
        return "failed" if self.failed else "not attempted"

    @property
    def reason(self) -> str:
        """Why a row has no number, in one line."""
        if self.failed:
            return f"failed: {last_line(self.failed) or 'no reason was stored'}"
        return "not run yet"

    @property
    def href(self) -> str:
        """Link to the provenance of this row in the report."""
        kept = self.done or ([self.failed] if self.failed else [])
        return f"#cell-{kept[0].id}" if kept else ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know: figures that were changed by hand, and what the data of the first finished seed said."""
        return (*self.edited, *self.done[0].record.notes) if self.done else ()

    @property
    def body(self) -> str:
        """The name of the row: the body, and the cell's label where it has one."""
        return self.cell.model + (f" · {self.cell.label}" if self.cell.label else "")

    @property
    def seconds(self) -> float | None:
        """Seconds that the finished seeds took in all; None if none says so."""
        spent = [value for stored in self.done if (value := seconds(stored)) is not None]
        return sum(spent) if spent else None

    def figure(self, metric: str) -> Figure | None:
        """The stored figure of the first finished seed."""
        return next((stored.record.figures.get(metric) for stored in self.done), None)

    def n(self, metric: str) -> int | None:
        """What a figure is pooled over (images, people, faces); None if that is not known."""
        figure = self.figure(metric)
        return figure.n if figure else None

    @property
    def cost(self) -> ModelCost | None:
        """Parameters and multiply-adds of the network."""
        return next((stored.record.model for stored in self.done if stored.record.model), None)


@dataclass(frozen=True)
class Measurements:
    """What the tables of a suite are filled from.

    Attributes:
        cells: the cells that were asked for, by id.
        stale: ids of cells that other code or data made (`benchmarks.experiment.staleness.outdated`); their rows say so.
        intervals: "kept" shows bootstrap intervals that were drawn before, "bootstrap" draws them, "none" leaves them out.
        places: where the papers' rows look for what they lack; None if they say in general what they need.
    """

    cells: Mapping[str, Cell]
    store: Store
    stale: Collection[str] = ()
    intervals: str = "bootstrap"
    places: Places | None = None

    def rows(self, ids: Iterable[str]) -> list[Measured]:
        """The rows of these cells; those that were not asked for are left out."""
        return measured([self.cells[one] for one in ids if one in self.cells], self.store, self.stale)


def measured(cells: Iterable[Cell], store: Store, stale: Collection[str] = ()) -> list[Measured]:
    """Rows of these cells: cells that differ in their seed alone are one row, in order of first appearance."""
    groups: dict[tuple[str, int], list[Cell]] = {}
    met: Counter[tuple[str, int]] = Counter()
    for cell in cells:
        family = family_of(cell.identity())
        # A second one of the same seed reads from another cell: it is a row of its own.
        groups.setdefault((family, met[family, cell.seed]), []).append(cell)
        met[family, cell.seed] += 1
    rows = []
    for group in groups.values():
        seeds = tuple(_of(cell, store.load(cell.task, cell.id)) for cell in group)
        edited = tuple(sentence for stored in seeds if stored is not None and (sentence := told(stored)))
        rows.append(Measured(group[0], seeds, any(cell.id in stale for cell in group), edited))
    return rows


def bases_of(rows: Sequence[Measured], named: Callable[[Measured], bool] = lambda row: False) -> dict[str, Measured]:
    """The row that each body's others are compared with: its last one that is `named`, else its first."""
    bases: dict[str, Measured] = {}
    for row in rows:
        if row.cell.model not in bases or named(row):
            bases[row.cell.model] = row
    return bases


def _of(cell: Cell, stored: StoredCell | None) -> StoredCell | None:
    """What is stored of a cell; as a failure where its protocol was edited: the id that it lies under is of another."""
    if stored is None or not stored.done:
        return stored
    held, own = stored.record.cell, cell.identity()
    if held.protocol == own["protocol"] and (held.precision, held.runtime) == (cell.precision, cell.runtime):
        return stored
    path = stored.folder / "cell.json"
    reason = f"{path}: expected the protocol of cell {cell.id}, got another; the file was edited; {FIX}"
    return StoredCell(stored.folder, damaged(cell.task, cell.id, reason), reason)


def protocol_text(stored: StoredCell, vary: Iterable[str] = ()) -> str:
    """The scoring protocol of a stored cell as `key=value, ...`; two cells are comparable when these texts are equal.

    What the network expects of its input (the task's `input_fields`, such as colour order) is left out, and so is what a
    table varies on purpose (`vary`).
    """
    from tasks import get_task

    cell = stored.record.cell
    inputs = {*get_task(cell.task).input_fields, *vary}
    stated = [f"{key}={_plain(value)}" for key, value in cell.protocol.items() if key not in inputs]
    if cell.precision != "fp32" and "precision" not in inputs:
        stated.append(f"precision={cell.precision}")
    if cell.runtime != "eager" and "runtime" not in inputs:
        stated.append(f"runtime={cell.runtime}")
    return ", ".join(stated)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "(" + " ".join(_plain(item) for item in value) + ")"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def entry(row: Measured, metric: str, intervals: str = "kept", vary: Iterable[str] = ()) -> Entry:
    """The measured value of a row with n, spread and protocol; or why there is none.

    `intervals` as in :class:`Measurements`. The smoke tier has none.
    """
    values = [value for stored in row.done if (value := stored.value(metric)) is not None and math.isfinite(value)]
    if not values and row.done:
        return Entry(text="-", href=row.href)
    if not values:
        return Entry(status=row.status, text="failed" if row.failed else "not run", href=row.href)
    first = row.done[0]
    figure = first.record.figures[metric]
    value, spread = over_seeds(values)
    shown: Spread | None = spread if len(values) > 1 else None
    spoilt = ""
    if shown is None and intervals != "none" and row.cell.tier != "smoke":
        try:
            shown = cell_spread(first, [metric], compute=intervals == "bootstrap").get(metric)
        except ValueError as error:
            spoilt = f"without interval: {error}"
    return Entry(
        value,
        protocol=protocol_text(first, vary),
        unit=figure.unit,
        direction=figure.direction,
        n=figure.n,
        spread=shown,
        href=row.href,
        footnotes=(*row.notes, *((spoilt,) if spoilt else ()), *((STALE,) if row.stale else ())),
    )


def seconds(stored: StoredCell) -> float | None:
    """Seconds that a cell took in all."""
    durations = stored.record.durations_s
    if "total" in durations:
        return durations["total"]
    return sum(durations.values()) if durations else None


def headline(stored: StoredCell) -> str:
    """The headline metric with its value and unit; "failed" of a failed cell, "" where there is no value."""
    if not stored.done:
        return "failed"
    metric = stored.record.headline
    figure = stored.record.figures.get(metric or "")
    if figure is None or figure.value is None:
        return ""
    unit = f" {figure.unit}" if figure.unit else ""
    return f"{metric} {figure.value:.{figure.decimals}f}{unit}"


def last_line(stored: StoredCell) -> str:
    """The last line of a failure's reason; "" if none was stored."""
    return next(iter(reversed((stored.record.reason or "").strip().splitlines())), "")
