"""The table of a network's speed: precisions and runtimes in rows, accuracy beside images per second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.tables.columns import compared_columns, cost_columns, cost_entries, difference
from benchmarks.tables.rows import Measured, Measurements, bases_of, entry
from benchmarks.tables.table import Column, Entry, Table
from benchmarks.tables.task_table import BodyTable
from tasks.direction import Direction

VARY = ("precision", "runtime")
"""What the rows differ in on purpose."""
FEW_PICTURES = (
    "Δ over few pictures is chance: `python -m benchmarks.speed.precision` takes more, and gives it an interval."
)
NOT_ALONE = "other processes worked on the machine while this was measured"


@dataclass(frozen=True)
class SpeedTable(BodyTable):
    """One trained network per body, evaluated in precisions and runtimes; the first row of a body is its base."""

    def fill(self, measurements: Measurements) -> list[Table]:
        """One table; none if no cell was asked for. The machine stands in the caption: speeds of others do not compare."""
        rows = measurements.rows(self.cells)
        if not rows:
            return []
        columns = [
            Column("body", "body"),
            Column("precision", "precision"),
            Column("runtime", "runtime"),
            *cost_columns(),
        ]
        columns += compared_columns(self.columns, rows, digits=3)
        columns += [
            Column("model", "network alone", "1/s", Direction.HIGHER, digits=1),
            Column("times", "× the first row", digits=2),
            Column("whole", "with data and decoding", "1/s", Direction.HIGHER, digits=1),
            Column("one", "one picture", "ms", Direction.LOWER, digits=1),
            Column("memory", "peak memory", "GiB", Direction.LOWER, digits=2),
            Column("n", "n"),
        ]
        table = Table(self.name, self.title, columns, caption=_machines(rows))
        bases = bases_of(rows)
        for row in rows:
            table.add(self._entries(row, bases[row.cell.model]), tier=row.cell.tier)
        return [table]

    def _entries(self, row: Measured, base: Measured) -> dict[str, Any]:
        main = self.columns[0]
        figures = {metric: entry(row, metric, "none", VARY) for metric in self.columns}
        if not row.done:
            figures[main] = Entry(status=row.status, text=row.reason)
        rate, first = throughput(row), throughput(base)
        return {
            "body": Entry(row.cell.model, href=row.href),
            "precision": row.cell.precision,
            "runtime": row.cell.runtime,
            **cost_entries(row),
            **figures,
            "delta": difference(figures[main], entry(base, main, "none", VARY), row is base),
            "model": Entry(rate, footnotes=() if rate is None or row.done[0].record.latency_quiet else (NOT_ALONE,)),
            "times": Entry(rate / first if rate and first else None),
            "whole": Entry(end_to_end(row)),
            "one": Entry(row.done[0].record.latency_ms if row.done else None),
            "memory": Entry(row.done[0].record.peak_memory_gib if row.done else None),
            "n": row.n(main),
        }


def throughput(row: Measured) -> float | None:
    """Images per second of the network alone, at the evaluation's batch; None where it was not measured."""
    return next((stored.record.images_per_s for stored in row.done), None)


def end_to_end(row: Measured) -> float | None:
    """Samples per second of the evaluation: data, network and decoding."""
    for stored in row.done:
        spent = sum(stored.record.durations_s.get(name, 0.0) for name in ("eval_data", "eval_model"))
        if spent and stored.record.n is not None:
            return stored.record.n.samples / spent
    return None


def _machines(rows: Sequence[Measured]) -> str:
    found = dict.fromkeys(
        f"{made.hardware.accelerator or made.hardware.cpu}, {made.threads or '?'} thread{'s' * (made.threads != 1)}, "
        f"batch {stored.record.batch_size}"
        for row in rows
        for stored in row.done
        if (made := stored.record.provenance)
    )
    if not found:
        return ""
    few = "" if rows[0].cell.tier == "full" else f" {FEW_PICTURES}"
    return f"Measured on {'; '.join(found)}.{few}"
