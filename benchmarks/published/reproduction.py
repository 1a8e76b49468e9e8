"""The papers' tables with published, measured, difference and status in every row.  Torch-free.

A paper table becomes one `Table` per protocol, so that no column mixes two. Status of a measured row:
"reproduced" if it agrees to what the source prints, "within tolerance", "off", or "suspiciously better".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.experiment.cell import Cell
from benchmarks.experiment.paths import Places
from benchmarks.experiment.suite import TableSpec
from benchmarks.published.figures import METRICS, Figure, load, load_footnotes
from benchmarks.tables.filling import Measured
from benchmarks.tables.table import Column, Entry, Table

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


_NORMALISER = {"inter_ocular": "inter-ocular", "inter_pupil": "inter-pupil", "box": "face box size"}


def measured_protocol(cell: Cell, key: str, published: str) -> str:
    """What a cell's figure was made with, in the words and order of a published `protocol_id`.

    Args:
        cell: whose protocol is read; key: the task's name of the figure, which says threshold, weighting and normaliser;
        published: the `key=value; ...` to answer: settings that it does not state, or that the harness has no word for
            (crop, hardware), stand as they are.
    """
    made = cell.protocol
    said: dict[str, str] = {}
    if hasattr(made, "flip"):
        said["flip"] = "yes" if made.flip else "no"
    if hasattr(made, "scales"):
        said["scales"] = "1" if made.scales == (1.0,) else "multi"
    if hasattr(made, "num_classes"):
        said["classes"] = str(made.num_classes)
    if cell.task == "pose":
        # The official files of boxes are told by their detector's AP.
        boxes = {"val2017": "detector 56.4", "test-dev2017": "detector 60.9"}.get(cell.split, "detector")
        said["boxes"] = boxes if made.boxes == "detector" and not getattr(made, "boxes_file", "") else made.boxes
        said["decode"] = made.decoder
        if "/" not in key:
            # A part's own figure is the same in both ways of averaging the parts.
            said["pckh"] = "unweighted" if key.endswith("unweighted") else "weighted"
        said["threshold"] = f"{float(key.partition('@')[2].split('/')[0].split(' ')[0]):.2f}" if "@" in key else ""
    if cell.task == "landmarks":
        name = key[4:].partition("]")[0] if key.startswith("NME[") else made.normaliser
        said["normaliser"] = _NORMALISER[name]
    parts = []
    for part in published.split("; "):
        name, equals, value = part.partition("=")
        answer = said.get(name, value) if equals and not value.startswith("not stated") else value
        parts.append(f"{name}={answer}" if equals else part)
    return "; ".join(parts)


def setting(figure: Figure) -> str:
    """What tells a row from others of its network: representation, input size, condition, initialisation; "" for nothing."""
    parts = [figure.representation, figure.input_size, figure.condition]
    if figure.pretrained:
        parts.append("from scratch" if figure.pretrained.startswith("no") else figure.pretrained)
    return ", ".join(part for part in parts if part)


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


def published_tables(spec: TableSpec, rows: Sequence[Measured], places: Places | None = None) -> list[Table]:
    """One table per judged figure and protocol of a paper table; every source row is in exactly one of them.

    A row that speaks of two benchmarks (the exchange ablation) is in a table of each. With `places`, rows that were not
    run say what is missing there; without, what they need.
    """
    by_cell = {row.cell.id: row for row in rows}
    lacking = {row.cell.id: _lacking(row.cell, places) for row in rows if not row.done}
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
        tables.append(_table(name, f"{title}: {what} [{protocol}]", main, members, spec, by_cell, lacking, notes))
    return tables


def _lacking(cell: Cell, places: Places | None) -> str:
    """What keeps a cell from being run."""
    if places is None:
        return f"not run; it needs weights {cell.checkpoint} and data {cell.dataset} {cell.split}"
    from benchmarks.published.plan import missing

    return "; ".join(missing(cell, places)) or "nothing is missing; not run yet"


def _table(
    name: str,
    title: str,
    main: str,
    members: Sequence[list[Figure]],
    spec: TableSpec,
    by_cell: Mapping[str, Measured],
    lacking: Mapping[str, str],
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
        table.add(_row(figures, main, spec, by_cell, lacking, notes), group=figures[0].source)
    optional = {"params", "gflops"}
    present = {key for row in table.rows for key, value in row.entries.items() if value.value is not None}
    table.columns = [column for column in table.columns if column.key not in optional or column.key in present]
    return table


def _row(
    figures: Sequence[Figure],
    main: str,
    spec: TableSpec,
    by_cell: Mapping[str, Measured],
    lacking: Mapping[str, str],
    notes: Mapping[str, str],
) -> dict[str, Any]:
    first = figures[0]
    head = next((figure for figure in figures if slot(figure) == main), None)
    links: Mapping[str, str] = spec.extra["links"].get(first.id, {})
    values: dict[str, Any] = {
        "method": first.method,
        "body": first.body or "-",
        "setting": setting(first) or "-",
        "params": first.params_m,
        "gflops": Entry(first.gflops, footnotes=_texts([note for note in first.footnotes if _of_cost(note)], notes)),
        "row": first.id,
    }
    told: set[str] = set()
    if head is not None:
        told = set(head.footnotes)
        own = _texts([note for note in head.footnotes if not _of_cost(note)], notes)
        values["published"] = Entry(head.value, head.text, head.protocol_id, footnotes=own, bound=_bound(head))
    values |= _outcome(figures, head, links, spec, by_cell, lacking)
    for figure in figures:
        key = slot(figure)
        if key == main:
            continue
        link = links.get(key)
        number = (_measured(link, by_cell) or (None, None))[1]
        own = _texts([note for note in figure.footnotes if note not in told and not _of_cost(note)], notes)
        if link is None and links:
            own += (f"Not measured: {spec.extra['reasons'][f'{first.id}|{key}']}.",)
        text, protocol = figure.text, figure.protocol_id
        if number is not None and link is not None:
            text += f" → {number:.2f}"
            protocol = measured_protocol(by_cell[link.split("|")[0]].cell, _key(link), protocol)
        values[key] = Entry(figure.value, text, protocol, footnotes=own, bound=_bound(figure), measured=number)
    return values


def _bound(figure: Figure) -> str:
    return "" if figure.bound == "=" else figure.bound


def _of_cost(note: str) -> bool:
    """True for footnotes about parameters and multiply-adds, which stand beside those."""
    return note.endswith(("-flops", "-params"))


def _texts(identities: Sequence[str], notes: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(notes[identity] for identity in identities)


def _outcome(
    figures: Sequence[Figure],
    head: Figure | None,
    links: Mapping[str, str],
    spec: TableSpec,
    by_cell: Mapping[str, Measured],
    lacking: Mapping[str, str],
) -> dict[str, Any]:
    """Measured value, difference, status and what is missing of a row.

    A row whose main figure could not be measured is judged by the first of its figures that was, and says so.
    """
    first = figures[0]
    found = {figure.column: (figure, link) for figure in figures if (link := links.get(slot(figure)))}
    ordered = sorted(found.values(), key=lambda pair: pair[0] is not head)
    for figure, link in ordered:
        row, number = _measured(link, by_cell) or (None, None)
        if row is None or number is None:
            continue
        status, n, below = _status(figure, row, _key(link), number)
        if figure is not head:
            if ordered[0][0] is head:
                why = _why_missing(ordered[0][1], by_cell, lacking)
            else:
                why = spec.extra["reasons"].get(f"{first.id}|{slot(head)}", "") if head is not None else ""
            own = f"judged by {figure.metric} {figure.split}" + (f"; the main figure: {why}" if why else "")
            return {"status": Entry(status, status=status, href=row.href, footnotes=below), "missing": own}
        protocol = measured_protocol(row.cell, _key(link), figure.protocol_id)
        return {
            "measured": Entry(number, protocol=protocol, n=n, href=row.href, footnotes=below),
            "difference": number - figure.value,
            "status": Entry(status, status=status),
        }
    rows = [by_cell[link.split("|")[0]] for _, link in ordered if link.split("|")[0] in by_cell]
    if rows and rows[0].failed is not None:
        return {
            "status": Entry("failed", status="failed", href=rows[0].href),
            "missing": _why_missing(ordered[0][1], by_cell, lacking),
        }
    text = _why_missing(ordered[0][1], by_cell, lacking) if ordered else spec.extra["reasons"].get(first.id, "")
    return {"status": Entry("not attempted", status="not attempted"), "missing": text}


def _status(figure: Figure, row: Measured, key: str, number: float) -> tuple[str, int | None, tuple[str, ...]]:
    """Status of a measured figure, what it is pooled over, and a footnote where that is a part of the split."""
    whole, have = IMAGES.get((figure.benchmark, figure.split)), (row.figure(key) or {}).get("n")
    if whole is not None and have is not None and have < 0.9 * whole:
        return "off", have, (*row.notes, f"Measured on {have} of {whole} pictures: not a reproduction.")
    return judge(figure, number), have, row.notes


def _why_missing(link: str, by_cell: Mapping[str, Measured], lacking: Mapping[str, str]) -> str:
    """Why a linked figure has no number: what is missing, or the failure's last line with the checkpoint's name."""
    row = by_cell.get(link.split("|")[0])
    if row is None:
        return "not asked for"
    if row.failed is not None:
        lines = str(row.failed.record.get("reason", "")).strip().splitlines() or ["no reason stored"]
        return f"{row.cell.checkpoint}: {lines[-1]}"
    return lacking.get(row.cell.id) or f"{row.cell.checkpoint} was run and gave no {_key(link)}"


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
