"""What the pages of a report show: read and filled once, then laid out page by page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.analysis.figures.groups import across_group, rows_of
from benchmarks.analysis.figures.looks import colours
from benchmarks.experiment.cell import Cell
from benchmarks.experiment.staleness import outdated
from benchmarks.experiment.suite import Suite
from benchmarks.published.paper_table import PublishedTable
from benchmarks.published.summary import summary
from benchmarks.report import history
from benchmarks.report.cells import cell_entry
from benchmarks.report.facts import facts, machine
from benchmarks.report.finding import finding
from benchmarks.report.pictures import Shot
from benchmarks.report.plot import drawn, marked
from benchmarks.report.sections import Section, ablation_section, dataset_sections, picture_sections
from benchmarks.store.store import Store, StoredCell
from benchmarks.tables.ablation_table import AblationTable
from benchmarks.tables.across_tasks import AcrossTasksTable
from benchmarks.tables.filling import fill, only_in_ablations
from benchmarks.tables.layout import ACROSS, transposed
from benchmarks.tables.render import html
from benchmarks.tables.rows import Measured, Measurements
from benchmarks.tables.table import Table

EMBEDDED = (
    "Embedded means: pictures that this program draws, with exact labels, in each benchmark's own file format; small networks "
    "learn from them in minutes, so figures compare networks with each other, and with no paper."
)
SMOKE = "The smoke tier trains for a few steps: its figures say that everything runs, and nothing of the networks."
PUBLISHED_NOTE = "Each row of the papers' tables, with what was measured here under the same protocol."


def page_name(suite: Suite, part: str = "") -> str:
    """File name of a suite's page: the default run's are index.html, pose.html, ...; any other's carry its name."""
    if suite.name == "embedded":
        return f"{part or 'index'}.html"
    return f"{suite.name}-{part}.html" if part else f"{suite.name}.html"


@dataclass(frozen=True)
class Contents:
    """What the pages show.

    Attributes:
        rows: of all cells.
        stale: ids of cells that other code or data made.
        tables: the filled tables.
        across: those across tasks, or one over the datasets of a single task.
        published: the papers' tables with every row, by task.
    """

    suite: Suite
    out: Path
    rows: list[Measured]
    stale: Collection[str]
    tables: list[Table]
    across: list[Table]
    published: Mapping[str, list[Table]]

    @staticmethod
    def of(suite: Suite, store: Store, out: Path, only: set[str] | None, jobs: int = 1) -> Contents:
        """Reads and fills everything; `only` restricts to cells with these ids."""
        cells = {cell.id: cell for cell in suite.cells if only is None or cell.id in only}
        held = Measurements(cells, store, outdated(cells.values(), store), "kept")
        tables = fill(suite, store, only=only, jobs=jobs)
        published: dict[str, list[Table]] = {}
        for kind in suite.tables_of(PublishedTable):
            task = next((figure.task for row in kind.rows for figure in row.figures), "")
            published.setdefault(task, []).extend(fill(replace(suite, tables=(kind,)), store))
        across = _across(suite, tables, list(cells.values()), held)
        return Contents(suite, out, held.rows(cells), held.stale, tables, across, published)

    @property
    def tasks(self) -> list[str]:
        """The tasks that have a page, in the suite's order."""
        return list(dict.fromkeys([*(row.cell.task for row in self.rows), *self.published]))

    def pages(self) -> list[dict[str, Any]]:
        """The template's variables of every page."""
        colour = colours(self.rows)
        filled = {table.name: table for table in self.tables}
        sections = {task: self._sections(task, filled, colour) for task in self.tasks}
        several = len(self.tasks) > 1
        file_of = {task: page_name(self.suite, task if several else "") for task in self.tasks}
        points = history.remember(self._stored(), self.out)
        menu = self._menu(sections, file_of, several)
        overview = self._overview(colour, file_of, sections)
        parts = {task: self._task_part(task, sections[task]) for task in self.tasks}
        index = {
            "here": "Overview",
            "file": page_name(self.suite),
            "menu": menu,
            "title": self._title(),
            "overview": overview,
        }
        if not several:
            only = next(iter(parts.values()), _EMPTY)
            return [{**index, **only, "history": None}, self._history(points, menu, colour)]
        pages = [{**index, **_EMPTY, "history": None}]
        for task, part in parts.items():
            name = {
                "here": task.capitalize(),
                "file": file_of[task],
                "menu": menu,
                "title": f"{self._title()}: {task}",
                "overview": None,
            }
            pages.append({**name, **part, "history": None})
        return [*pages, self._history(points, menu, colour)]

    def _stored(self, task: str | None = None) -> list[StoredCell]:
        return [held for row in self.rows for held in row.seeds if held is not None and task in (None, row.cell.task)]

    def _sections(
        self, task: str, filled: Mapping[str, Table], colour: Mapping[str, int]
    ) -> tuple[list[Section], list[Section]]:
        """The sections of a task's datasets, and of its ablations."""
        rows = [row for row in self.rows if row.cell.task == task]
        own = replace(self.suite, tables=tuple(t for t in self.suite.tables if getattr(t, "task", None) == task))
        datasets = dataset_sections(own, filled, rows, colour, self.out)
        datasets += picture_sections(rows, self.out) if self.published else []
        kinds = [kind for kind in own.tables_of(AblationTable) if kind.name in filled]
        return datasets, [ablation_section(k, filled[k.name], rows_of(k.cells, rows), self.out) for k in kinds]

    def _menu(
        self, sections: Mapping[str, tuple[list[Section], list[Section]]], file_of: Mapping[str, str], several: bool
    ) -> list[tuple[str, str, list[tuple[str, str]]]]:
        """(name, file, its sections as (anchor, title)) of every page."""
        index = page_name(self.suite)
        menu: list[tuple[str, str, list[tuple[str, str]]]] = [("Overview", index, [])]
        for task, (datasets, ablations) in sections.items():
            links = [(section.anchor, section.short) for section in (*datasets, *ablations)]
            links += [("published", "Published and measured")] if self.published.get(task) else []
            links += [("cells", "Provenance")]
            menu.append((task.capitalize(), file_of[task] if several else index, links))
        return [*menu, ("History", page_name(self.suite, "history"), [])]

    def _overview(
        self,
        colour: Mapping[str, int],
        file_of: Mapping[str, str],
        sections: Mapping[str, tuple[list[Section], list[Section]]],
    ) -> dict[str, Any]:
        """The index's part: facts, the sentence of what was found, the tables across tasks and their ranks."""
        stored, index = self._stored(), page_name(self.suite)
        ranks = across_group(self.across, self.rows, colour)
        files = {held.id: file_of[held.record.cell.task] for held in stored}
        tables = [_linked(transposed(table), files, index) for table in self.across]
        counts = [summary([table for tables in self.published.values() for table in tables])] if self.published else []
        embedded = any(row.cell.data is not None for row in self.rows)
        smoke = any(row.cell.tier == "smoke" for row in self.rows)
        return {
            "facts": facts(self.rows, stored, len(self.stale)),
            "machine": machine(stored),
            "embedded": (EMBEDDED + (f" {SMOKE}" if smoke else "")) if embedded else "",
            "examples": _examples(sections) if embedded else [],
            "found": [text for table in self.across if table.tier != "smoke" and (text := finding(table))],
            "tables": html.render_all([*tables, *counts]),
            "legend": marked(ranks.legend),
            "plots": drawn(ranks.charts),
        }

    def _task_part(self, task: str, sections: tuple[list[Section], list[Section]]) -> dict[str, Any]:
        """A task's part of a page."""
        return {
            "task": task,
            "sections": sections[0],
            "ablations": sections[1],
            "published": [(t.title, _count(t), html.render(t)) for t in self.published.get(task, ())],
            "published_note": PUBLISHED_NOTE,
            "cells": [cell_entry(held, self.out, held.id in self.stale) for held in self._stored(task)],
        }

    def _history(self, points: Sequence[history.Point], menu: Any, colour: Mapping[str, int]) -> dict[str, Any]:
        """The page of figures over commits."""
        ids = [held.id for held in self._stored()]
        models = {cell.id: cell.model for cell in self.suite.cells}  # a damaged result does not say its own
        looks = {one: (models[one], colour[models[one]]) for one in ids}
        charts = history.charts(points, ids, looks)
        shown = dict.fromkeys((item.name, item.look) for chart in charts for item in chart.series)
        own = [point for point in points if point.id in ids]
        return {
            "here": "History",
            "file": page_name(self.suite, "history"),
            "menu": menu,
            "title": f"{self._title()}: history",
            "overview": None,
            **_EMPTY,
            "history": {
                "commits": len(history.commits(own)),
                "table": html.render(history.table(own, ids)),
                "legend": marked(shown),
                "plots": drawn(charts),
            },
        }

    def _title(self) -> str:
        if self.published:
            return "HRNet, published and measured"
        return "HRNet across tasks" if len({row.cell.task for row in self.rows}) > 1 else "HRNet benchmark"


_EMPTY: dict[str, Any] = {
    "task": "",
    "sections": [],
    "ablations": [],
    "published": [],
    "published_note": "",
    "cells": [],
}


def _examples(sections: Mapping[str, tuple[list[Section], list[Section]]]) -> list[tuple[str, Shot]]:
    """A picture of every task, with its labels drawn."""
    found = []
    for task, (datasets, _) in sections.items():
        shots = [shot for section in datasets for gallery in section.cells for shot in gallery.pictures]
        if shots:
            found.append((task, shots[0]))
    return found


def _linked(table: Table, files: Mapping[str, str], here: str) -> Table:
    """The table with links to cells on other pages led there."""

    def led(href: str) -> str:
        file = files.get(href.removeprefix("#cell-"), here)
        return href if file == here or not href else file + href

    rows = [
        replace(row, entries={key: replace(entry, href=led(entry.href)) for key, entry in row.entries.items()})
        for row in table.rows
    ]
    return replace(table, rows=rows)


def _across(suite: Suite, tables: Sequence[Table], cells: Sequence[Cell], held: Measurements) -> list[Table]:
    """The tables across tasks; of a single task with several datasets, a table over those."""
    names = {*ACROSS, *(kind.name for kind in suite.tables_of(AcrossTasksTable))}
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
