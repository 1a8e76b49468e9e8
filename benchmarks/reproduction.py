"""The papers' tables with published, measured, difference and status in every row.  Torch-free.

A paper table becomes one `Table` per protocol, so that no column mixes two. Status of a measured row:
"reproduced" if it agrees to what the source prints, "within tolerance", "off", or "suspiciously better".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.cells import TableSpec
from benchmarks.filling import Measured
from benchmarks.published import METRICS, Figure, load, load_footnotes
from benchmarks.tables import Column, Entry, Table

ROUNDING = {"%": 0.1}
"""Difference that counts as reproduced: half of the last printed digit on either side, and other arithmetic."""
TOLERANCE = {"AP": 0.5, "box_AP": 0.5, "mask_AP": 0.5, "mIoU": 0.5, "PCKh@0.5": 0.3, "NME": 0.05, "FR@0.10": 0.3}
DEFAULT_TOLERANCE = 0.5
IMAGES = {
    ("COCO keypoints", "val2017"): 5000,
    ("COCO detection", "val2017"): 5000,
    ("COCO detection", "val2017 (minival)"): 5000,
    ("MPII", "val"): 2729,
    ("Cityscapes", "val"): 500,
    ("PASCAL-Context", "val(testing 5105)"): 5105,
    ("LIP", "val"): 10000,
    ("300W", "full"): 689,
    ("300W", "common"): 554,
    ("300W", "challenge"): 135,
    ("300W", "test"): 600,
    ("AFLW", "full"): 4386,
    ("COFW", "test"): 507,
    ("WFLW", "test"): 2500,
}
"""Pictures of a whole benchmark split, to tell a part of it from all of it (MPII: checked loosely, people share pictures)."""


def judge(figure: Figure, measured: float) -> str:
    """Status of a measured value against the published one."""
    if figure.bound == "<":
        return "reproduced" if measured < figure.value else "off"
    difference = measured - figure.value
    if abs(difference) <= ROUNDING.get(figure.unit, 0.0) / (1 if figure.metric != "NME" else 10):
        return "reproduced"
    if abs(difference) <= TOLERANCE.get(figure.metric, DEFAULT_TOLERANCE):
        return "within tolerance"
    gain = difference if figure.direction == "higher" else -difference
    return "suspiciously better" if gain > 0 else "off"


def slot(figure: Figure) -> str:
    """What makes a column of a paper table: metric, split and protocol."""
    return f"{figure.metric}|{figure.split}|{figure.protocol_id}"


MAIN: dict[str, tuple[tuple[str, str], ...]] = {
    "MPII": (("PCKh@0.5", ""),),
    "LIP": (("mIoU", ""),),
    "300W": (("NME", "full"), ("NME", "test")),
}
"""Which figure a row is judged by, (metric, split), where it is not the first; the last stands for rows without any."""


def main_slot(figures: Sequence[Figure]) -> str:
    """The slot by which a source row is judged and put together with others: one metric, split and protocol."""
    head = figures[0]
    wanted = MAIN.get(head.benchmark, ())
    for metric, split in wanted:
        for figure in figures:
            if figure.metric == metric and split in ("", figure.split):
                return slot(figure)
    if wanted:
        return f"{wanted[-1][0]}|{wanted[-1][1] or head.split}|{head.protocol_id}"
    return slot(head)


def published_tables(spec: TableSpec, rows: Sequence[Measured]) -> list[Table]:
    """One table per judged figure and protocol of a paper table; every source row is in exactly one of them.

    A row that speaks of two benchmarks (the exchange ablation) is in a table of each.
    """
    by_cell = {row.cell.id: row for row in rows}
    notes = load_footnotes()
    files = set(spec.extra["files"])
    groups: dict[tuple[str, str], list[list[Figure]]] = {}
    for identity, figures in load().rows().items():
        if identity.split(":")[0] not in files:
            continue
        for benchmark in dict.fromkeys(figure.benchmark for figure in figures):
            own = [figure for figure in figures if figure.benchmark == benchmark]
            groups.setdefault((benchmark, main_slot(own)), []).append(own)
    benchmarks = {benchmark for benchmark, _ in groups}
    tables = []
    for number, ((benchmark, main), members) in enumerate(groups.items(), 1):
        metric, split, protocol = main.split("|", 2)
        name = spec.name if len(groups) == 1 else f"{spec.name}_{number}"
        title = f"{spec.title}, {benchmark}" if len(benchmarks) > 1 else spec.title
        what = metric if split in title or split in members[0][0].split else f"{metric} {split}"
        tables.append(_table(name, f"{title}: {what} [{protocol}]", main, members, spec, by_cell, notes))
    return tables


def _table(
    name: str,
    title: str,
    main: str,
    members: Sequence[list[Figure]],
    spec: TableSpec,
    by_cell: Mapping[str, Measured],
    notes: Mapping[str, str],
) -> Table:
    examples = {slot(figure): figure for figures in members for figure in figures}
    single_split = len({key.split("|")[1] for key in [main, *examples]}) == 1
    metric, _, protocol = main.split("|", 2)
    unit, better = METRICS[metric]
    columns = [
        Column("method", "method"),
        Column("body", "body"),
        Column("setting", "setting"),
        Column("published", f"{metric} published", unit, better, protocol),
        Column("measured", f"{metric} measured", unit, better, protocol),
        Column("difference", "difference", unit, signed=True),
        Column("status", "status"),
    ]
    for key, figure in examples.items():
        if key != main:
            heading = figure.metric if single_split else f"{figure.metric} {figure.split}"
            label = "" if figure.protocol_id == protocol else figure.protocol_id
            columns.append(Column(key, heading, figure.unit, figure.direction, figure.protocol_id, label))
    columns += [Column("params", "params", "M", digits=1), Column("gflops", "GFLOPs as printed", digits=1)]
    columns += [Column("missing", "what is missing", on_paper=False), Column("row", "row", on_paper=False)]
    table = Table(name, title, columns, tier="full" if spec.cells else "")
    for figures in members:
        table.add(_row(figures, main, spec, by_cell, notes), group=figures[0].source)
    optional = {"params", "gflops"}
    present = {key for row in table.rows for key, value in row.entries.items() if value.value is not None}
    table.columns = [column for column in table.columns if column.key not in optional or column.key in present]
    return table


def _row(
    figures: Sequence[Figure],
    main: str,
    spec: TableSpec,
    by_cell: Mapping[str, Measured],
    notes: Mapping[str, str],
) -> dict[str, Any]:
    first = figures[0]
    head = next((figure for figure in figures if slot(figure) == main), None)
    links: Mapping[str, str] = spec.extra["links"].get(first.id, {})
    setting = [first.representation, first.input_size, first.condition]
    if first.pretrained:
        setting.append("from scratch" if first.pretrained.startswith("no") else first.pretrained)
    values: dict[str, Any] = {
        "method": first.method,
        "body": first.body or "-",
        "setting": ", ".join(part for part in setting if part) or "-",
        "params": first.params_m,
        "gflops": Entry(first.gflops, footnotes=_texts([note for note in first.footnotes if _of_cost(note)], notes)),
        "row": first.id,
    }
    told: set[str] = set()
    if head is not None:
        told = set(head.footnotes)
        own = _texts([note for note in head.footnotes if not _of_cost(note)], notes)
        values["published"] = Entry(head.value, head.text, head.protocol_id, footnotes=own)
    values |= _outcome(first, head, main, links, spec, by_cell)
    for figure in figures:
        key = slot(figure)
        if key == main:
            continue
        other = _measured(links.get(key), by_cell)
        text = figure.text + (f" → {other[1]:.2f}" if other is not None and other[1] is not None else "")
        own = _texts([note for note in figure.footnotes if note not in told and not _of_cost(note)], notes)
        values[key] = Entry(figure.value, text, figure.protocol_id, footnotes=own)
    return values


def _of_cost(note: str) -> bool:
    """True for footnotes about parameters and multiply-adds, which stand beside those."""
    return note.endswith(("-flops", "-params"))


def _texts(identities: Sequence[str], notes: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(notes[identity] for identity in identities)


def _outcome(
    first: Figure,
    head: Figure | None,
    main: str,
    links: Mapping[str, str],
    spec: TableSpec,
    by_cell: Mapping[str, Measured],
) -> dict[str, Any]:
    """Measured value, difference, status and what is missing of a row."""
    link = links.get(main)
    row, number = _measured(link, by_cell) or (None, None)
    if head is not None and link is not None and row is not None and number is not None:
        whole, have = IMAGES.get((head.benchmark, head.split)), (row.figure(_key(link)) or {}).get("n")
        part = whole is not None and have is not None and have < 0.9 * whole
        status = "off" if part else judge(head, number)
        below = (f"Measured on {have} of {whole} pictures: not a reproduction.",) if part else ()
        return {
            "measured": Entry(number, protocol=head.protocol_id, n=have, href=row.href, footnotes=below),
            "difference": number - head.value,
            "status": Entry(status, status=status),
        }
    if row is not None and row.failed is not None:
        lines = str(row.failed.record.get("reason", "")).strip().splitlines() or ["no reason stored"]
        return {"status": Entry("failed", status="failed", href=row.href), "missing": lines[-1]}
    text = spec.extra["reasons"].get(first.id, "")
    if row is not None:
        text = f"weights {row.cell.checkpoint}, data {row.cell.dataset} {row.cell.split}"
    return {"status": Entry("not attempted", status="not attempted"), "missing": text}


STATUSES = ("reproduced", "within tolerance", "off", "suspiciously better", "failed", "not attempted")


def summary(tables: Sequence[Table]) -> Table:
    """How many rows of each paper table have which status."""
    columns = [Column("table", "table"), Column("rows", "rows"), *(Column(status, status) for status in STATUSES)]
    made = Table("published_summary", "Published rows and what became of them", columns)
    for table in tables:
        counts = Counter(row.entries["status"].status for row in table.rows)
        made.add({"table": table.title, "rows": len(table.rows), **{name: counts[name] or None for name in STATUSES}})
    return made


def attempted(tables: Sequence[Table]) -> list[Table]:
    """The tables with their attempted rows alone; tables without any are left out."""
    kept = []
    for table in tables:
        rows = [row for row in table.rows if row.entries["status"].status != "not attempted"]
        if rows:
            kept.append(replace(table, rows=rows))
    return kept


def _key(link: str) -> str:
    return link.split("|", 1)[1]


def _measured(link: str | None, by_cell: Mapping[str, Measured]) -> tuple[Measured, float | None] | None:
    if link is None:
        return None
    cell, key = link.split("|", 1)
    row = by_cell.get(cell)
    if row is None:
        return None
    values = [value for stored in row.done if (value := stored.value(key)) is not None]
    return row, values[0] if values else None
