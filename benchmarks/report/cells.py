"""The page's entry of a stored cell: its figures, everything that made them, and links to its files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from benchmarks.experiment.staleness import NOTE as STALE
from benchmarks.report.provenance import Group, provenance
from benchmarks.store.store import StoredCell
from benchmarks.tables.rows import headline


@dataclass(frozen=True)
class CellEntry:
    """A cell on the page: `figures` and `links` are (name, text); `reason` says why it failed or is outdated."""

    id: str
    name: str
    headline: str
    reason: str
    figures: list[tuple[str, str]]
    groups: list[Group]
    links: list[tuple[str, str]]


def cell_entry(stored: StoredCell, out: Path, stale: bool = False) -> CellEntry:
    """The entry of a cell; links are relative to `out`."""
    record = stored.record
    seed = record.cell.seed
    figures = []
    for name, figure in record.figures.items():
        if figure.value is not None:
            value = f"{figure.value:.{figure.decimals + 1}f} {figure.unit}".strip()
            figures.append((f"{name} {figure.direction.arrow}", f"{value}  n={figure.n}" if figure.n else value))
    links = [("cell.json", stored.folder / "cell.json"), ("folder", stored.folder)]
    return CellEntry(
        stored.id,
        record.name + (f" (seed {seed})" if seed and "@" not in record.name else ""),
        headline(stored),
        (STALE.capitalize() if stale else "") if stored.done else record.reason or "",
        figures,
        provenance(stored),
        [(name, Path(os.path.relpath(path, out)).as_posix()) for name, path in links],
    )
