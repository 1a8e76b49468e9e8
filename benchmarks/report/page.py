"""The report: one static html page made from stored cells, to be opened by its path.

`write(suite, store, out)` writes `out/index.html` (or `out/SUITE.html`) and copies the pictures that it shows beside it
(`out/pictures/`); nothing is loaded from elsewhere, and the page works without its script too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks.analysis.figures.groups import across_group, rows_of
from benchmarks.analysis.figures.looks import colours
from benchmarks.experiment.cell import Cell
from benchmarks.experiment.staleness import outdated
from benchmarks.experiment.suite import Suite
from benchmarks.published.paper_table import PublishedTable
from benchmarks.published.summary import summary
from benchmarks.report.cells import cell_entry
from benchmarks.report.facts import facts, machine
from benchmarks.report.plot import drawn, marked, palette_css
from benchmarks.report.sections import ablation_section, dataset_sections, picture_sections
from benchmarks.store.store import Store
from benchmarks.tables.ablation_table import AblationTable
from benchmarks.tables.across_tasks import AcrossTasksTable
from benchmarks.tables.filling import fill, only_in_ablations
from benchmarks.tables.render import html
from benchmarks.tables.rows import Measured, Measurements
from benchmarks.tables.table import Table
from tasks.files.writing import write_text

FOLDER = Path(__file__).resolve().parent
PUBLISHED_NOTE = "Each row of the papers' tables, with what was measured here under the same protocol."


def write(suite: Suite, store: Store, out: Path, only: Iterable[str] | None = None) -> Path:
    """Writes the page of a suite from what the store holds now; returns its path.

    Cells that failed or were not run appear with their reason; a suite without any result gives a page that says so.
    """
    out.mkdir(parents=True, exist_ok=True)
    contents = _Contents.of(suite, store, out, None if only is None else set(only))
    page = _template().render(**contents.fields())
    path = out / page_name(suite)
    write_text(path, page)
    return path


def page_name(suite: Suite) -> str:
    """File name of a suite's page: the default run's is index.html, any other carries its name."""
    return "index.html" if suite.name == "embedded" else f"{suite.name}.html"


def _template() -> Any:
    """The page's template; texts are escaped but for those that went through the filter `safe`."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string((FOLDER / "page.html.j2").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class _Contents:
    """What the page shows.

    Attributes:
        rows: of all cells.
        stale: ids of cells that other code or data made.
        tables: the filled tables.
        across: those across tasks, or one over the datasets of a single task.
        published: the papers' tables, with every row.
    """

    suite: Suite
    out: Path
    rows: list[Measured]
    stale: Collection[str]
    tables: list[Table]
    across: list[Table]
    published: list[Table]

    @staticmethod
    def of(suite: Suite, store: Store, out: Path, only: set[str] | None) -> _Contents:
        """Reads and fills everything; `only` restricts to cells with these ids."""
        cells = {cell.id: cell for cell in suite.cells if only is None or cell.id in only}
        held = Measurements(cells, store, outdated(cells.values(), store), "none")
        tables = fill(suite, store, only=only)
        papers = suite.tables_of(PublishedTable)
        return _Contents(
            suite,
            out,
            held.rows(cells),
            held.stale,
            tables,
            _across(suite, tables, list(cells.values()), held),
            fill(replace(suite, tables=papers), store) if papers else [],
        )

    def fields(self) -> dict[str, Any]:
        """The template's variables."""
        colour = colours(self.rows)
        stored = [held for row in self.rows for held in row.seeds if held is not None]
        filled = {table.name: table for table in self.tables}
        kinds = [kind for kind in self.suite.tables_of(AblationTable) if kind.name in filled]
        ablations = [ablation_section(k, filled[k.name], rows_of(k.cells, self.rows), self.out) for k in kinds]
        ranks = across_group(self.across, self.rows, colour)
        sections = dataset_sections(self.suite, filled, self.rows, colour, self.out)
        sections += picture_sections(self.rows, self.out) if self.published else []
        counts = [summary(self.published)] if self.published else []
        return {
            "title": self._title(),
            "suite": self.suite,
            "style": palette_css() + "\n" + (FOLDER / "style.css").read_text(encoding="utf-8"),
            "script": (FOLDER / "script.js").read_text(encoding="utf-8"),
            "facts": facts(self.rows, stored, len(self.stale)),
            "machine": machine(stored),
            "cross_tables": html.render_all([*self.across, *counts]),
            "rank_plots": drawn(ranks.charts),
            "legend": marked(ranks.legend),
            "sections": sections,
            "ablations": ablations,
            "published": [(table.title, _count(table), html.render(table)) for table in self.published],
            "published_note": PUBLISHED_NOTE,
            "cells": [cell_entry(held, self.out, held.id in self.stale) for held in stored],
            "written": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        }

    def _title(self) -> str:
        if self.published:
            return "HRNet, published and measured"
        return "HRNet across tasks" if len({row.cell.task for row in self.rows}) > 1 else "HRNet benchmark"


def _across(suite: Suite, tables: Sequence[Table], cells: Sequence[Cell], held: Measurements) -> list[Table]:
    """The tables across tasks; of a single task with several datasets, a table over those."""
    names = {"cross_task", *(kind.name for kind in suite.tables_of(AcrossTasksTable))}
    found = [table for table in tables if table.name in names]
    if found or len({cell.task for cell in cells}) != 1 or len({cell.dataset for cell in cells}) < 2:
        return found
    left_out = only_in_ablations(suite)
    plain = tuple(cell.id for cell in cells if cell.id not in left_out)
    return AcrossTasksTable("overview", "Overview", plain).fill(held)


def _count(table: Table) -> str:
    """The number of a paper table's rows, and how many have which status."""
    statuses = Counter(row.entries["status"].status for row in table.rows if "status" in row.entries)
    counts = ", ".join(f"{count} {status}" for status, count in statuses.items() if status)
    return f"{len(table.rows)} rows" + (f": {counts}" if counts else "")
