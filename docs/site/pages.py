"""Pages that mkdocs makes at build: the papers' tables from results/published/*.csv, and the API from docstrings."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

MEASURED = ("measured", "difference", "status", "missing", "row")
"""Columns that a page of published figures does without."""

API = {
    "hrnet": ("The backbone package", ("hrnet",)),
    "tasks": ("Tasks, networks, data", ("tasks", "tasks.base")),
    "predict": ("Predict in Python", ("tasks.predictor", "tasks.result")),
    "checkpoints": ("Checkpoints", ("hrnet.checkpoints", "hrnet.checkpoints.report")),
    "cells": (
        "Cells, suites, tables",
        ("benchmarks.experiment.cell", "benchmarks.experiment.suite", "benchmarks.tables.table"),
    ),
    "results": ("Stored results", ("benchmarks.store.record", "benchmarks.store.store", "benchmarks.analysis.frame")),
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts the made pages into the navigation, and pages that nobody listed under "More"."""
    pages = _pages()
    named = {"published/": [], "api/": []}
    for path in pages:
        named[path.split("/")[0] + "/"].append(path)
    for section in config.nav or []:
        for title, place in list(section.items()) if isinstance(section, dict) else []:
            if isinstance(place, str) and place in named:
                section[title] = named[place]
    docs = Path(config.docs_dir)
    config.nav = _there(config.nav, docs, pages)
    listed = set(_paths(config.nav))
    others = sorted(p.relative_to(docs).as_posix() for p in docs.rglob("*.md"))
    more = [path for path in others if path not in listed]
    if more:
        config.nav.append({"More": more})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the made pages."""
    for path, text in _pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def _there(nav: Any, docs: Path, pages: dict[str, str]) -> Any:
    """The navigation without pages that this checkout has not."""
    if isinstance(nav, list):
        return [kept for part in nav if (kept := _there(part, docs, pages))]
    if isinstance(nav, dict):
        found = {title: _there(part, docs, pages) for title, part in nav.items()}
        return {title: part for title, part in found.items() if part}
    return nav if nav in pages or (docs / nav).exists() else None


def _paths(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    values = nav.values() if isinstance(nav, dict) else nav
    return [path for value in values for path in _paths(value)]


_MADE: dict[str, str] = {}


def _pages() -> dict[str, str]:
    """Text of every made page by its path; made once."""
    if not _MADE:
        _MADE.update(_published())
        for name, (title, named) in API.items():
            modules = [module for module in named if find_spec(module) is not None]
            if not modules:
                continue
            blocks = "\n\n".join(f"::: {module}" for module in modules)
            _MADE[f"api/{name}.md"] = f"# {title}\n\n{blocks}\n"
    return _MADE


def _published() -> dict[str, str]:
    """A page for every benchmark with figures from papers, one table for each protocol."""
    from benchmarks.published.figures import load
    from benchmarks.store.store import Store
    from benchmarks.suites import load_suite
    from benchmarks.tables.filling import fill
    from benchmarks.tables.layout import with_columns

    with TemporaryDirectory() as place:
        tables = fill(load_suite("published"), Store(Path(place) / "runs"), intervals="none")
    grouped: dict[str, list[str]] = {}
    for table in tables:
        kept = [column.key for column in table.columns if column.key not in MEASURED]
        [shown] = with_columns([table], kept)
        text = re.sub(r"^### .*\n", "", shown.render("md"), count=1)
        text = re.sub(r"\[(\d+)\]", r"\\[\1]", text)  # footnotes' marks, which markdown would take for links
        heading = table.title.partition(": ")[2] if table.title.startswith("Ablation") else table.title
        grouped.setdefault(table.title.split(": ")[0], []).append(f"## {heading}\n\n{text.strip()}\n")
    figures = load()
    intro = (
        "Figures as papers and repositories print them, under the protocol in the heading: only figures of one protocol stand in "
        "one table. Sources are in the rows between; the files are `results/published/*.csv`, made into this page at build."
    )
    pages = {
        f"published/{re.sub(r'[^a-z0-9]+', '_', title.lower()).strip('_')}.md": f"# {title}\n\n{intro}\n\n"
        + "\n".join(parts)
        for title, parts in grouped.items()
    }
    rows = len({figure.id for figure in figures})
    lines = "\n".join(f"* [{text.splitlines()[0][2:]}]({path.split('/')[1]})" for path, text in pages.items())
    first = f"# Published tables\n\n{len(figures):,} figures of {rows:,} rows.\n\n{lines}\n"
    return {"published/index.md": first, **pages}
