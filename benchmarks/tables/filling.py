"""Fills the tables that a suite names from the result store.  Torch-free.

One row per cell (runs of one cell under several seeds are one row: mean and standard deviation), one column per metric
with its unit, direction and protocol. `fill` makes every table of a suite, the cross-task table included.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.paths import Places
from benchmarks.experiment.staleness import NOTE as STALE
from benchmarks.experiment.staleness import outdated
from benchmarks.experiment.suite import Suite, TableSpec
from benchmarks.store.store import Store, StoredCell
from benchmarks.tables.table import HIGHER, LOWER, Column, Entry, Spread, Table
from benchmarks.tables.uncertainty import cell_spread, over_seeds


@dataclass(frozen=True)
class Measured:
    """One row's worth of numbers: a cell and what the store holds of it, seed by seed (None: not run).

    `stale`: a finished seed was made by other code or data than are here now.
    """

    cell: Cell
    seeds: tuple[StoredCell | None, ...]
    stale: bool = False

    @property
    def done(self) -> list[StoredCell]:
        """The finished ones."""
        return [stored for stored in self.seeds if stored is not None and stored.done]

    @property
    def failed(self) -> StoredCell | None:
        """The first failed one."""
        return next((stored for stored in self.seeds if stored is not None and not stored.done), None)

    @property
    def href(self) -> str:
        """Where the provenance of this row is, in the report."""
        kept = self.done or ([self.failed] if self.failed else [])
        return f"#cell-{kept[0].id}" if kept else ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the data of the first finished seed said that a reader must know."""
        return tuple(self.done[0].record.get("notes") or ()) if self.done else ()

    def figure(self, metric: str) -> dict[str, Any] | None:
        """The stored figure {value, unit, higher_is_better, decimals, n} of the first finished seed."""
        return next((stored.record["figures"].get(metric) for stored in self.done), None)

    def model(self, name: str) -> float | None:
        """`params`, `macs` or `macs_as_published` of the network."""
        return next((stored.record["model"].get(name) for stored in self.done if stored.record.get("model")), None)


def measured(cells: Iterable[Cell], store: Store, stale: Collection[str] = ()) -> list[Measured]:
    """Rows of these cells: cells that differ in their seed alone are one row, in order of first appearance.

    `stale` are ids of cells that other code or data made (`benchmarks.experiment.staleness.outdated`); their rows say so.
    """
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        identity = cell.identity()
        identity.pop("seed")
        groups.setdefault(repr(sorted(identity.items())), []).append(cell)
    return [
        Measured(
            group[0],
            tuple(store.load(cell.task, cell.id) for cell in group),
            any(cell.id in stale for cell in group),
        )
        for group in groups.values()
    ]


def protocol_text(stored: StoredCell, vary: Iterable[str] = ()) -> str:
    """The scoring protocol of a stored cell as `key=value, ...`; two cells are comparable when these texts are equal.

    What the network expects of its input (the task's `input_fields`, such as colour order) is left out, and so is what a
    table varies on purpose (`vary`).
    """
    from tasks import get_task

    cell = stored.record["cell"]
    inputs = {*getattr(get_task(cell["task"]), "input_fields", ()), *vary}
    return ", ".join(f"{key}={_plain(value)}" for key, value in cell["protocol"].items() if key not in inputs)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "(" + " ".join(_plain(item) for item in value) + ")"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def direction(figure: Mapping[str, Any]) -> str:
    """ "higher" or "lower", as tables name it."""
    return HIGHER if figure["higher_is_better"] else LOWER


def entry(row: Measured, metric: str, intervals: str = "kept", vary: Iterable[str] = ()) -> Entry:
    """The measured value of a row with n, spread and protocol; or why there is none.

    `intervals`: "kept" shows bootstrap intervals that were drawn before, "bootstrap" draws them, "none" leaves them out.
    """
    values = [value for stored in row.done if (value := stored.value(metric)) is not None and math.isfinite(value)]
    if not values and row.done:
        return Entry(text="-", href=row.href)
    if not values:
        status = "failed" if row.failed else "not attempted"
        return Entry(status=status, text="failed" if row.failed else "not run", href=row.href)
    first = row.done[0]
    figure = first.record["figures"][metric]
    value, spread = over_seeds(values)
    shown: Spread | None = spread if len(values) > 1 else None
    if shown is None and intervals != "none" and row.cell.tier != "smoke":
        shown = cell_spread(first, [metric], compute=intervals == "bootstrap").get(metric)
    return Entry(
        value,
        protocol=protocol_text(first, vary),
        unit=figure["unit"],
        direction=direction(figure),
        n=figure.get("n"),
        spread=shown,
        href=row.href,
        footnotes=(*row.notes, *((STALE,) if row.stale else ())),
    )


def seconds(stored: StoredCell) -> float | None:
    """Seconds that a cell took in all."""
    durations = stored.record.get("durations_s") or {}
    if "total" in durations:
        return float(durations["total"])
    return float(sum(durations.values())) if durations else None


def reason(row: Measured) -> str:
    """Why a row has no number, in one line."""
    if row.failed:
        lines = str(row.failed.record.get("reason", "")).strip().splitlines() or ["no reason was stored"]
        return f"failed: {lines[-1]}"
    return "not run yet"


def counts_of(metric: str, rows: Sequence[Measured]) -> list[int]:
    """What the rows' figures of a metric are pooled over (images, people, faces): the different n, in order."""
    found = {figure["n"] for row in rows if (figure := row.figure(metric)) and figure.get("n") is not None}
    return sorted(found)


def count_text(counts: Sequence[int]) -> str:
    """ "n=120", or "n=98 to 120" where rows differ; "" where none is known."""
    if not counts:
        return ""
    return f"n={counts[0]}" if len(counts) == 1 else f"n={counts[0]} to {counts[-1]}"


def metric_column(
    metric: str, rows: Sequence[Measured], title: str = "", key: str = "", beside: str | None = None
) -> Column:
    """The column of a metric; what its protocol says is in the table's heading and below it.

    Its label says what the figures are pooled over, unless that is the n of the metric `beside`, which the table gives.
    """
    figure = next((found for row in rows if (found := row.figure(metric))), None)
    if figure is None:
        info = _metric_info(rows[0].cell.task, metric) if rows else None
        unit, better, digits = info or ("", "", 1)
        return Column(key or metric, title or metric, unit, better, None, "", digits)
    counts = counts_of(metric, rows)
    label = "" if beside is not None and counts == counts_of(beside, rows) else count_text(counts)
    return Column(
        key or metric, title or metric, figure["unit"], direction(figure), None, label, figure.get("decimals", 1)
    )


def _metric_info(task: str, metric: str) -> tuple[str, str, int] | None:
    from tasks import get_task

    try:
        info = get_task(task).metrics[metric]
    except KeyError:
        return None
    return info.unit, HIGHER if info.higher_is_better else LOWER, info.decimals


def _cost(row: Measured) -> dict[str, Entry]:
    params, macs = row.model("params"), row.model("macs")
    return {
        "params": Entry(None if params is None else params / 1e6, text=None if params is not None else "-"),
        "macs": Entry(None if macs is None else macs / 1e9, text=None if macs is not None else "-"),
    }


def _cost_columns() -> list[Column]:
    return [
        Column("params", "params", "M", LOWER, digits=3),
        Column("macs", "multiply-adds", "G", LOWER, digits=3),
    ]


def body_name(cell: Cell, with_label: bool = True) -> str:
    """How a row is called: the body, and the label where it has one."""
    return cell.model + (f" · {cell.label}" if cell.label and with_label else "")


def _bracketed(rows: Sequence[Measured], vary: Sequence[str] = ()) -> str:
    """The rows' protocol in short, for a table's heading; nothing where the rows vary it on purpose."""
    header = next((stored.record.get("protocol_header", "") for row in rows for stored in row.done), "")
    return f" [{header}]" if header and not vary else ""


def task_table(spec: TableSpec, rows: Sequence[Measured], intervals: str = "bootstrap") -> Table:
    """One dataset's table: bodies in rows; parameters, multiply-adds, metrics, n and seconds in columns."""
    columns = [Column("body", "body"), Column("representation", "representation"), *_cost_columns()]
    columns += [metric_column(metric, rows, beside=spec.columns[0]) for metric in spec.columns]
    columns += [Column("n", "n"), Column("seconds", "time", "s", digits=0)]
    table = Table(spec.name, spec.title + _bracketed(rows), columns)
    for row in rows:
        values: dict[str, Any] = {"body": Entry(body_name(row.cell), href=row.href)}
        values["representation"] = row.cell.representation
        values |= _cost(row)
        for metric in spec.columns:
            values[metric] = entry(
                row, metric, intervals if row.done and metric == row.done[0].record["headline"] else "none"
            )
        if not row.done:
            values[spec.columns[0]] = Entry(status="failed" if row.failed else "not attempted", text=reason(row))
        figure = row.figure(spec.columns[0])
        values["n"] = figure.get("n") if figure else None
        spent = [seconds(stored) for stored in row.done]
        values["seconds"] = sum(value for value in spent if value is not None) if spent else None
        table.add(values, tier=row.cell.tier)
    return table


MANY_CLASSES = 8


def prefix_of(columns: Sequence[str]) -> str:
    """What METRIC/CLASS columns have in common before the stroke, if they are many; "" otherwise."""
    prefixes = {column.partition("/")[0] for column in columns if "/" in column}
    return (
        prefixes.pop() if len(prefixes) == 1 and len(columns) >= MANY_CLASSES and all("/" in c for c in columns) else ""
    )


def class_table(spec: TableSpec, rows: Sequence[Measured], intervals: str = "none") -> Table:
    """A metric by class with classes in rows and bodies in columns, for specs whose columns are many METRIC/CLASS."""
    metric = prefix_of(spec.columns)
    first = metric_column(spec.columns[0], rows)
    columns = [Column("class", "class")]
    columns += [Column(row.cell.id, body_name(row.cell), first.unit, "", digits=first.digits) for row in rows]
    better = {HIGHER: "higher is better", LOWER: "lower is better"}.get(first.direction, "")
    counts = {name: counts_of(name, rows) for name in spec.columns}
    shared = counts[spec.columns[0]] if len({tuple(found) for found in counts.values() if found}) == 1 else []
    told = " ".join(text for text in (f"{metric}, {better}." if better else "", count_text(shared)) if text)
    if not shared and any(counts.values()):
        columns.append(Column("n", "n"))
    table = Table(spec.name, spec.title + _bracketed(rows), columns, caption=told)
    for name in spec.columns:
        values: dict[str, Any] = {"class": name.partition("/")[2]}
        if not shared and counts[name]:
            values["n"] = count_text(counts[name]).removeprefix("n=")
        for row in rows:
            found = entry(row, name, intervals)
            values[row.cell.id] = replace(found, direction=None)
        table.add(values, tier=rows[0].cell.tier)
    return table


def ablation_table(spec: TableSpec, rows: Sequence[Measured], intervals: str = "bootstrap") -> Table:
    """Variants of fixed bodies: each row's metrics and its difference from the base variant of the same body.

    `spec.extra` may give `labels` (cell id -> name of the variant), `base` (the variant that differences are taken from;
    the first row otherwise), `axis` (the heading of the variant column), `vary` (protocol fields that are the axis) and
    `notes` (cell id -> what a reader must know of that variant, as a footnote).
    """
    extra = dict(spec.extra)
    notes = extra.get("notes", {})
    labels, vary = extra.get("labels", {}), tuple(extra.get("vary", ()))

    def variant(row: Measured) -> str:
        return str(labels.get(row.cell.id) or row.cell.label or row.cell.representation)

    main = spec.columns[0]
    base_of: dict[str, Measured] = {}
    for row in rows:
        if row.cell.model not in base_of or variant(row) == extra.get("base"):
            base_of[row.cell.model] = row
    first = metric_column(main, rows, beside=main)
    columns = [Column("body", "body"), Column("variant", extra.get("axis", "variant")), *_cost_columns(), first]
    columns.append(Column("delta", f"Δ {main}", first.unit, "", None, "", first.digits, signed=True))
    columns += [metric_column(metric, rows, beside=main) for metric in spec.columns[1:]]
    columns += [Column("n", "n"), Column("seconds", "time", "s", digits=0)]
    table = Table(spec.name, spec.title + _bracketed(rows, vary), columns)
    for row in rows:
        values: dict[str, Any] = {
            "body": Entry(row.cell.model, href=row.href),
            "variant": Entry(variant(row), footnotes=tuple(notes.get(row.cell.id, ()))),
            **_cost(row),
        }
        for metric in spec.columns:
            values[metric] = entry(row, metric, intervals if metric == main else "none", vary)
        if not row.done:
            values[main] = Entry(status="failed" if row.failed else "not attempted", text=reason(row))
        base, here = entry(base_of[row.cell.model], main, "none").number, values[main].number
        if row is base_of[row.cell.model]:
            values["delta"] = Entry(text="base")
        elif base is not None and here is not None:
            values["delta"] = here - base
        figure = row.figure(main)
        values["n"] = figure.get("n") if figure else None
        spent = [value for stored in row.done if (value := seconds(stored)) is not None]
        values["seconds"] = sum(spent) if spent else None
        table.add(values, tier=row.cell.tier)
    return table


def variants(suite: Suite) -> set[str]:
    """Ids of cells that only an ablation names: they stay out of the cross-task table."""
    plain = {cell for spec in suite.tables if spec.kind == "task" for cell in spec.cells}
    return {cell for spec in suite.tables if spec.kind == "ablation" for cell in spec.cells} - plain


def fill(
    suite: Suite,
    store: Store,
    intervals: str = "bootstrap",
    only: Iterable[str] | None = None,
    places: Places | None = None,
) -> list[Table]:
    """Every table of the suite; suites over several tasks get their cross-task table after them, and ablations come last.

    The headline figure of a cell that was run under one seed has its bootstrap interval, drawn once and kept beside it.
    A figure that other code or data made than are here now has a footnote that says so.

    `only` restricts to cells with these ids (tables without any such cell are left out). `places` is where the papers' rows
    look for what they lack.
    """
    from benchmarks.tables.across_tasks import cross_table

    chosen = None if only is None else set(only)
    by_id = {cell.id: cell for cell in suite.cells if chosen is None or cell.id in chosen}
    stale = outdated(by_id.values(), store)
    tables: list[Table] = []
    for spec in suite.tables:
        cells = [by_id[cell] for cell in spec.cells if cell in by_id]
        if not cells and spec.kind != "published":
            continue
        rows = measured(cells, store, stale)
        if spec.kind == "published":
            from benchmarks.published.reproduction import published_tables

            tables += published_tables(spec, rows, places)
        elif spec.kind == "cross":
            tables.append(cross_table(spec.name, spec.title, rows, cells[0].tier, intervals))
        else:
            make = ablation_table if spec.kind == "ablation" else task_table
            if spec.kind == "task" and prefix_of(spec.columns):
                tables.append(class_table(spec, rows))
            else:
                tables.append(make(spec, rows, intervals))
    left_out = variants(suite)
    named = [by_id[cell] for spec in suite.tables if spec.kind == "task" for cell in spec.cells if cell in by_id]
    plain = {cell.id: cell for cell in named if cell.id not in left_out}
    ablations = {spec.name for spec in suite.tables if spec.kind == "ablation"}
    last = [table for table in tables if table.name in ablations]
    tables = [table for table in tables if table.name not in ablations]
    if len({cell.task for cell in plain.values()}) > 1 and all(
        spec.kind in ("task", "ablation") for spec in suite.tables
    ):
        for tier in dict.fromkeys(cell.tier for cell in plain.values()):
            rows = measured([cell for cell in plain.values() if cell.tier == tier], store, stale)
            tables.append(cross_table("cross_task", "Across tasks", rows, tier, "none"))
    return tables + last
