"""The report: one static html page made from stored cells, to be opened by its path.  Torch-free.

`write(suite, store, out)` writes `out/index.html` (or `out/SUITE.html`) and copies the pictures that it shows beside it
(`out/pictures/`); nothing is loaded from elsewhere, and the page works without its script too.
"""

from __future__ import annotations

import os
import shutil
import struct
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from html import escape
from pathlib import Path
from typing import Any

from benchmarks.experiment.staleness import NOTE as STALE
from benchmarks.experiment.staleness import outdated
from benchmarks.experiment.suite import Suite, SuiteTable
from benchmarks.published.paper_table import PublishedTable
from benchmarks.published.summary import summary
from benchmarks.report import gather
from benchmarks.report.gather import Plot, Section
from benchmarks.store.store import Store, StoredCell
from benchmarks.tables.ablation_table import AblationTable
from benchmarks.tables.across_tasks import AcrossTasksTable
from benchmarks.tables.class_table import ClassTable
from benchmarks.tables.filling import fill, only_in_ablations
from benchmarks.tables.render import html
from benchmarks.tables.rows import Measured, Measurements, measured, seconds
from benchmarks.tables.table import ARROWS, Table
from benchmarks.tables.task_table import TaskTable

FOLDER = Path(__file__).resolve().parent


def write(suite: Suite, store: Store, out: Path, only: Iterable[str] | None = None) -> Path:
    """Writes the page of a suite from what the store holds now; returns its path.

    Cells that failed or were not run appear with their reason; a suite without any result gives a page that says so.
    """
    import jinja2
    import markupsafe

    chosen = None if only is None else set(only)
    cells = [cell for cell in suite.cells if chosen is None or cell.id in chosen]
    stale = outdated(cells, store)
    rows = measured(cells, store, stale)
    colour = gather.colours(rows)
    specs = [spec for spec in suite.tables if any(cell.id in spec.cells for cell in cells)]
    tables = fill(suite, store, only=chosen)
    by_name = {table.name: table for table in tables}
    out.mkdir(parents=True, exist_ok=True)

    by_cells: dict[tuple[str, ...], Section] = {}
    for spec in specs:
        if not isinstance(spec, TaskTable | ClassTable) or spec.name not in by_name:
            continue
        if spec.cells in by_cells:
            # A second table of the same cells (figures by class) joins the section of the first.
            further = f"<summary><b>{escape(spec.title)}</b></summary>{html.render(by_name[spec.name])}"
            by_cells[spec.cells].table += f'<details class="long">{further}</details>'
        else:
            by_cells[spec.cells] = _section(spec, by_name[spec.name], _rows_of(spec, rows), colour, out)
    sections = list(by_cells.values())
    ablation_specs = [spec for spec in specs if isinstance(spec, AblationTable) and spec.name in by_name]
    ablations = [by_name[spec.name] for spec in ablation_specs]
    ablation_rows = [row for spec in ablation_specs for row in _rows_of(spec, rows)]
    across = {"cross_task", *(spec.name for spec in suite.tables_of(AcrossTasksTable))}
    cross = [table for table in tables if table.name in across]
    left_out = only_in_ablations(suite)
    if not cross and len({row.cell.task for row in rows}) == 1 and len({row.cell.dataset for row in rows}) > 1:
        plain = tuple(cell.id for cell in cells if cell.id not in left_out)
        held = Measurements({cell.id: cell for cell in cells}, store, stale, "none")
        cross = AcrossTasksTable("overview", "Overview", plain).fill(held)
    papers = suite.tables_of(PublishedTable)
    published = fill(replace(suite, tables=papers), store) if papers else []
    sections += _galleries(rows, out) if published else []
    stored = [held for row in rows for held in row.seeds if held is not None]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string((FOLDER / "page.html.j2").read_text(encoding="utf-8"))
    safe = markupsafe.Markup
    page = template.render(
        title=_title(suite, rows),
        suite=suite,
        style=safe((FOLDER / "style.css").read_text(encoding="utf-8")),
        script=safe((FOLDER / "script.js").read_text(encoding="utf-8")),
        facts=_facts(rows, stored, stale),
        machine=_machine(stored),
        cross_tables=safe(html.render_all([*cross, *([summary(published)] if published else [])])),
        rank_plots=_marked([plot for table in cross if (plot := gather.rank_plot(table, colour))], safe),
        legend=[(name, safe(mark)) for name, mark in gather.legend(rows, colour, families=True)],
        sections=[_safe_section(section, safe) for section in sections],
        ablations=[
            _safe_section(_ablation(spec, by_name[spec.name], _rows_of(spec, rows), out), safe)
            for spec in ablation_specs
        ],
        ablation_plots=_marked([plot for t in ablations if (plot := gather.ablation_plot(t, colour))], safe),
        ablation_legend=[(name, safe(mark)) for name, mark in gather.legend(ablation_rows, colour)],
        published=[(table.title, _count(table), safe(html.render(table))) for table in published],
        published_note="Each row of the papers' tables, with what was measured here under the same protocol.",
        cells=[_cell(held, out, held.id in stale) for held in stored],
        written=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    )
    path = out / page_name(suite)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(path)
    return path


def _title(suite: Suite, rows: Sequence[Measured]) -> str:
    if suite.tables_of(PublishedTable):
        return "HRNet, published and measured"
    return "HRNet across tasks" if len({row.cell.task for row in rows}) > 1 else "HRNet benchmark"


def page_name(suite: Suite) -> str:
    """File name of a suite's page: the default run's is index.html, any other carries its name."""
    return "index.html" if suite.name == "embedded" else f"{suite.name}.html"


def _galleries(rows: Sequence[Measured], out: Path) -> list[Section]:
    """A section of pictures per dataset, for suites whose tables are the papers'."""
    made: dict[tuple[str, str], Section] = {}
    for row in rows:
        for held in row.done[:1]:
            pictures = _pictures(held, out)
            if pictures:
                place = (row.cell.task, row.cell.dataset)
                section = made.setdefault(place, Section("-".join(place), place[0], f"Pictures, {place[1]}", ""))
                name = f"{row.body}, {row.cell.checkpoint}" if row.cell.checkpoint else row.body
                section.cells.append({"name": name, "headline": _headline(held), "pictures": pictures})
    return list(made.values())


def _rows_of(spec: SuiteTable, rows: Sequence[Measured]) -> list[Measured]:
    return [row for row in rows if row.cell.id in spec.cells]


def _marked(found: Sequence[Plot], safe: Any) -> list[Plot]:
    return [Plot(plot.title, safe(plot.svg), plot.wide) for plot in found if plot.svg]


def _safe_section(section: Section, safe: Any) -> Section:
    section.table = safe(section.table)
    section.legend = [(name, safe(mark)) for name, mark in section.legend]
    section.plots = _marked(section.plots, safe)
    return section


def _count(table: Table) -> str:
    statuses = Counter(row.entries["status"].status for row in table.rows if "status" in row.entries)
    told = ", ".join(f"{count} {status}" for status, count in statuses.items() if status)
    return f"{len(table.rows)} rows" + (f": {told}" if told else "")


def _facts(
    rows: Sequence[Measured], stored: Sequence[StoredCell], stale: Collection[str]
) -> list[tuple[str, str, str, str]]:
    done = [held for held in stored if held.done]
    failed = len(stored) - len(done)
    missing = sum(held is None for row in rows for held in row.seeds)
    facts = [("Cells finished", str(len(done)), f"of {sum(len(row.seeds) for row in rows)}", "")]
    if failed:
        facts.append(("Failed", str(failed), "", "bad"))
    if missing:
        facts.append(("Not run", str(missing), "", ""))
    if stale:
        facts.append(("Outdated", str(len(stale)), "made by other code or data", "bad"))
    spent = sum(value for held in done if (value := seconds(held)) is not None)
    if spent:
        facts.append(("Compute", _duration(spent), "summed over cells", ""))
    images = sum(held.record.get("n", {}).get("images", 0) for held in done)
    if images:
        facts.append(("Images evaluated", f"{images:,}".replace(",", " "), "", ""))
    tiers = dict.fromkeys(row.cell.tier for row in rows)
    facts.append(("Tier", ", ".join(tiers), "", ""))
    made = [held.record.get("provenance") or {} for held in done]
    commits = {str(git["commit"])[:9] for item in made if (git := item.get("git") or {}).get("commit")}
    if commits:
        facts.append(("Code", ", ".join(sorted(commits)[:2]) + (" …" if len(commits) > 2 else ""), "", ""))
    return facts


def _machine(stored: Sequence[StoredCell]) -> str:
    """Machines and main packages that made these cells, in one line."""
    told: dict[str, None] = {}
    for held in stored:
        made = held.record.get("provenance") or {}
        hardware, packages = made.get("hardware") or {}, made.get("packages") or {}
        parts = [str(hardware.get("accelerator") or hardware.get("cpu") or "")]
        parts += [f"{hardware['cores']} cores"] if hardware.get("cores") else []
        parts += [f"{name} {packages[name]}" for name in ("python", "torch", "numpy") if name in packages]
        told[", ".join(part for part in parts if part)] = None
    return " | ".join(line for line in told if line)


def _duration(value: float) -> str:
    minutes, rest = divmod(round(value), 60)
    return (
        f"{minutes // 60} h {minutes % 60} min"
        if minutes >= 60
        else f"{minutes} min {rest} s"
        if minutes
        else f"{rest} s"
    )


def _section(
    spec: TaskTable | ClassTable, table: Table, rows: Sequence[Measured], colour: dict[str, int], out: Path
) -> Section:
    section = Section(f"{spec.task}-{spec.dataset}-{spec.name}", spec.task, spec.title, html.render(table))
    plain = [row for row in rows if not row.cell.label]
    drawn = plain or list(rows)
    metric, look = spec.columns[0], gather.looks(drawn, colour)
    section.plots = [
        *gather.cost_plots(drawn, metric, colour),
        *gather.training_plots(drawn, look),
        *gather.evaluation_plots(drawn, look),
        *gather.class_bars(drawn, colour),
    ]
    section.legend = gather.legend(drawn, colour)
    section.cells = _gallery(rows, {row.cell.id: row.body for row in rows}, out)
    return section


def _ablation(spec: AblationTable, table: Table, rows: Sequence[Measured], out: Path) -> Section:
    """An ablation's table, the curves of its variants, and the pictures of every one of them."""
    rows = sorted(rows, key=lambda row: spec.cells.index(row.cell.id))
    section = Section(f"ablation-{spec.name}", spec.task, spec.title, html.render(table))
    look = gather.variant_looks(rows, spec)
    section.plots = [*gather.training_plots(rows, look), *gather.evaluation_plots(rows, look)]
    section.legend = gather.legend_of(look)
    section.cells = _gallery(rows, {cell: name for cell, (name, _) in look.items()}, out)
    return section


def _gallery(rows: Sequence[Measured], names: Mapping[str, str], out: Path) -> list[dict[str, Any]]:
    """Name, headline figure and pictures of each row that has some."""
    return [
        {"name": names[row.cell.id], "headline": _headline(held), "pictures": pictures}
        for row in rows
        for held in row.done[:1]
        if (pictures := _pictures(held, out))
    ]


def _headline(stored: StoredCell) -> str:
    if not stored.done:
        return "failed"
    metric = stored.record["headline"]
    figure = stored.record["figures"].get(metric)
    if figure is None or figure["value"] is None:
        return ""
    unit = f" {figure['unit']}" if figure["unit"] else ""
    return f"{metric} {figure['value']:.{figure.get('decimals', 1)}f}{unit}"


def _pictures(stored: StoredCell, out: Path) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    for picture in stored.record.get("pictures") or []:
        paths = {what: stored.folder / picture[what] for what in ("truth", "prediction")}
        if not all(path.is_file() for path in paths.values()):
            continue
        target = out / "pictures" / stored.id
        if not shown:
            shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True, exist_ok=True)
        entry: dict[str, Any] = {"kind": picture["kind"], "image": str(picture["image"])}
        for what, path in paths.items():
            name = f"{picture['index']}_{what}{path.suffix}"
            if not (target / name).exists():
                shutil.copyfile(path, target / name)
            entry[what] = f"pictures/{stored.id}/{name}"
        width, height = picture_size(paths["prediction"])
        score = picture.get("score")
        score_text = "" if score is None else f"{score:.3g}"
        shown.append({**entry, "width": width, "height": height, "wide": width > 1.35 * height, "score": score_text})
    return shown


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) of a jpeg or png from its header; (4, 3) if it is neither."""
    data = path.read_bytes()
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    place = 2
    while data[:2] == b"\xff\xd8" and place + 9 < len(data):
        kind, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return width, height
        place += 2 + length
    return 4, 3


def _cell(stored: StoredCell, out: Path, stale: bool = False) -> dict[str, Any]:
    record = stored.record
    seed = record["cell"]["seed"]
    figures = []
    for name, figure in (record.get("figures") or {}).items():
        if figure["value"] is not None:
            better = ARROWS["higher" if figure["higher_is_better"] else "lower"]
            value = f"{figure['value']:.{figure.get('decimals', 1) + 1}f} {figure['unit']}".strip()
            figures.append((f"{name} {better}", f"{value}  n={figure['n']}" if figure.get("n") else value))
    links = [("cell.json", stored.folder / "cell.json"), ("folder", stored.folder)]
    return {
        "id": stored.id,
        "name": record["name"] + (f" (seed {seed})" if seed and "@" not in record["name"] else ""),
        "headline": _headline(stored),
        "reason": (STALE.capitalize() if stale else "") if stored.done else str(record.get("reason", "")),
        "figures": figures,
        "groups": gather.provenance(stored),
        "links": [(name, Path(os.path.relpath(path, out)).as_posix()) for name, path in links],
    }
